"""Our own rebuilding functions, in place of the frameworks': what a pickle may call.

Each takes exactly the arguments that the framework itself writes, so that a size, type or layout that a file
made up never reaches native code, and nothing that the file names is called.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from lastmile_sls.inspection import pairs
from lastmile_sls.inspection.refused import RefusedPickleError

Pair = tuple[str, str]

_MAX_OUTPUTS = 100_000
_DTYPE_NAME = re.compile("[A-Za-z?][0-9]*")
_ALIGNED = 0x80
"""numpy's flag of a structure laid out as C would; it changes nothing once the offsets are known."""
_ALIGNMENTS = (-1, 1, 2, 4, 8, 16)


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
    """Make an element type, of its own: a state is given to it."""
    import numpy as np

    told = name.decode("ascii") if isinstance(name, bytes) else name
    # Longer names are read by numpy's parser for lists of types, which evaluates what is in brackets.
    simple = isinstance(told, str) and _DTYPE_NAME.fullmatch(told)
    _need(bool(simple) or told in (np.float64, np.int64), "an element type")
    return np.dtype(told, copy=True)


def check_dtype_state(dtype: Any, state: Any) -> None:
    """Refuse a state that numpy would not write of this element type: it believes any, and then reads out of bounds."""
    _need(isinstance(state, tuple) and len(state) in (8, 9), "an element type")
    honest = _described(dtype, state).__reduce__()[2]
    _need(state[:6] == honest[:6] and state[6] in _ALIGNMENTS, "an element type")
    _need(state[7] & ~_ALIGNED == honest[7] & ~_ALIGNED, "an element type")
    # Of a unit, older versions write {} where newer ones write None.
    _need([part[1:] for part in state[8:]] == [part[1:] for part in honest[8:]], "an element type")


def _described(dtype: Any, state: tuple[Any, ...]) -> Any:
    """Return the element type that a state describes, made by numpy from what is in it."""
    import numpy as np

    _, order, subarray, names, fields, size, _, flags, *unit = state
    if subarray is not None:
        base, shape = subarray
        _need_plain([base])
        return np.dtype((base, shape))
    if fields is not None:
        parts, offsets = zip(*(fields[name] for name in names), strict=True)
        _need_plain(parts)
        layout = {"names": list(names), "formats": list(parts), "offsets": list(offsets), "itemsize": size}
        return np.dtype(layout, align=bool(flags & _ALIGNED))
    if unit:
        name, count = unit[0][1][:2]
        return np.dtype(f"{dtype.kind}8[{count}{name.decode('ascii')}]").newbyteorder(order)
    return dtype.newbyteorder(order)


def _need_plain(parts: Iterable[Any]) -> None:
    """Refuse element types in an element type that are made of others, or are none."""
    import numpy as np

    _need(all(isinstance(part, np.dtype) and part.base.kind != "V" for part in parts), "an element type")


def check_array_state(state: Any) -> None:
    """Refuse a list of another length than the array's shape says: numpy reads on behind its end."""
    _need(isinstance(state, tuple) and len(state) > 3, "an array")
    shape, _, _, content = state[1:5] if isinstance(state[0], int) else state[:4]
    _need(isinstance(shape, tuple) and all(isinstance(n, int) and n >= 0 for n in shape), "an array")
    _need(not isinstance(content, list) or len(content) == math.prod(shape), "an array")


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


def check_tree_state(made: Any, state: Any) -> None:
    """Refuse nodes that native code would follow out of the tree, or in a circle."""
    import numpy as np

    nodes: Any = state.get("nodes") if isinstance(state, dict) else None
    _need(isinstance(nodes, np.ndarray) and nodes.shape == (state["node_count"],), "a tree")
    left, right, feature = (nodes[name] for name in ("left_child", "right_child", "feature"))
    inner, own = left != -1, np.arange(len(nodes))
    for child in (left, right):
        _need(bool((((own < child) & (child < len(nodes))) | ~inner).all()), "a tree")
    _need(bool((((feature >= 0) & (feature < made.n_features)) | ~inner).all()), "a tree")


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
    check_keys(items)
    return set(items)


def check_keys(keys: Iterable[Any]) -> None:
    """Refuse tuples in tuples as keys: those that hold the same ones, over and over, take for ever to be hashed."""
    for key in keys:
        if isinstance(key, tuple) and any(isinstance(part, tuple) for part in key):
            raise RefusedPickleError("it has tuples in tuples as keys, which no model needs")


def make_slice(*bounds: Any) -> slice:
    """Make a slice."""
    _need(
        len(bounds) == 3 and all(bound is None or isinstance(bound, (int, str)) for bound in bounds),
        "a slice",
    )
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


def check_losses() -> None:
    """Refuse the losses' old name unless scikit-learn itself has given it to its module."""
    import_module(LOSSES)
    if LOSSES_BEFORE_1_9 not in sys.modules:
        raise RefusedPickleError(
            "its loss was written by scikit-learn 1.8 or older, and the installed version cannot load it",
            "Install the scikit-learn that the model was made with.",
        )


def _native(pair: Pair) -> Any:
    """Return a native loss or its rebuilding function."""
    return getattr(import_module(LOSSES if pair[0] == LOSSES_BEFORE_1_9 else pair[0]), pair[1])


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
