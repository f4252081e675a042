"""Opens forest files with the native evaluator where one is built for this processor, else in Python."""

# pathlib would cost 10 ms of each cold start:
# ruff: noqa: PTH123

from __future__ import annotations

import _imp
import os
import sys

from lastmile_runtime import PACK
from lastmile_runtime.errors import BundleError

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.forest_python import Forest

MAPPED_BYTES = 4 << 20
"""Files from here on are mapped, so that processes share them; smaller ones are read sooner than mmap is imported."""

_evaluator: Any = None


def open_forest(path: str) -> Forest:
    """Read and check a forest file. Raises OSError, and BundleError saying what is wrong with the file."""
    with open(path, "rb") as file:
        content: Any
        if os.fstat(file.fileno()).st_size < MAPPED_BYTES:
            content = file.read()
        else:
            import mmap

            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        forest: Forest = evaluator().load(content)
    except ValueError as error:
        raise BundleError(f"{os.path.basename(path)}: {error}.") from error  # noqa: PTH119
    return forest


def evaluator() -> Any:
    """Return the module that evaluates: the native one, or the one in Python, which is said once on standard error."""
    global _evaluator  # noqa: PLW0603 - found once per process
    if _evaluator is None:
        try:
            _evaluator = _native()
        except ImportError as error:
            from lastmile_runtime import forest_python

            sys.stderr.write(f"lastmile: trees are evaluated in Python, which is slow: {error}.\n")
            _evaluator = forest_python
    return _evaluator


def _native() -> Any:
    """Load this processor's library: as import would, in a third of the time. Raises ImportError when there is none."""
    machine = os.uname().machine if sys.platform == "linux" else ""
    path = f"{os.path.dirname(__file__)}/native/{machine}/_forest.abi3.so"  # noqa: PTH120
    # Interpreters without the global lock have another binary interface, which they write as a t.
    if not machine or "t" in sys.abiflags or not os.path.exists(path):  # noqa: PTH110
        raise ImportError(
            f"there is no native evaluator for {sys.platform} {machine} {sys.implementation.cache_tag}"
        )
    if PACK is not None:
        with open(path, "rb") as file:
            PACK.check(f"native/{machine}/_forest.abi3.so", file.read())
    module = _imp.create_dynamic(type(__spec__)("_forest", None, origin=path))
    _imp.exec_dynamic(module)
    return module
