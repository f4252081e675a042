"""Reads a model's pickle without running anything that it says: what is not on the table of globals is refused.

It is joblib's reader (pickles with raw arrays inline, object arrays as pickles of their own) with every way out
closed: dotted names, extension codes, persistent ids, Python 2's instances, buffers from outside, states for
classes and functions, arrays larger than the file, anything after the end. What passes does the same under
joblib's own reader, so a file that was checked may be loaded by it. One thing it cannot promise: that native
code withstands a model whose numbers are absurd when it *predicts*, or that of XGBoost and LightGBM when it loads one;
here `boosters` stand for theirs.
"""

from __future__ import annotations

import _compat_pickle
import math
import pickle
import types
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from lastmile_sls.inspection import rebuilders
from lastmile_sls.inspection.boosters import STAND_INS
from lastmile_sls.inspection.fillings import FILLINGS
from lastmile_sls.inspection.globals import CALLS, CLASSES, VALUES
from lastmile_sls.inspection.pickle_stream import PickleStream, unpacked
from lastmile_sls.inspection.rebuilders import check_array_state, check_dtype_state
from lastmile_sls.inspection.refused import RefusedPickleError, name_of

_WRAPPER = ("joblib.numpy_pickle", "NumpyArrayWrapper")
_PANDAS = (
    "The model holds a part of a DataFrame. Give it plain lists (columns=list(frame.columns)), fit and save it again; "
    "or, if the file is your own, `lastmile init --trust` loads it all the same."
)
_MAX_DEPTH = 8
"""Object arrays in object arrays."""
_WITHOUT_BYTES = "it holds an array of elements that take no bytes, so that any number of them would fit"
_OPENING = (rebuilders.reconstruct, rebuilders.masked_array, rebuilders.make_dtype)
"""What makes something that waits for its state."""
_NEVER_GIVEN_A_STATE = (
    type,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.ModuleType,
)
_Handler = Callable[[Any], None]
_PLAIN: dict[int, Any] = dict(pickle._Unpickler.dispatch)
_LOAD_REDUCE, _LOAD_NEWOBJ, _LOAD_BUILD = (
    _PLAIN[op[0]] for op in (pickle.REDUCE, pickle.NEWOBJ, pickle.BUILD)
)


@dataclass(frozen=True)
class Unpickled:
    """What a pickle holds."""

    model: Any
    sklearn_version: str | None
    """The version that the estimators were made with."""
    packages: frozenset[str]
    """The frameworks that it names."""


class ArrayWrapper:
    """Stands for joblib's NumpyArrayWrapper: the description of the array whose bytes follow."""


