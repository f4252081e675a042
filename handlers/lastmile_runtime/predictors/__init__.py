"""How each kind of model is loaded and called; a module is imported when a model of its kind is loaded.

Every module has `load(path, version)`, which returns a function from the request's tensors to the answer's.
"""

from __future__ import annotations

from collections.abc import Callable

from lastmile_runtime.errors import BundleError
from lastmile_runtime.manifest import Version
from lastmile_runtime.tensors import Tensor

Predict = Callable[[list[Tensor]], list[Tensor]]


def load(path: str, version: Version) -> Predict:
    """Load a verified artifact.

    Args:
        path: The artifact.
        version: Its entry in the manifest.

    Raises whatever the model's own library raises, or BundleError for a kind that this runtime does not have.
    """
    match version.predictor:
        case "python":
            from lastmile_runtime.predictors import python as kind
        case "sklearn":
            from lastmile_runtime.predictors import sklearn as kind
        case "onnx":
            from lastmile_runtime.predictors import onnx as kind
        case "xgboost":
            from lastmile_runtime.predictors import xgboost as kind
        case "lightgbm":
            from lastmile_runtime.predictors import lightgbm as kind
        case other:
            raise BundleError(f"predictor is {other!r}, which this runtime does not have.")
    return kind.load(path, version)
