from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from lastmile_sls.inspection.unpickler import read_pickle
from tests.lastmile_sls.inspection.models import X, Y
from tests.lastmile_sls.inspection.test_unpickler import STOP, Wrapped, called, named, refusal


def dtype_with(flags: int) -> bytes:
    """Return an object dtype whose state claims other flags: with 0, pointers could be read from raw bytes."""
    written = pickle.dumps(np.dtype("O"), 2)
    honest = b"K?t"
    assert honest in written
    return written.replace(honest, b"K" + bytes([flags]) + b"t")


def test_a_dtype_that_hides_pointers_is_refused(tmp_path: Path) -> None:
    says = refusal(tmp_path / "model.pkl", dtype_with(0))
    assert says == "it rebuilds an element type from arguments that no framework writes"


_ARGUMENTS = {
    "an array": named("numpy._core.multiarray", "_reconstruct")
    + named("numpy", "ndarray")
    + b"J\xff\xff\xff\x7f\x85C\x01b\x87R",
    "a slice": named("builtins", "slice") + b")R",
    "a set": called("builtins", "set", "abc"),
    "a dictionary": named("collections", "defaultdict") + named("numpy", "log1p") + b"\x85R",
    "bytes": called("_codecs", "encode", "abc", "zlib"),
    "random numbers": called("numpy.random._pickle", "__bit_generator_ctor", "os"),
    "a tree": named("sklearn.tree._tree", "Tree") + b"K\x01NJ\xff\xff\xff\x7f\x87R",
    "an element type": called("numpy", "dtype", "(2)f8,i4"),
    "a loss": called("sklearn._loss._loss", "CyHalfSquaredError", "x"),
    "a distance or neighbour tree": named("sklearn.neighbors._kd_tree", "newObj")
    + named("builtins", "str")
    + b"\x85R",
}


@pytest.mark.parametrize(("what", "content"), _ARGUMENTS.items(), ids=_ARGUMENTS)
def test_rebuilding_functions_take_only_what_frameworks_write(
    tmp_path: Path, what: str, content: bytes
) -> None:
    says = refusal(tmp_path / "model.pkl", b"\x80\x04" + content + STOP)
    assert says == f"it rebuilds {what} from arguments that no framework writes"


class State:
    """Something of numpy's whose pickle gives it a state of our own."""

    def __init__(self, made: Any, state: Any) -> None:
        self.made, self.state = made, state

    def __reduce__(self) -> tuple[Any, ...]:
        return (*self.made.__reduce__()[:2], self.state)


_PLAIN, _FIELDS = np.dtype("f8"), np.dtype([("a", "i4"), ("b", "f8")])
_OBJECTS = {"a": (np.dtype("O"), 0), "b": (_PLAIN, 4)}
_STATES = {
    "a list that is too short": (np.arange(3), (1, (10**8,), np.dtype("O"), False, [])),
    "a list in place of bytes": (np.arange(3), (1, (3,), _PLAIN, False, [])),
    "a size below zero": (np.arange(3), (1, (-1, -1), np.dtype("O"), False, [None])),
    "no shape": (np.arange(3), 0),
    "a state of a part less": (_PLAIN, (3, "<", None, -1, -1, 0)),
    "no parts": (_PLAIN, 0),
    "other flags": (_PLAIN, (3, "<", None, None, None, -1, -1, 2)),
    "fields of a number": (_PLAIN, (3, "<", None, ("a", "b"), _OBJECTS, 8, 1, 0)),
    "fields out of bounds": (_FIELDS, (3, "|", None, ("a",), {"a": (_PLAIN, 8)}, 12, 1, 16)),
    "fields that hide pointers": (_FIELDS, (3, "|", None, ("a", "b"), _OBJECTS, 12, 1, 16)),
    "fields of fields": (_FIELDS, (3, "|", None, ("a",), {"a": (_FIELDS, 0)}, 12, 1, 16)),
    "a part that is no type": (_FIELDS, (3, "|", None, ("a",), {"a": ("f8", 0)}, 12, 1, 16)),
}


@pytest.mark.parametrize(("made", "state"), _STATES.values(), ids=_STATES)
def test_numpy_is_given_only_states_that_it_writes(tmp_path: Path, made: Any, state: Any) -> None:
    says = refusal(tmp_path / "model.pkl", pickle.dumps(State(made, state), 2))
    what = "an array" if isinstance(made, np.ndarray) else "an element type"
    assert says.startswith(
        (f"it rebuilds {what} from arguments that no framework writes", "it cannot be read (")
    )


def test_a_state_is_given_once_and_before_use(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    dtype, array = pickle.dumps(_PLAIN, 2), pickle.dumps(np.arange(3), 2)
    for content, name in ((dtype, "numpy.dtypes.Float64DType"), (array, "numpy.ndarray")):
        assert refusal(path, content[:-1] + b"Nb.") == f"it changes {name} that is whole"
    unfinished = dtype[: dtype.index(b"(K\x03")]
    scalar = b"\x80\x02cnumpy._core.multiarray\nscalar\n" + unfinished[2:] + b"U\x01x\x86R."
    assert refusal(path, scalar) == "it uses numpy.dtypes.Float64DType that is not whole"
    reduced = b"\x80\x02cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    content = reduced + b"(K\x01K\x00\x85" + unfinished[2:] + b"\x89U\x00tb."
    assert refusal(path, content) == "it uses numpy.dtypes.Float64DType that is not whole"


def with_nodes(**changes: Any) -> Any:
    """Return a tree's pickle with another state."""
    made = DecisionTreeClassifier(max_depth=2).fit(X, Y).tree_
    state = made.__getstate__()
    for name, value in changes.items():
        if name in state:
            state[name] = value
        else:
            state["nodes"][name][0] = value
    return pickle.dumps(State(made, state), 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"node_count": 10**9},
        {"nodes": None},
        {"left_child": 0},
        {"left_child": 10**6},
        {"right_child": -1},
        {"right_child": -7},
        {"feature": 3},
        {"feature": -2},
    ],
    ids=str,
)
def test_a_tree_that_leads_out_of_itself_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(with_nodes())
    assert read_pickle(path).model.node_count > 1
    says = refusal(path, with_nodes(**changes))
    assert says == "it rebuilds a tree from arguments that no framework writes"


def test_an_array_of_any_number_of_elements_without_bytes_is_refused(tmp_path: Path) -> None:
    path, says = tmp_path / "model.joblib", "it holds an array of elements that take no bytes, "
    state = (1, (10**9,), np.dtype("V0"), False, b"")
    assert refusal(path, pickle.dumps(State(np.arange(3), state), 2)).startswith(says)
    for name in ("V0", "S0", "U0"):
        assert refusal(path, Wrapped((10**9,), name).pickled()).startswith(says)
