"""How each kind of model is loaded and called; a module is imported when a model of its kind is loaded.

Every module has `load(path, version)`, which returns a function from the request's tensors to the answer's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from lastmile_runtime.errors import BundleError
from lastmile_runtime.manifest import Version
from lastmile_runtime.tensors import Tensor

KINDS = ("sklearn", "onnx", "python", "xgboost", "lightgbm")
Predict = Callable[[list[Tensor]], list[Tensor]]


def load(path: str, version: Version) -> Predict:
    """Load a verified artifact.

    Args:
        path: The artifact.
        version: Its entry in the manifest.

    Raises whatever the model's own library raises, or BundleError for a kind that this runtime does not have.
    """
    if version.predictor not in KINDS:
        raise BundleError(f"predictor is {version.predictor!r}, but this runtime has {', '.join(KINDS)}.")
    name = f"lastmile_runtime.predictors.{version.predictor}"
    __import__(name)
    predict: Predict = sys.modules[name].load(path, version)
    return predict
