"""What a sample says about a model's columns: a CSV file with a header."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ColumnFacts

MAX_ROWS = 10_000
MAX_CATEGORIES = 20
_BOOLEANS = frozenset({"true", "false", "True", "False"})


def read_sample(path: Path) -> tuple[ColumnFacts, ...]:
    """Return the columns of a CSV file with their types, ranges and categories, from its first 10 000 rows.

    Raises LastmileError, naming file and line, for what is not a table with a header.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, rows = _rows(path, csv.reader(file, strict=True))
    except OSError as error:
        raise LastmileError(f"the sample {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise LastmileError(f"the sample {path} is not UTF-8 text.", "Save it as UTF-8.") from error
    except csv.Error as error:
        raise LastmileError(f"the sample {path} is not CSV: {error}.") from error
    return tuple(_column(name, [row[index] for row in rows]) for index, name in enumerate(header))


def match(
    path: Path, sample: Sequence[ColumnFacts], model: Sequence[ColumnFacts], *, named: bool
) -> tuple[ColumnFacts, ...]:
    """Return the model's columns with what the sample shows of them.

    A model that knows only how many columns it takes gets the sample's names, from the left. Columns that the
    model does not take (a label) are left out. Raises LastmileError when the sample lacks some.
    """
    if not model:
        return tuple(sample)
    if not named:
        if len(sample) < len(model):
            raise LastmileError(
                f"the sample {path.name} has {len(sample)} columns, but the model takes {len(model)}.",
                "Give a sample with the model's columns, in its order.",
            )
        return tuple(
            replace(seen, datatype=column.datatype) for seen, column in zip(sample, model, strict=False)
        )
    by_name = {column.name: column for column in sample}
    missing = [column.name for column in model if column.name not in by_name]
    if missing:
        extra = [name for name in by_name if name not in {column.name for column in model}]
        raise LastmileError(
            f"the sample {path.name} lacks the model's columns {', '.join(missing[:5])}; "
            f"it has, beyond the model's, {', '.join(extra[:5]) or 'none'}.",
            "Name the columns as the model does.",
        )
    return tuple(
        replace(by_name[column.name], datatype=_datatype(column, by_name[column.name])) for column in model
    )


def _datatype(model: ColumnFacts, seen: ColumnFacts) -> str:
    return seen.datatype if seen.datatype == "BYTES" else model.datatype


def _rows(path: Path, reader: object) -> tuple[list[str], list[list[str]]]:
    lines = iter(reader)  # type: ignore[call-overload]  # csv.reader's own type has no public name
    header: list[str] = next(lines, [])
    twice = sorted({name for name in header if header.count(name) > 1})
    if (
        not header
        or any(not name.strip() for name in header)
        or all(_number(name) is not None for name in header)
    ):
        raise LastmileError(f"{path}:1 has no header.", "Write the columns' names on the first line.")
    if twice:
        raise LastmileError(f"{path}:1 has the column {twice[0]!r} twice.", "Give each column its own name.")
    rows: list[list[str]] = []
    for row in lines:
        if len(row) != len(header):
            line = getattr(reader, "line_num", len(rows) + 2)
            raise LastmileError(f"{path}:{line} has {len(row)} values, but the header has {len(header)}.")
        rows.append(row)
        if len(rows) == MAX_ROWS:
            break
    if not rows:
        raise LastmileError(f"{path} has a header, but no rows.")
    return header, rows


def _column(name: str, values: list[str]) -> ColumnFacts:
    given = [value for value in values if value.strip()]
    numbers = [_number(value) for value in given]
    if given and all(value in _BOOLEANS for value in given):
        return ColumnFacts(name, "BOOL")
    if given and all(number is not None for number in numbers):
        finite = [number for number in numbers if number is not None and math.isfinite(number)]
        whole = all(value.strip().lstrip("+-").isdigit() for value in given) and len(given) == len(values)
        return ColumnFacts(
            name,
            "INT64" if whole else "FP64",
            minimum=min(finite, default=None),
            maximum=max(finite, default=None),
        )
    seen = tuple(sorted(set(given)))
    return ColumnFacts(name, "BYTES", categories=seen if 0 < len(seen) <= MAX_CATEGORIES else None)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
