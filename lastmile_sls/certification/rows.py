"""Rows to certify with: the sample, random ones, every threshold and its neighbours, and what no training set has."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lastmile_sls.inspection.facts import ColumnFacts

Value = float | int | bool | str
Row = list[Value]

RANDOM_ROWS = 500
MOST_THRESHOLDS = 4000
_FLOAT32_MAX = 3.4028234663852886e38
_EXTREMES = (0.0, -0.0, 1.0, -1.0, 1e-45, -1e-40, 5e-324, 1e30, -1e30, _FLOAT32_MAX, 1e308, -1e308)
_INTEGER_LIMITS = {"INT8": 7, "INT16": 15, "INT32": 31, "INT64": 53}
_UNSEEN = ("", "lastmile: unseen", "\u00e4\u4e2d\U0001f600")


@dataclass(frozen=True)
class Rows:
    """Rows of one kind."""

    kind: str
    """`sample`, `random`, `thresholds`, `missing`, `infinite`, `unseen` or `extreme`."""
    rows: list[Row]


def generate(
    columns: Sequence[ColumnFacts],
    *,
    sample: Sequence[Row] = (),
    thresholds: Mapping[int, Iterable[float]] | None = None,
    categories: Mapping[int, Sequence[Value]] | None = None,
    seed: int = 0,
) -> list[Rows]:
    """Return rows of every kind that the columns can have, always the same ones.

    Args:
        columns: The model's columns, with the ranges and categories that were seen.
        sample: Rows as the model takes them.
        thresholds: Where the compiled model decides, by the column's index.
        categories: The categories that it knows, by the column's index.
        seed: Of the random rows.
    """
    draw = random.Random(seed)  # noqa: S311 - not for secrets
    decides = {index: sorted(set(values)) for index, values in (thresholds or {}).items()}
    drawn = _Columns(columns, decides, categories or {}, draw)
    found = [
        Rows("sample", [list(row) for row in sample]),
        Rows("random", [drawn.row() for _ in range(RANDOM_ROWS)]),
        Rows("thresholds", _at_thresholds(drawn, decides)),
        Rows("missing", _with(drawn, lambda index: [math.nan] if drawn.is_float(index) else [])),
        Rows("infinite", _with(drawn, lambda index: [math.inf, -math.inf] if drawn.is_float(index) else [])),
        Rows("unseen", _with(drawn, drawn.unseen)),
        Rows("extreme", _with(drawn, drawn.extremes)),
    ]
    return [rows for rows in found if rows.rows]


class _Columns:
    """Draws values of each column."""

    def __init__(
        self,
        columns: Sequence[ColumnFacts],
        thresholds: Mapping[int, Sequence[float]],
        categories: Mapping[int, Sequence[Value]],
        draw: random.Random,
    ) -> None:
        self.columns = columns
        self._thresholds = thresholds
        self._categories = categories
        self._draw = draw

    def row(self) -> Row:
        return [self.value(index) for index in range(len(self.columns))]

    def value(self, index: int) -> Value:
        column = self.columns[index]
        known = self._categories.get(index) or column.categories
        if known:
            return self._draw.choice(list(known))
        if column.datatype == "BYTES":
            return self._draw.choice(_UNSEEN)
        if column.datatype == "BOOL":
            return self._draw.random() < 0.5
        low, high = self._range(index)
        value = self._draw.uniform(low, high)
        return value if self.is_float(index) else self._whole(column.datatype, value)

    def unseen(self, index: int) -> list[Value]:
        if self.columns[index].datatype == "BYTES":
            return list(_UNSEEN)
        if self._categories.get(index):
            known = [int(value) for value in self._categories[index] if not isinstance(value, str)]
            return [self.typed(index, value) for value in (-1, max(known, default=0) + 1, 10**6, 0.5)]
        return []

    def extremes(self, index: int) -> list[Value]:
        datatype = self.columns[index].datatype
        if datatype in ("BYTES", "BOOL"):
            return []
        return [self.typed(index, value) for value in _EXTREMES]

    def typed(self, index: int, value: float) -> Value:
        """Return a number as the column holds it."""
        datatype = self.columns[index].datatype
        if datatype == "FP32":
            return min(max(value, -_FLOAT32_MAX), _FLOAT32_MAX)
        return value if self.is_float(index) else self._whole(datatype, value)

    def is_float(self, index: int) -> bool:
        return self.columns[index].datatype.startswith("FP")

    def _whole(self, datatype: str, value: float) -> int:
        unsigned = datatype.startswith("U")
        bits = _INTEGER_LIMITS.get(datatype.removeprefix("U"), 53) + unsigned
        high: int = 2 ** min(bits, 53) - 1
        return max(0 if unsigned else -high - 1, min(high, round(value)))

    def _range(self, index: int) -> tuple[float, float]:
        """Return from where to where values are drawn: what was seen, what is decided about, and a little beyond."""
        column = self.columns[index]
        known = [value for value in (column.minimum, column.maximum) if value is not None]
        finite = [*known, *(value for value in self._thresholds.get(index, ()) if abs(value) < 1e300)]
        low, high = (min(finite), max(finite)) if finite else (-3.0, 3.0)
        beyond = (high - low) / 10 or 1.0
        return low - beyond, high + beyond


def _at_thresholds(drawn: _Columns, thresholds: Mapping[int, Sequence[float]]) -> list[Row]:
    """Return random rows with one value exactly at, just below and just above a threshold, in either precision."""
    places = [(index, value) for index, values in thresholds.items() for value in values]
    step = max(1, -(-len(places) // MOST_THRESHOLDS))
    found = []
    for index, threshold in places[::step]:
        base = drawn.row()
        for value in near(threshold):
            row = base.copy()
            row[index] = drawn.typed(index, value)
            found.append(row)
    return found


def near(threshold: float) -> list[float]:
    """Return a threshold and the numbers beside it, as float64 and as float32 have them."""
    if not math.isfinite(threshold):
        return [threshold]
    found = {threshold, math.nextafter(threshold, math.inf), math.nextafter(threshold, -math.inf)}
    if abs(threshold) <= _FLOAT32_MAX:
        single = struct.unpack("f", struct.pack("f", threshold))[0]
        found |= {single, _beside(single, 1), _beside(single, -1)}
    return sorted(value for value in found if not math.isnan(value))


def _beside(single: float, step: int) -> float:
    """Return the next float32 above (step 1) or below (-1) a float32."""
    if single == 0:
        return math.copysign(1.401298464324817e-45, step)
    bits = struct.unpack("i", struct.pack("f", single))[0] + (step if single > 0 else -step)
    found: float = struct.unpack("f", struct.pack("i", bits))[0]
    return found


def _with(drawn: _Columns, values: Callable[[int], list[Value]]) -> list[Row]:
    """Return random rows with each of a column's special values, and one with all that are."""
    found: list[Row] = []
    everywhere = drawn.row()
    for index in range(len(drawn.columns)):
        for value in values(index):
            row = drawn.row()
            row[index] = value
            everywhere[index] = value
            found.append(row)
    return [*found, everywhere] if found else []
