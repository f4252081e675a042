"""What a scikit-learn model says about itself, in a joblib or pickle file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from numbers import Integral
from pathlib import Path
from typing import Any

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ColumnFacts, ModelFacts, numbered_columns
from lastmile_sls.inspection.refused import RefusedPickleError
from lastmile_sls.inspection.unpickler import Unpickled, read_pickle

NAME = "sklearn"
LABEL = "scikit-learn (joblib or pickle)"

_HEADS = (b"\x80", b"\x78", b"\x1f\x8b", b"BZ", b"\x5d\x00", b"\xfd7zXZ", b"\x04\x22\x4d\x18", b"ZF")
_SUFFIXES = (".joblib", ".pickle", ".pkl", ".sav")
_TRUST = (
    "Loading it could run any code. If the file is your own, `lastmile init --trust` loads it all the same "
    "and writes `trusted: true`."
)
_TRUSTED_NOTE = (
    "It was loaded with --trust, so it could run any code; deploy only files that you made yourself."
)
_INNER = (
    "steps",
    "transformers_",
    "transformer_list",
    "best_estimator_",
    "estimator_",
    "estimator",
    "estimators_",
)
_MAX_COLUMNS = 100_000
_MAX_DEPTH = 12
_MAX_HOLDERS, _MAX_HOLDERS_DEPTH = 1_000_000, 64
_MAX_CATEGORIES = 20
_DATATYPES = {
    "b": "BOOL", "i": "INT64", "u": "UINT64", "f": "FP64", "O": "BYTES", "U": "BYTES", "S": "BYTES", "T": "BYTES",
}  # fmt: skip


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether a file is a pickle, compressed or not."""
    return head.startswith(_HEADS) or path.suffix in _SUFFIXES


def read(path: Path, *, trust: bool = False) -> ModelFacts:
    """Return what the model says. Without `trust` nothing in the file can run code.

    Raises LastmileError for a file that holds anything but a model, or when scikit-learn is not installed.
    """
    if _installed("scikit-learn") is None:
        raise LastmileError(
            f"{path.name} is a pickle, and reading it takes scikit-learn, which is not installed.",
            "Install it: pip install 'lastmile-sls[sklearn]'",
        )
    unpickled = _trusted(path) if trust else _checked(path)
    try:
        facts = _describe(path, unpickled)
    except LastmileError:
        raise
    except Exception as error:  # a crafted file can make a framework's code raise anything
        raise LastmileError(
            f"{path.name} holds a model that is not whole: {type(error).__name__}: {error}.", "Save it again."
        ) from error
    return facts.with_note(_TRUSTED_NOTE) if trust else facts


def check_pickle(path: Path) -> None:
    """Raise LastmileError when loading the file could run code that is not a framework's own."""
    _checked(path)


def _checked(path: Path) -> Unpickled:
    try:
        unpickled = read_pickle(path)
        _check_unfolded(unpickled.model)
    except RefusedPickleError as error:
        raise LastmileError(f"{path.name} is refused: {error}.", error.hint or _TRUST) from error
    return unpickled


def _check_unfolded(model: Any) -> None:
    """Refuse a model that holds the same parts over and over: scikit-learn would look at each of them in turn."""
    from sklearn.base import BaseEstimator

    holders = (BaseEstimator, dict, list, tuple)
    left, count = [(model, 0)], 0
    while left:
        part, depth = left.pop()
        count += 1
        if count > _MAX_HOLDERS or depth > _MAX_HOLDERS_DEPTH:
            raise RefusedPickleError(
                f"it holds parts in parts, more than {_MAX_HOLDERS} in all or {_MAX_HOLDERS_DEPTH} deep"
            )
        if isinstance(part, (dict, list, tuple)):
            inner = part.values() if isinstance(part, dict) else part
        else:
            inner = getattr(part, "__dict__", {}).values()
        left += [(value, depth + 1) for value in inner if isinstance(value, holders)]


def _trusted(path: Path) -> Unpickled:
    import joblib

    try:
        model = joblib.load(path)
    except Exception as error:  # whatever the file's own code raises
        raise LastmileError(
            f"{path.name} cannot be loaded: {type(error).__name__}: {error}.",
            "Run lastmile where the model's own packages are installed.",
        ) from error
    made_with: Any = getattr(model, "__getstate__", dict)()
    found = made_with.get("_sklearn_version") if isinstance(made_with, dict) else None
    return Unpickled(model, found, frozenset({type(model).__module__.split(".")[0]}))


def _describe(path: Path, unpickled: Unpickled) -> ModelFacts:
    model = unpickled.model
    outputs = () if isinstance(model, type) else tuple(_outputs(model))
    if not outputs:
        raise LastmileError(
            f"{path.name} holds {_article(type(model).__name__)}, which has neither predict nor transform.",
            "Save the fitted model itself: joblib.dump(model, path)",
        )
    columns = _columns(model)
    selects_by_name = any(isinstance(column, str) for column in _selected(model))
    frame = selects_by_name or any(column.datatype == "BYTES" for column in columns)
    facts = ModelFacts(
        framework=NAME,
        framework_version=unpickled.sklearn_version,
        requirements=_requirements(unpickled, frame=frame),
        inputs=columns,
        outputs=outputs,
        frame=frame,
        named=_names(model) is not None,
    )
    return replace(facts, notes=tuple(_notes(path, model, unpickled)))


