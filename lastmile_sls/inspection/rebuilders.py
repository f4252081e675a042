"""Our own rebuilding functions, in place of the frameworks': what a pickle may call.

Each takes exactly the arguments that the framework itself writes, so that a size, type or layout that a file
made up never reaches native code, and nothing that the file names is called.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from lastmile_sls.inspection import pairs
from lastmile_sls.inspection.refused import RefusedPickleError

Pair = tuple[str, str]

_MAX_OUTPUTS = 100_000


def _need(condition: bool, what: str) -> None:
    if not condition:
        raise RefusedPickleError(f"it rebuilds {what} from arguments that no framework writes")


def reconstruct(kind: Any, shape: Any, code: Any) -> Any:
    """Make the empty array that a state is given to: never one of a size that the file chose."""
    import numpy as np

    _need(kind in (np.ndarray, np.matrix, np.memmap) and shape == (0,) and code in (b"b", "b"), "an array")
    return np.ndarray.__new__(np.ndarray, (0,), "b")


def frombuffer(buffer: Any, dtype: Any, shape: Any, order: Any, *axes: Any) -> Any:
    """Make an array over bytes that the file holds."""
    import numpy as np

    _need(isinstance(buffer, (bytes, bytearray)) and isinstance(dtype, np.dtype), "an array")
    _need(not dtype.hasobject and order in ("C", "F", "K"), "an array")
    array = np.frombuffer(buffer, dtype=dtype)
    if order == "K":
        return array.reshape(shape).transpose(*axes)
    return array.reshape(shape, order=order)


def scalar(dtype: Any, content: Any = b"") -> Any:
    """Make one number from its bytes."""
    import numpy as np

    _need(isinstance(dtype, np.dtype) and not dtype.hasobject and isinstance(content, bytes), "a number")
    _need(len(content) == dtype.itemsize, "a number")
    return np.frombuffer(content, dtype=dtype)[0]


def make_dtype(name: Any, align: Any = False, copy: Any = True) -> Any:
    """Make an element type; `check_dtype` looks at what its state made of it."""
    import numpy as np

    _need(isinstance(name, (str, bytes)) or name in (np.float64, np.int64), "an element type")
    return np.dtype(name if not isinstance(name, bytes) else name.decode("ascii"), copy=True)


def check_dtype(dtype: Any) -> None:
    """Refuse an element type whose state claims a layout it does not have (pointers as numbers, or out of bounds)."""
    parts = [(dtype.subdtype[0], 0)] if dtype.subdtype else [f[:2] for f in (dtype.fields or {}).values()]
    pointers = dtype.kind == "O" or any(part.hasobject for part, _ in parts)
    _need(bool(dtype.hasobject) == pointers, "an element type")
    for part, offset in parts:
        _need(offset >= 0 and offset + part.itemsize <= dtype.itemsize, "an element type")
        check_dtype(part)


def masked_array(kind: Any, base: Any, shape: Any, code: Any) -> Any:
    """Make the empty masked array that a state is given to."""
    import numpy as np

    _need(
        kind is np.ma.MaskedArray and base is np.ndarray and shape == (0,) and code in (b"b", "b"), "an array"
    )
    return np.ma.MaskedArray(np.ndarray((0,), "b"))


def tree(features: Any, classes: Any, outputs: Any) -> Any:
    """Make an empty tree; native code reads as many class counts as there are outputs, so there must be that many."""
    import numpy as np
    from sklearn.tree._tree import Tree

    _need(
        isinstance(features, int) and isinstance(outputs, int) and isinstance(classes, np.ndarray), "a tree"
    )
    _need(0 < outputs <= _MAX_OUTPUTS and classes.shape == (outputs,) and classes.dtype == np.intp, "a tree")
    _need(bool((classes > 0).all() and (classes <= _MAX_OUTPUTS).all()), "a tree")
    return Tree(features, classes, outputs)


def bit_generator(kind: Any) -> Any:
    """Make a source of random bits."""
    import numpy as np

    kinds = {"MT19937": np.random.MT19937, "PCG64": np.random.PCG64}
    name = kind if isinstance(kind, str) else getattr(kind, "__name__", "")
    _need(name in kinds and kind in (name, kinds[name]), "random numbers")
    return kinds[name]()


def random_state(bits: Any = "MT19937", maker: Any = bit_generator) -> Any:
    """Make a random state over a source of bits, or over the name of one."""
    import numpy as np

    _need(maker is bit_generator, "random numbers")
    return np.random.RandomState(bit_generator(bits) if isinstance(bits, str) else bits)


def generator(bits: Any = "MT19937", maker: Any = bit_generator) -> Any:
    """Make a generator over a source of bits, or over the name of one."""
    import numpy as np

    _need(maker is bit_generator, "random numbers")
    return np.random.Generator(bit_generator(bits) if isinstance(bits, str) else bits)


def seed_sequence(kind: Any, checksum: Any, state: Any) -> Any:
    """Make a seed, for random numbers only."""
    import numpy as np

    _need(kind is np.random.SeedSequence and isinstance(checksum, int), "random numbers")
    rebuild = getattr(np.random.bit_generator, "__pyx_unpickle_SeedSequence")
    return rebuild(kind, checksum, state)


def empty(kind: Any) -> Any:
    """Make an empty neighbour tree or distance, as Cython's own `newObj` does."""
    pair = (getattr(kind, "__module__", ""), getattr(kind, "__name__", ""))
    _need(isinstance(kind, type) and pair in pairs.DISTANCES, "a distance or neighbour tree")
    return kind.__new__(kind)


