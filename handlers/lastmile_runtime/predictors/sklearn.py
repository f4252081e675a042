"""A scikit-learn estimator, as joblib or pickle wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import joblib
import numpy as np

from lastmile_runtime import table
from lastmile_runtime.predictors.arrays import from_array, to_array, to_matrix
from lastmile_runtime.tensors import Tensor

if TYPE_CHECKING:
    from lastmile_runtime.manifest import Version
    from lastmile_runtime.predictors import Predict

METHODS = ("predict", "predict_proba", "decision_function", "score_samples", "transform")
"""What an output may be called, and is: the method that gives it."""


def load(path: str, version: Version) -> Predict:
    """Load the estimator, which joblib's reader does for plain pickles too.

    Its outputs are the methods that the manifest names; where it names none, `predict` and `predict_proba`, or
    `transform` of an estimator that does not predict.
    """
    estimator = joblib.load(path)
    methods = [spec.name for spec in version.outputs if spec.name in METHODS] or methods_of(estimator)

    def predict(inputs: list[Tensor]) -> list[Tensor]:
        rows = rows_of(inputs, version)
        return [from_array(method, getattr(estimator, method)(rows)) for method in methods]

    return predict


def methods_of(estimator: Any) -> list[str]:
    """Return the methods that an estimator answers with where nothing else is asked for."""
    found = [method for method in ("predict", "predict_proba") if hasattr(estimator, method)]
    return found or ["transform"]


def rows_of(inputs: list[Tensor], version: Version) -> Any:
    """Return what the estimator is given: a matrix, or a DataFrame with a type per column, as in training."""
    if not version.frame:
        return to_matrix(inputs, version, np.float64)
    import pandas as pd

    columns = table.columns_of(inputs, version.columns)
    return pd.DataFrame({name: to_array(column).ravel() for name, column in columns.items()})
