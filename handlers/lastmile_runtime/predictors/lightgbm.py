"""A LightGBM booster, as `save_model` wrote it (text)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import lightgbm
import numpy as np

from lastmile_runtime.predictors.arrays import from_array, to_matrix
from lastmile_runtime.tensors import Tensor

if TYPE_CHECKING:
    from lastmile_runtime.manifest import Version
    from lastmile_runtime.predictors import Predict


def load(path: str, version: Version) -> Predict:
    """Load the booster. Classifiers give the class's number as `predict`, and `predict_proba`."""
    booster = lightgbm.Booster(model_file=path)
    classifies = _objective(path) in ("binary", "multiclass", "multiclassova")

    def predict(inputs: list[Tensor]) -> list[Tensor]:
        raw = np.asarray(booster.predict(to_matrix(inputs, version, np.float64), num_threads=1))
        if not classifies:
            return [from_array("predict", raw)]
        proba = np.column_stack([1 - raw, raw]) if raw.ndim == 1 else raw
        return [from_array("predict", proba.argmax(axis=1)), from_array("predict_proba", proba)]

    return predict


def _objective(path: str) -> str:
    """Return the objective's name from the file's header, which the booster itself does not tell."""
    with Path(path).open(encoding="utf-8") as file:
        for line in file:
            if line.startswith("objective="):
                return line.removeprefix("objective=").split()[0]
            if line.startswith("Tree="):
                break
    return ""
