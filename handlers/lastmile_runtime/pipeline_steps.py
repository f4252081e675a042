"""The steps of a compiled pipeline, each made into a function from a row to the next: lists of values.

lastmile_sls.compile.pipeline says what each step does. They raise Unfit for a value that the model does not take.
"""

from __future__ import annotations

import math
from _operator import add, itemgetter, mul, sub, truediv
from math import isfinite

from lastmile_runtime.pipeline_encoders import Unfit, imputer, label_of, one_hot, ordinal

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Row = list[Any]
    Step = Callable[[Row], Row]
    Entry = dict[str, Any]

_NAN, _INFINITY = float("nan"), float("inf")
_NEARLY_ZERO = 10 * 2.220446049250313e-16
"""scikit-learn takes a norm below ten times the distance from 1.0 to the next number for 0."""


def steps(entries: list[Entry], names: list[str]) -> Step | None:
    """Return what all the steps do to a row, one after the other; None when there are none.

    `names` are the columns', for messages. Raises KeyError for a kind of step that this runtime does not know.
    """
    made = [_KINDS[entry["kind"]](entry, names) for entry in entries]
    if len(made) < 2:
        return made[0] if made else None

    def run(row: Row) -> Row:
        for step in made:
            row = step(row)
        return row

    return run


def check(entry: Entry, names: list[str]) -> Step:
    """Return a function that gives a row back as it is, if the class takes it."""
    by, origins, lets_nan_through = entry["by"], entry["origins"], entry["refuses"] == "infinite"

    def run(row: Row) -> Row:
        try:
            if isfinite(sum(row)):
                return row
        except (TypeError, OverflowError):
            pass
        for value, origin in zip(row, origins, strict=True):
            if type(value) is str:
                raise Unfit(f"{label_of(origin, names)} is the text {value!r}, but {by} takes numbers")
            if value != value and not lets_nan_through:  # noqa: PLR0124 - only a NaN differs from itself
                raise Unfit(f"{label_of(origin, names)} is missing (NaN), but {by} takes no missing values")
            if value in (_INFINITY, -_INFINITY):
                raise Unfit(f"{label_of(origin, names)} is {value}, but {by} takes finite numbers")
        return row

    return run


def _select(entry: Entry, names: list[str]) -> Step:
    places = entry["places"]
    if len(places) < 2:
        return lambda row: [row[place] for place in places]
    get = itemgetter(*places)
    return lambda row: list(get(row))


def _standardize(entry: Entry, names: list[str]) -> Step:
    shift, scale, limit = entry["shift"], entry["scale"], entry["limit"]
    if limit is not None:
        inner = _standardize({**entry, "limit": None}, names)
        return lambda row: [_cut(value, -limit, limit) for value in inner(row)]
    if shift is None:
        return (lambda row: list(map(truediv, row, scale))) if scale else lambda row: list(map(float, row))
    if scale is None:
        return lambda row: list(map(sub, row, shift))
    return lambda row: list(map(truediv, map(sub, row, shift), scale))


def _rescale(entry: Entry, names: list[str]) -> Step:
    scale, shift, limits = entry["scale"], entry["shift"], entry["limits"]
    if limits is None:
        return lambda row: list(map(add, map(mul, row, scale), shift))
    low, high = limits
    return lambda row: [_cut(value, low, high) for value in map(add, map(mul, row, scale), shift)]


def _cut(value: float, low: float, high: float) -> float:
    return low if value < low else min(value, high)


def _normalize(entry: Entry, names: list[str]) -> Step:
    norm_of = _NORMS[entry["norm"]]

    def run(row: Row) -> Row:
        norm = norm_of(row)
        if norm < _NEARLY_ZERO:
            norm = 1.0
        return [value / norm for value in row]

    return run


_NORMS: dict[str, Callable[[Row], float]] = {
    "l1": lambda row: sum(map(abs, row)),
    "l2": lambda row: math.sqrt(sum([float(value) * value for value in row])),
    "max": lambda row: max(map(abs, row)),
}


def _binarize(entry: Entry, names: list[str]) -> Step:
    threshold = entry["threshold"]
    return lambda row: [1.0 if value > threshold else 0.0 for value in row]


def _apply(entry: Entry, names: list[str]) -> Step:
    function = FUNCTIONS[entry["function"]]

    def run(row: Row) -> Row:
        try:
            return [function(value) for value in row]
        except TypeError:
            text = next(value for value in row if type(value) is str)
            raise Unfit(f"a column is the text {text!r}, but {entry['function']} takes numbers") from None

    return run


def _guarded(function: Callable[[float], float], at: float = _NAN) -> Callable[[float], float]:
    """Return a function that is NaN where it is not defined, and -infinity at the one place `at`, as numpy has it."""

    def run(value: float) -> float:
        try:
            return function(value)
        except OverflowError:
            return _INFINITY
        except ValueError:
            return -_INFINITY if value == at else _NAN

    return run


FUNCTIONS: dict[str, Callable[[float], float]] = {
    "abs": lambda value: abs(float(value)),
    "exp": _guarded(math.exp),
    "expm1": _guarded(math.expm1),
    "log": _guarded(math.log, 0.0),
    "log10": _guarded(math.log10, 0.0),
    "log1p": _guarded(math.log1p, -1.0),
    "log2": _guarded(math.log2, 0.0),
    "negative": lambda value: -float(value),
    "sign": lambda value: float((value > 0) - (value < 0)) if value == value else value,  # noqa: PLR0124
    "sqrt": _guarded(math.sqrt),
    "square": lambda value: float(value) * value,
    "tanh": math.tanh,
}


def _polynomial(entry: Entry, names: list[str]) -> Step:
    terms = entry["terms"]

    def run(row: Row) -> Row:
        products = []
        for term in terms:
            product = 1.0
            for place in term:
                product *= row[place]
            products.append(product)
        return products

    return run


def _project(entry: Entry, names: list[str]) -> Step:
    components, offset, scale = entry["components"], entry["offset"], entry["scale"]

    def run(row: Row) -> Row:
        values: Row = [sum(map(mul, row, component)) for component in components]
        if offset is not None:
            values = list(map(sub, values, offset))
        return values if scale is None else list(map(truediv, values, scale))

    return run


def _branches(entry: Entry, names: list[str]) -> Step:
    branches = [steps(branch, names) or list for branch in entry["branches"]]

    def run(row: Row) -> Row:
        joined: Row = []
        for branch in branches:
            joined += branch(row)
        return joined

    return run


_KINDS: dict[str, Callable[[Entry, list[str]], Step]] = {
    "check": check,
    "select": _select,
    "standardize": _standardize,
    "rescale": _rescale,
    "normalize": _normalize,
    "binarize": _binarize,
    "apply": _apply,
    "impute": imputer,
    "one_hot": one_hot,
    "ordinal": ordinal,
    "polynomial": _polynomial,
    "project": _project,
    "branches": _branches,
}
