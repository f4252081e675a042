"""A plain Python class with `predict`, and `load` if it wants it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from lastmile_runtime import tensors
from lastmile_runtime.errors import BundleError
from lastmile_runtime.tensors import Tensor

if TYPE_CHECKING:
    from lastmile_runtime.manifest import Version
    from lastmile_runtime.predictors import Predict


def load(path: str, version: Version) -> Predict:
    """Import the class from its file, make one, and call its `load(folder)`.

    `predict(inputs)` gets a dictionary of nested lists by input name, and returns one by output name, or a
    list, which is the output `predict`.
    """
    model = _class(path, version)()
    if hasattr(model, "load"):
        model.load(os.path.dirname(path))  # noqa: PTH120

    def predict(inputs: list[Tensor]) -> list[Tensor]:
        answer = model.predict({tensor.name: tensor.nested() for tensor in inputs})
        named = answer if isinstance(answer, dict) else {"predict": answer}
        return [tensors.from_nested(name, values) for name, values in named.items()]

    return predict


def _class(path: str, version: Version) -> Any:
    # A name of its own per version: two versions may bring modules of the same name.
    name = "lastmile_model_" + "".join(c if c.isalnum() else "_" for c in version.id)
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        code = compile(file.read(), path, "exec")
    module = type(sys)(name)
    module.__file__ = path
    sys.modules[name] = module
    folder = os.path.dirname(path)  # noqa: PTH120
    if folder not in sys.path:
        sys.path.insert(0, folder)
    exec(code, module.__dict__)  # noqa: S102 - the user's own predictor, whose hash was checked
    found = getattr(module, version.entry or "", None)
    if found is None:
        raise BundleError(f"{os.path.basename(path)} has no class {version.entry}.")  # noqa: PTH119
    return found