def _columns(model: Any) -> tuple[ColumnFacts, ...]:
    names, count = _names(model), _attribute(model, "n_features_in_")
    if names is not None:
        columns = tuple(ColumnFacts(name, "FP64") for name in names)
    elif isinstance(count, int):
        if count > _MAX_COLUMNS:
            raise LastmileError(
                f"the model takes {count} columns, but at most {_MAX_COLUMNS} are served.",
                "Make them of fewer in the model itself, as a Pipeline whose first step takes what is sent.",
            )
        columns = numbered_columns(count)
    else:
        return ()
    known = dict(_categories(model))
    return tuple(
        replace(column, datatype="BYTES", categories=categories or None)
        if (categories := known.get(column.name, known.get(index))) is not None
        else column
        for index, column in enumerate(columns)
    )


def _names(model: Any) -> tuple[str, ...] | None:
    names = _attribute(model, "feature_names_in_")
    if names is None:
        return None
    if not all(isinstance(name, str) for name in names):
        raise ValueError("feature_names_in_ holds something else than text")
    return tuple(str(name) for name in names)


def _outputs(model: Any) -> Iterator[ColumnFacts]:
    classes = _attribute(model, "classes_")
    if _attribute(model, "predict") is None:
        if _attribute(model, "transform") is not None:
            yield ColumnFacts("transform", "FP64", (-1, -1))
        return
    wide = _attribute(model, "n_outputs_")
    shape = (-1, wide) if isinstance(wide, int) and wide > 1 else (-1,)
    yield ColumnFacts("predict", _label_datatype(model, classes), shape)
    if _attribute(model, "predict_proba") is not None and hasattr(classes, "dtype"):
        yield ColumnFacts("predict_proba", "FP64", (-1, len(classes)))


def _label_datatype(model: Any, classes: Any) -> str:
    from sklearn.base import BaseEstimator, is_regressor

    if isinstance(classes, list) and classes:
        classes = classes[0]
    if hasattr(classes, "dtype"):
        return _DATATYPES.get(classes.dtype.kind, "BYTES")
    if not isinstance(model, BaseEstimator):
        return "FP64"  # a trusted file's own class: the widest of the numbers
    return "FP64" if is_regressor(model) else "INT64"


@dataclass(frozen=True)
class _Selection:
    """A part of a model and the columns that it is given; None: all of them."""

    part: Any
    columns: Any


def _parts(part: Any, columns: Any = None, depth: int = 0) -> Iterator[_Selection]:
    """Yield a model and the models in it. A trusted one may hold itself, hence the depth."""
    yield _Selection(part, columns)
    if depth == _MAX_DEPTH:
        return
    for name in _INNER:
        inner = _attribute(part, name) if hasattr(part, "__dict__") and name in vars(part) else None
        for entry in inner if isinstance(inner, list) else [inner]:
            if isinstance(entry, tuple) and len(entry) in (2, 3):
                given = entry[2] if name == "transformers_" and len(entry) == 3 else columns
                yield from _parts(entry[1], given, depth + 1)
            elif hasattr(entry, "__dict__"):
                yield from _parts(entry, columns, depth + 1)


def _selected(model: Any) -> Iterator[Any]:
    """Yield what the model's column transformers select by: names or positions."""
    for selection in _parts(model):
        if isinstance(selection.columns, (list, tuple)):
            yield from selection.columns
        elif hasattr(selection.columns, "tolist"):
            yield from selection.columns.tolist()
        elif isinstance(selection.columns, str):
            yield selection.columns


def _categories(model: Any) -> Iterator[tuple[str | int, tuple[str, ...]]]:
    """Yield the columns that encoders know as text (by name or position), with what they may hold when that is few."""
    for selection in _parts(model):
        found = _attribute(selection.part, "categories_")
        if not isinstance(found, list):
            continue
        places = range(len(found)) if selection.columns is None else selection.columns
        places = list(places) if isinstance(places, (list, tuple, range)) else []
        for place, categories in zip(places, found, strict=False):
            texts = [value for value in getattr(categories, "tolist", list)() if isinstance(value, str)]
            if texts and isinstance(place, (str, Integral)):
                yield (
                    place if isinstance(place, str) else int(place),
                    tuple(texts) if len(texts) <= _MAX_CATEGORIES else (),
                )


def _requirements(unpickled: Unpickled, *, frame: bool) -> tuple[str, ...]:
    pinned = unpickled.sklearn_version or _installed("scikit-learn")
    found = [f"scikit-learn=={pinned}"]
    others = {
        package: _installed(package) for package in ("lightgbm", "xgboost") if package in unpickled.packages
    }
    found += [f"{package}=={installed}" for package, installed in others.items() if installed]
    return (*found, "pandas") if frame else tuple(found)


def _notes(path: Path, model: Any, unpickled: Unpickled) -> Iterator[str]:
    installed = _installed("scikit-learn")
    if unpickled.sklearn_version not in (None, installed):
        yield (
            f"{path.name} was made with scikit-learn {unpickled.sklearn_version}, but {installed} is installed here. "
            "Predictions may differ; install the one it was made with."
        )
    if _attribute(model, "n_features_in_") is None:
        yield (
            f"{type(model).__name__} does not say how many columns it takes, so it takes no table "
            "(texts, for example). Serve it through a Python class with a predict method."
        )
    if isinstance(_attribute(model, "classes_"), list):
        yield "It predicts several outputs at once, so predict_proba is left out."


def _attribute(model: Any, name: str) -> Any:
    """Return an attribute, or None: scikit-learn computes some from parts that may be missing, or be absurd."""
    try:
        return getattr(model, name, None)
    except Exception:  # noqa: BLE001 - see above: any of the framework's errors means the same
        return None


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