class Unpickler(pickle._Unpickler):
    """The restricted reader of one pickle; object arrays get one each."""

    dispatch: ClassVar[dict[int, Any]] = dict(_PLAIN)
    proto: int
    read: Callable[[int], bytes]
    append: Callable[[Any], None]
    stack: list[Any]

    def __init__(self, stream: PickleStream, *, depth: int = 0) -> None:
        super().__init__(stream)
        self.stream = stream
        self.depth = depth
        self.sklearn_version: str | None = None
        self.packages: set[str] = set()
        self._calls: set[int] = set()
        self._classes: set[int] = {id(ArrayWrapper)}
        self._open: dict[int, Any] = {}
        """The arrays and element types that wait for their state, which they are given once, before they are used."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what an exact pair on the table names; refuse any other."""
        pair = self._modern(module, name)
        if pair == _WRAPPER and self.depth == 0:
            return ArrayWrapper
        if pair in STAND_INS:
            self.packages.add(pair[0].split(".")[0])
            self._classes.add(id(STAND_INS[pair]))
            return STAND_INS[pair]
        if module == rebuilders.LOSSES_BEFORE_1_9:
            rebuilders.check_losses()
        if pair in CALLS:
            _imported(*pair)
            self._calls.add(id(CALLS[pair]))
            return CALLS[pair]
        if pair in CLASSES or pair in VALUES:
            found = _imported(*pair)
            self.packages.add(pair[0].split(".")[0])
            if pair in CLASSES:
                self._classes.add(id(found))
            return found
        hint = _PANDAS if module.startswith("pandas.") else ""
        raise RefusedPickleError(f"it names {module}.{name}, which is not part of a model", hint)

    def _modern(self, module: str, name: str) -> tuple[str, str]:
        """Return the pair as Python's own reader maps it in protocols that Python 2 could write."""
        if self.proto < 3:
            if (module, name) in _compat_pickle.NAME_MAPPING:
                return _compat_pickle.NAME_MAPPING[module, name]
            return _compat_pickle.IMPORT_MAPPING.get(module, module), name
        return module, name

    def _load_reduce(self) -> None:
        if id(self.stack[-2]) not in self._calls:
            raise RefusedPickleError(f"it calls {name_of(self.stack[-2])}")
        self._need_whole(self.stack[-1])
        opens = self.stack[-2] in _OPENING
        _LOAD_REDUCE(self)
        if opens:
            self._open[id(self.stack[-1])] = self.stack[-1]

    def _load_newobj(self) -> None:
        if id(self.stack[-2]) not in self._classes:
            raise RefusedPickleError(f"it makes an instance of {name_of(self.stack[-2])}")
        _LOAD_NEWOBJ(self)

    def _load_build(self) -> None:
        state, target = self.stack[-1], self.stack[-2]
        if _is_numpys(target):
            self._close(target, state)
        if type(target).__module__ == "sklearn.tree._tree":
            rebuilders.check_tree_state(target, state)
        if isinstance(target, _NEVER_GIVEN_A_STATE):
            raise RefusedPickleError(f"it changes {name_of(target)}")
        if isinstance(state, tuple) and len(state) == 2 and not hasattr(type(target), "__setstate__"):
            raise RefusedPickleError(f"it sets slots of {name_of(type(target))}")
        if "__setstate__" in getattr(target, "__dict__", ()):
            raise RefusedPickleError(f"it sets how {name_of(type(target))} takes a state")
        if isinstance(state, dict) and (version := state.get("_sklearn_version")) is not None:
            if not isinstance(version, str):
                raise RefusedPickleError("it names a version of scikit-learn that is no text")
            self.sklearn_version = self.sklearn_version or version
        _LOAD_BUILD(self)
        self.stack[-1] = self._built(self.stack[-1])

    def _close(self, target: Any, state: Any) -> None:
        """Check the state of an array or element type, which numpy believes."""
        import numpy as np

        if self._open.pop(id(target), None) is None:
            raise RefusedPickleError(f"it changes {name_of(type(target))} that is whole")
        if isinstance(target, np.dtype):
            check_dtype_state(target, state)
            self._need_whole(part for part, _ in (state[4] or {}).values())
            self._need_whole(state[2] or ())
        else:
            check_array_state(state)
            self._need_whole(state)

    def _need_whole(self, values: Iterable[Any]) -> None:
        """Refuse to use what waits for its state: it would become something else where it is used."""
        for value in values:
            if id(value) in self._open:
                raise RefusedPickleError(f"it uses {name_of(type(value))} that is not whole")

    def _built(self, value: Any) -> Any:
        import numpy as np

        if isinstance(value, np.ndarray) and value.size > value.nbytes:
            raise RefusedPickleError(_WITHOUT_BYTES)
        return self._array(value) if isinstance(value, ArrayWrapper) else value

    def _array(self, wrapper: ArrayWrapper) -> Any:
        import numpy as np

        state: dict[str, Any] = vars(wrapper)
        dtype, order = state.get("dtype"), state.get("order")
        self._need_whole([dtype])
        shape: Any = state.get("shape")
        sizes = isinstance(shape, tuple) and all(isinstance(n, (int, np.integer)) and n >= 0 for n in shape)
        if not sizes or not isinstance(dtype, np.dtype) or order not in ("C", "F"):
            raise RefusedPickleError("it describes an array as joblib never does")
        if dtype.hasobject:
            return self._object_array()
        if not dtype.itemsize and 0 not in shape:
            raise RefusedPickleError(_WITHOUT_BYTES)
        if state.get("numpy_array_alignment_bytes") is not None:
            self.stream.read(int.from_bytes(self.stream.read(1), "little"))
        size = math.prod(int(n) for n in shape) * dtype.itemsize
        content = bytearray(self.stream.read(size))
        if len(content) != size:
            raise RefusedPickleError("it ends in the middle of an array")
        array = np.frombuffer(content, dtype=dtype) if dtype.itemsize else np.zeros(shape, dtype)
        array = array.reshape(shape, order=order)
        return array if dtype.isnative else array.astype(dtype.newbyteorder("="))

    def _object_array(self) -> Any:
        import numpy as np

        if self.depth >= _MAX_DEPTH:
            raise RefusedPickleError(f"it holds arrays in arrays, more than {_MAX_DEPTH} deep")
        inner = Unpickler(self.stream, depth=self.depth + 1)
        array = inner.load()
        self.packages |= inner.packages
        self.sklearn_version = self.sklearn_version or inner.sklearn_version
        if not isinstance(array, np.ndarray):
            raise RefusedPickleError("it has something else where an array belongs")
        return array

    def _load_bytearray8(self) -> None:
        """Read first: Python's own handler makes as many bytes as are announced, to read into."""
        size = int.from_bytes(self.read(8), "little")
        self.append(bytearray(self.read(size)))

    dispatch[pickle.BYTEARRAY8[0]] = _load_bytearray8
    dispatch[pickle.REDUCE[0]] = _load_reduce
    dispatch[pickle.NEWOBJ[0]] = _load_newobj
    dispatch[pickle.BUILD[0]] = _load_build