def text_bytes(text: Any, encoding: Any) -> bytes:
    """Return bytes that protocol 2 wrote as text."""
    _need(isinstance(text, str) and encoding == "latin1", "bytes")
    return bytes(text, "latin1")


def byte_array(content: Any = b"", encoding: Any = "latin1") -> bytearray:
    """Return the bytes of a native model, as XGBoost keeps them; protocol 2 wrote them as text."""
    _need(isinstance(content, (bytes, str)) and encoding in ("latin1", "latin-1"), "bytes")
    return bytearray(content if isinstance(content, bytes) else text_bytes(content, "latin1"))


def no_bytes() -> bytes:
    """Return empty bytes, which protocol 2 wrote as a call."""
    return b""


def make_set(items: Any = ()) -> set[Any]:
    """Make a set from a list."""
    _need(isinstance(items, (list, tuple)), "a set")
    return set(items)


def make_slice(*bounds: Any) -> slice:
    """Make a slice."""
    _need(len(bounds) == 3, "a slice")
    return slice(*bounds)


def ordered() -> Any:
    """Make an empty ordered dictionary."""
    from collections import OrderedDict

    return OrderedDict()


def defaulting(factory: Any = None) -> Any:
    """Make a dictionary with defaults (LightGBM keeps its scores in one): empty containers or zeros only."""
    from collections import OrderedDict, defaultdict

    kind = OrderedDict if factory is ordered else factory
    _need(kind in (None, OrderedDict, dict, float, int, list), "a dictionary")
    return defaultdict(kind)


LOSSES = "sklearn._loss._loss"
LOSSES_BEFORE_1_9 = "_loss"
"""The name under which scikit-learn 1.5 to 1.8 pickled the same module, and under which they alone can load it."""


def _native(pair: Pair) -> Any:
    """Return a native loss or its rebuilding function."""
    module = import_module(LOSSES if pair[0] == LOSSES_BEFORE_1_9 else pair[0])
    if pair[0] == LOSSES_BEFORE_1_9 and pair[0] not in sys.modules:
        raise RefusedPickleError(
            "its loss was written by scikit-learn 1.8 or older, and the installed version cannot load it",
            "Install the scikit-learn that the model was made with.",
        )
    return getattr(module, pair[1])


def _number_only(pair: Pair) -> Callable[..., Any]:
    """Return the maker of a native loss: the class itself, called with numbers only."""

    def make(*numbers: Any) -> Any:
        _need(all(isinstance(number, (int, float)) for number in numbers), "a loss")
        return _native(pair)(*numbers)

    return make


LOSS_MAKERS = {
    pair: _number_only(pair)
    for name in pairs.NATIVE_LOSSES
    for pair in (name, *([(LOSSES_BEFORE_1_9, name[1])] if name[0] == LOSSES else []))
}


def rebuilt_loss(pair: Pair) -> Callable[..., Any]:
    """Return the rebuilding function of a native loss (Cython's own, scikit-learn 1.5), for that loss only."""

    def rebuild(kind: Any, checksum: Any, state: Any) -> Any:
        _need(kind is LOSS_MAKERS[pair] and isinstance(checksum, int), "a loss")
        _need(state is None or all(isinstance(number, (int, float)) for number in state), "a loss")
        return _native((pair[0], f"__pyx_unpickle_{pair[1]}"))(_native(pair), checksum, state)

    return rebuild
