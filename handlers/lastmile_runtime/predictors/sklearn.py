"""A scikit-learn estimator, as joblib or pickle wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lastmile_runtime.predictors.arrays import from_array
from lastmile_runtime.tensors import Tensor, as_rows

if TYPE_CHECKING:
    from lastmile_runtime.manifest import Version
    from lastmile_runtime.predictors import Predict

_METHODS = ("predict", "predict_proba", "decision_function", "score_samples", "transform")


def load(path: str, version: Version) -> Predict:
    """Load the estimator. Its outputs are the methods that the manifest names, `predict` when it names none."""
    import joblib

    estimator = joblib.load(path)
    methods = [tensor.name for tensor in version.outputs if tensor.name in _METHODS] or ["predict"]
    as_input = _as_frame if version.frame else _as_array

    def predict(inputs: list[Tensor]) -> list[Tensor]:
        table = as_input(inputs, version)
        return [from_array(method, getattr(estimator, method)(table)) for method in methods]

    return predict


def _as_array(inputs: list[Tensor], version: Version) -> Any:
    import numpy as np

    rows = as_rows(inputs, version.columns)
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(version.columns))


def _as_frame(inputs: list[Tensor], version: Version) -> Any:
    import pandas as pd

    return pd.DataFrame(as_rows(inputs, version.columns), columns=version.columns)