Unpickler.dispatch.update(FILLINGS)


def _refuse(what: str) -> _Handler:
    def handler(unpickler: Any) -> None:
        raise RefusedPickleError(f"it uses {what}, which no model needs")

    return handler


for _codes, _what in (
    ((pickle.EXT1, pickle.EXT2, pickle.EXT4), "copyreg's extension codes"),
    ((pickle.PERSID, pickle.BINPERSID), "persistent ids"),
    ((pickle.INST, pickle.OBJ), "instances as Python 2 wrote them"),
    ((pickle.NEXT_BUFFER, pickle.READONLY_BUFFER), "buffers from outside the file"),
    ((pickle.NEWOBJ_EX,), "keyword arguments for a constructor"),
):
    for _code in _codes:
        Unpickler.dispatch[_code[0]] = _refuse(_what)


def read_pickle(path: Path) -> Unpickled:
    """Return what a pickle or joblib file holds.

    Raises RefusedPickleError for what a model never holds, and for a file that is cut short or no pickle.
    """
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            stream = unpacked(path, file)
            unpickler = Unpickler(stream)
            model = unpickler.load()
            ended = stream.at_end()
        except RefusedPickleError:
            raise
        except EOFError as error:
            raise RefusedPickleError("it is cut short", "Save the model again.") from error
        except Exception as error:  # a crafted file can make a framework's code raise anything
            raise RefusedPickleError(f"it cannot be read ({type(error).__name__}: {error})") from error
    if not ended:
        raise RefusedPickleError("it goes on after the model's end")
    return Unpickled(model, unpickler.sklearn_version, frozenset(unpickler.packages))


def _imported(module: str, name: str) -> Any:
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        package = module.split(".", maxsplit=1)[0]
        raise RefusedPickleError(
            f"it needs {module}.{name}, which the installed {package} does not have, or {package} is not installed",
            "Install the packages that the model was made with, in those versions.",
        ) from error


def _is_numpys(value: Any) -> bool:
    import numpy as np

    return isinstance(value, (np.ndarray, np.dtype))
