"""A plain Python class with `predict`, and `load` if it wants it."""

# pathlib would cost 10 ms of each cold start:
# ruff: noqa: PTH119, PTH120, PTH123

from __future__ import annotations

import _imp
import marshal
import os
import sys
from _thread import allocate_lock  # threading would cost 4 ms of each cold start

from lastmile_runtime import tensors
from lastmile_runtime.errors import BundleError

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

    from lastmile_runtime.manifest import Version
    from lastmile_runtime.predictors import Predict
    from lastmile_runtime.tensors import Tensor

_PYC_HEAD_BYTES = 16
"""PEP 552."""
_IMPORTING = allocate_lock()
"""Held while a model's folder is importable."""


def load(path: str, version: Version) -> Predict:
    """Import the class from its file, make one, and call its `load(folder)`, if it has that.

    `predict(inputs)` gets a dictionary of nested lists by input name, and returns one by output name, or the
    values of the one output `predict`. While the class is imported and loads, and only then, it can import what
    lies in its folder: two versions may bring modules of the same name, and each keeps its own.
    """
    folder = os.path.dirname(path)
    with _IMPORTING:
        sys.path.insert(0, folder)
        try:
            model = _class(path, version)()
            if hasattr(model, "load"):
                model.load(folder)
        finally:
            sys.path.remove(folder)
            _forget(folder)
    if not callable(getattr(model, "predict", None)):
        raise BundleError(f"{version.entry} in {os.path.basename(path)} has no method predict.")
    declared = {spec.name: spec.datatype for spec in version.outputs}

    def predict(inputs: list[Tensor]) -> list[Tensor]:
        answer = model.predict({tensor.name: tensor.nested() for tensor in inputs})
        named = answer if isinstance(answer, dict) else {"predict": answer}
        return [tensors.from_nested(name, values, declared.get(name)) for name, values in named.items()]

    return predict


def _class(path: str, version: Version) -> Any:
    # A name of its own per version; characters are spelt out, so that "v1.0" and "v1_0" stay apart.
    name = "lastmile_model_" + "".join(c if c.isalnum() else f"_{ord(c):x}_" for c in version.id)
    code = _code(path, version)
    module = type(sys)(name)
    module.__file__ = path
    # It stays: pickle and typing look a class's module up by name.
    sys.modules[name] = module
    exec(code, module.__dict__)  # noqa: S102 - the user's own predictor, whose hash was checked
    if not hasattr(module, version.entry or ""):
        raise BundleError(f"{os.path.basename(path)} has no class {version.entry}.")
    return getattr(module, version.entry or "")


def _code(path: str, version: Version) -> CodeType:
    """Return the file's code: what the bundle has compiled, which was verified as well, else from the source."""
    if version.bytecode:
        with open(path.removesuffix(version.artifact) + version.bytecode, "rb") as file:
            compiled = file.read()
        magic: bytes = sys.modules["_frozen_importlib_external"].MAGIC_NUMBER
        if compiled.startswith(magic):
            found: CodeType = marshal.loads(compiled[_PYC_HEAD_BYTES:])  # noqa: S302 - verified
            getattr(_imp, "_fix_co_filename")(found, path)  # noqa: B009 - typeshed does not know it
            return found
    with open(path, "rb") as file:
        source: CodeType = compile(file.read(), path, "exec")
    return source


def _forget(folder: str) -> None:
    """Take what was imported from a folder out of the table of modules, where another version would find it."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if file.startswith(folder + os.sep) and not name.startswith("lastmile_model_"):
            del sys.modules[name]
