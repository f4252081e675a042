from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from lastmile_sls.inspection.unpickler import read_pickle
from tests.lastmile_sls.inspection.test_unpickler import STOP, named, refusal, text

_ESTIMATOR = named("sklearn.base", "BaseEstimator") + b")\x81"
_METHODS = {
    "append": (b"a", "it fills sklearn.base.BaseEstimator as if it were a list"),
    "__setstate__": (b"b", "it sets how sklearn.base.BaseEstimator takes a state"),
}


@pytest.mark.parametrize(("method", "code", "says"), [(name, *rest) for name, rest in _METHODS.items()])
def test_a_value_is_not_called_as_a_method_that_a_state_has_set(
    tmp_path: Path, method: str, code: bytes, says: str
) -> None:
    mapped = tmp_path / "mapped"
    mapped.write_bytes(b"private")
    content = _ESTIMATOR + b"}" + text(method) + named("numpy", "memmap") + b"sb" + text(str(mapped)) + code
    assert refusal(tmp_path / "model.pkl", b"\x80\x04" + content + STOP) == says


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (b"", b"a", "list"),
        (b"(", b"e", "list"),
        (b"N", b"s", "dict"),
        (b"(N", b"u", "dict"),
        (b"(", b"\x90", "set"),
    ],
)
def test_only_containers_are_filled(tmp_path: Path, before: bytes, after: bytes, kind: str) -> None:
    says = refusal(tmp_path / "model.pkl", b"\x80\x04" + _ESTIMATOR + before + b"N" + after + STOP)
    assert says == f"it fills sklearn.base.BaseEstimator as if it were a {kind}"


def pairs_of_pairs(levels: int) -> bytes:
    """Return the operations that make a tuple of two, each the same tuple of two, and so on."""
    made = (2 * (b"h" + bytes([level])) + b"\x86\x940" for level in range(levels))
    return b")\x940" + b"".join(made) + b"h" + bytes([levels])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"}", b"Ns"),
        (b"}(", b"Nu"),
        (b"(", b"Nd"),
        (b"\x8f(", b"\x90"),
        (b"(", b"\x91"),
        (named("builtins", "set") + b"](", b"e\x85R"),
    ],
)
def test_keys_that_take_for_ever_to_be_hashed_are_refused(
    tmp_path: Path, before: bytes, after: bytes
) -> None:
    content = b"\x80\x04" + before + pairs_of_pairs(60) + after + STOP
    assert refusal(tmp_path / "model.pkl", content) == "it has tuples in tuples as keys, which no model needs"


def test_a_version_that_is_no_text_is_refused(tmp_path: Path) -> None:
    content = _ESTIMATOR + b"}" + text("_sklearn_version") + pairs_of_pairs(60) + b"sb"
    says = refusal(tmp_path / "model.pkl", b"\x80\x04" + content + STOP)
    assert says == "it names a version of scikit-learn that is no text"


@pytest.mark.parametrize("value", [frozenset([1, (2, 3)]), {(1, "a"): {1}}, [1, [2]], {1}, {}, []], ids=str)
def test_plain_containers_are_filled(tmp_path: Path, value: object) -> None:
    path = tmp_path / "model.pkl"
    for version in (4, 5):
        path.write_bytes(pickle.dumps(value, version))
        assert read_pickle(path).model == value
