"""An XGBoost booster, as `save_model` wrote it (JSON or UBJSON)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xgboost

from lastmile_runtime.predictors.arrays import from_array
from lastmile_runtime.tensors import Tensor, as_rows

if TYPE_CHECKING:
    from lastmile_runtime.manifest import Version
    from lastmile_runtime.predictors import Predict


def load(path: str, version: Version) -> Predict:
    """Load the booster. Outputs: `predict`, and `predict_proba` when the manifest names it."""
    booster = xgboost.Booster()
    booster.load_model(path)
    booster.set_param({"nthread": 1})
    classifies = any(tensor.name == "predict_proba" for tensor in version.outputs)

    def predict(inputs: list[Tensor]) -> list[Tensor]:
        table = np.array(as_rows(inputs, version.columns), dtype=np.float32)
        raw = booster.inplace_predict(table.reshape(-1, len(version.columns)), validate_features=False)
        if not classifies:
            return [from_array("predict", raw)]
        proba = np.column_stack([1 - raw, raw]) if raw.ndim == 1 else raw
        return [from_array("predict", proba.argmax(axis=1)), from_array("predict_proba", proba)]

    return predict
