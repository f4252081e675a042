"""How each kind of model is loaded and called; a kind's module is imported when a model of it is loaded.

Every module has `load(path, version)`, which returns a function from the request's tensors to the answer's.
But `remote` loads nothing: its models are another function's.
"""

from __future__ import annotations

from lastmile_runtime.errors import BundleError

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable

    from lastmile_runtime.manifest import Version
    from lastmile_runtime.tensors import Tensor

    Predict = Callable[[list[Tensor]], list[Tensor]]

KINDS = ("lightgbm", "onnx", "pipeline", "python", "sklearn", "trees", "xgboost")


def load(path: str, version: Version) -> Predict:
    """Load a verified artifact.

    Args:
        path: The artifact.
        version: Its entry in the manifest.

    Raises whatever the model's own library raises, and BundleError for a kind that this runtime does not have.
    """
    if version.predictor not in KINDS:
        raise BundleError(f"predictor is {version.predictor!r}, but must be one of {', '.join(KINDS)}.")
    module = __import__(f"{__name__}.{version.predictor}", fromlist=["load"])
    predict: Predict = module.load(path, version)
    return predict
