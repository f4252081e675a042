"""Evaluates a forest file in Python, where no native library is: a hundred times slower, and the same bits."""

from __future__ import annotations

from array import array
from math import isfinite, isnan

from lastmile_runtime.forest_format import (
    ALL,
    CATEGORY,
    EXACT,
    FEATURE,
    FINITE,
    FLOAT32,
    LEAF,
    MATCH,
    MATCH_SHIFT,
    MISSING_LEFT,
    TRUNCATED,
    ZERO_IS_MISSING,
    Layout,
)
from lastmile_runtime.forest_transform import transform

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

_ZERO_THRESHOLD = array("f", [1e-35])[0]
"""LightGBM's kZeroThreshold."""
_NAN = float("nan")
_FORMATS = frozenset(("d", "f", "i", "l", "q"))


class Forest:
    """A forest file, checked; what the native module's class of this name is."""

    __slots__ = ("_layout", "columns", "features", "metadata", "outputs")

    def __init__(self, content: bytes) -> None:
        self._layout = layout = Layout(content)
        self.features: int = layout.features
        self.outputs: int = layout.outputs
        self.columns: int = len(transform(layout, [0.0] * layout.outputs))
        self.metadata: bytes = layout.metadata

    def evaluate(self, rows: Any) -> tuple[list[float], list[float]]:
        """Return (margins, values), flat lists of rows x outputs and rows x columns.

        Rows are a list of numbers, a list of lists, or a C-contiguous buffer of float64, float32, int64 or int32, of
        one dimension or two. Raises ValueError or TypeError naming the row and what is wrong.
        """
        layout = self._layout
        numbers = _numbers(rows, layout.features)
        _cast(layout, numbers)
        margins: list[float] = []
        values: list[float] = []
        for start in range(0, len(numbers), layout.features):
            sums = _margins(layout, numbers[start : start + layout.features])
            margins += sums
            values += transform(layout, sums)
        return margins, values


def load(file: Any) -> Forest:
    """Check a forest file and return it as a Forest. Raises ValueError saying what is wrong where."""
    return Forest(bytes(memoryview(file)))


def _margins(layout: Layout, row: list[float]) -> list[float]:
    narrow = layout.accumulate == FLOAT32
    # What is put into an array of float32 is rounded to it.
    margins = array("f" if narrow else "d", layout.base)
    for first, _, output, width, _ in layout.trees:
        at = first
        value, packed, left = layout.nodes[at]
        while not packed & LEAF:
            at = left + _goes_right(layout, at, row[packed & FEATURE])
            value, packed, left = layout.nodes[at]
        if width == 1:
            margins[output] += value
            continue
        begin = layout.vectors[at]
        for index in range(width):
            margins[output + index] += layout.leaf_values[begin + index]
    for index in range(layout.outputs):
        margins[index] /= layout.divide
    return margins.tolist()


def _goes_right(layout: Layout, at: int, value: float) -> bool:
    threshold, packed, _ = layout.nodes[at]
    if isnan(value):
        return not packed & MISSING_LEFT
    if packed & CATEGORY:
        return not _is_member(layout, at, value)
    if packed & ZERO_IS_MISSING and -_ZERO_THRESHOLD <= value <= _ZERO_THRESHOLD:
        return not packed & MISSING_LEFT
    return bool(value > threshold)


def _is_member(layout: Layout, at: int, value: float) -> bool:
    match = (layout.nodes[at][1] & MATCH) >> MATCH_SHIFT
    first, words = layout.vectors[at] & 0xFFFFFFFF, layout.vectors[at] >> 32
    if value <= -1 or (value < 0 and match != TRUNCATED) or value >= words * 32:
        return False
    whole = int(value)
    # -0.5 is category 0 without its fraction, which an empty set does not have.
    if whole >= words * 32 or (match == EXACT and whole != value):
        return False
    return bool(layout.words[first + whole // 32] >> whole % 32 & 1)


def _cast(layout: Layout, numbers: list[float]) -> None:
    """Round to the type that the model takes, and make what stands for missing NaN; in place.

    Raises ValueError for a value that the model does not take.
    """
    if layout.cast == FLOAT32:
        numbers[:] = array("f", numbers)
    if layout.has_missing:
        numbers[:] = [_NAN if value == layout.missing else value for value in numbers]
    if layout.accepts == ALL:
        return
    for index, value in enumerate(numbers):
        if isfinite(value) or (isnan(value) and layout.accepts != FINITE):
            continue
        row, feature = divmod(index, layout.features)
        if isnan(value):
            raise ValueError(f"row {row}, feature {feature} is NaN, but the model takes finite numbers only")
        raise ValueError(f"row {row}, feature {feature} is infinite or too large for the model")


def _numbers(rows: Any, features: int) -> list[float]:
    """Return rows as a flat list of new floats."""
    if not isinstance(rows, list):
        return _of_buffer(rows, features)
    if not rows or not isinstance(rows[0], list):
        _require_whole_rows(len(rows), features)
        return _floats(rows, 0, features)
    numbers: list[float] = []
    for index, row in enumerate(rows):
        if not isinstance(row, list):
            raise TypeError(f"row {index} is a {type(row)!r}, but must be a list as the rows before it")
        if len(row) != features:
            raise ValueError(f"row {index} has {len(row)} values, but the model takes {features}")
        numbers += _floats(row, index * features, features)
    return numbers


def _floats(values: list[Any], first: int, features: int) -> list[float]:
    numbers = array("d")
    for index, value in enumerate(values, first):
        row, feature = divmod(index, features)
        try:
            numbers.append(value)
        except TypeError:
            raise TypeError(
                f"row {row}, feature {feature} is a {type(value)!r}, but must be a number"
            ) from None
        except OverflowError:
            raise ValueError(f"row {row}, feature {feature} is infinite or too large for the model") from None
    return numbers.tolist()


def _of_buffer(rows: Any, features: int) -> list[float]:
    try:
        view = memoryview(rows)
    except TypeError:
        raise TypeError(f"rows must be a list or a buffer, but is a {type(rows)!r}") from None
    if not view.c_contiguous:
        raise ValueError("rows is not C-contiguous")
    if view.format.lstrip("@=<") not in _FORMATS:
        raise TypeError(
            f"rows holds items of the format {view.format}, but must hold float64, float32, int64 or int32"
        )
    if view.ndim not in (1, 2):
        raise ValueError(f"rows has {view.ndim} dimensions, but must have 1 or 2")
    if view.ndim == 2 and view.shape is not None and view.shape[1] != features:
        raise ValueError(f"row 0 has {view.shape[1]} values, but the model takes {features}")
    _require_whole_rows(view.nbytes // view.itemsize, features)
    flat: Any = view.cast("B").cast(view.format.lstrip("@=<")) if view.nbytes else []  # type: ignore[call-overload]
    return [float(value) for value in flat]


def _require_whole_rows(values: int, features: int) -> None:
    if values % features:
        raise ValueError(
            f"rows holds {values} values, which is no multiple of the {features} that the model takes"
        )
