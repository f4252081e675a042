"""The steps of a compiled pipeline that take what is missing, or text: imputers and encoders."""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Row = list[Any]
    Step = Callable[[Row], Row]
    Entry = dict[str, Any]

_INFINITIES = (float("inf"), float("-inf"))
_SHOWN = 5
"""So many of an encoder's categories are named in a message."""


class Unfit(Exception):
    """A value that the model does not take: a clause that names the column, without a full stop."""


def label_of(origin: int, names: list[str]) -> str:
    """Return what a message calls a value: its column where it comes from one."""
    return f"column {names[origin]!r}" if origin >= 0 else "a value that the model computes from the columns"


def imputer(entry: Entry, names: list[str]) -> Step:
    """Return what puts a column's own value where one is missing."""
    missing, fill, keep, indicators = (entry[key] for key in ("missing", "fill", "keep", "indicators"))
    by_nan = missing != missing  # noqa: PLR0124 - only a NaN differs from itself

    def filled(row: Row) -> Row:
        if by_nan:
            return [put if value != value else value for value, put in zip(row, fill, strict=True)]  # noqa: PLR0124
        return [put if value == missing else value for value, put in zip(row, fill, strict=True)]

    if keep is None and not indicators:
        return filled

    def run(row: Row) -> Row:
        values = filled(row)
        if keep is not None:
            values = [values[place] for place in keep]
        for place in indicators:
            value = row[place]
            values.append(1.0 if (value != value if by_nan else value == missing) else 0.0)  # noqa: PLR0124
        return values

    return run


def one_hot(entry: Entry, names: list[str]) -> Step:
    """Return what makes a row of zeros with a 1.0 per column, where its category says."""
    width = entry["width"]
    tables = [{value: int(code) for value, code in _table(known).items()} for known in entry["columns"]]
    others = [_other(known, names) for known in entry["columns"]]

    def run(row: Row) -> Row:
        made = [0.0] * width
        for value, table, other in zip(row, tables, others, strict=True):
            place = table.get(value)
            if place is None:
                place = int(other(value))
            if place >= 0:
                made[place] = 1.0
        return made

    return run


def ordinal(entry: Entry, names: list[str]) -> Step:
    """Return what puts each category's code in its place."""
    tables = [_table(known) for known in entry["columns"]]
    others = [_other(known, names) for known in entry["columns"]]

    def run(row: Row) -> Row:
        made = []
        for value, table, other in zip(row, tables, others, strict=True):
            code = table.get(value)
            made.append(other(value) if code is None else code)
        return made

    return run


def _table(known: Entry) -> dict[Any, float]:
    return dict(zip(known["values"], known["codes"], strict=True))


def _other(known: Entry, names: list[str]) -> Callable[[Any], float]:
    """Return what gives the code of a value that is none of the categories: NaN, or one that is unknown."""
    missing, unknown = known["missing"], known["unknown"]
    label = label_of(known["origin"], names)

    def run(value: Any) -> float:
        is_nan = value != value  # noqa: PLR0124 - only a NaN differs from itself
        if is_nan and missing is not None:
            return float(missing)
        if value in _INFINITIES:
            raise Unfit(f"{label} is {value}, but the model's encoder takes finite numbers")
        if unknown is None:
            values = known["values"]
            told = ", ".join(repr(each) for each in values[:_SHOWN])
            more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
            raise Unfit(f"{label} is {'missing (NaN)' if is_nan else repr(value)}, but must be {told}{more}")
        return float(unknown)

    return run
