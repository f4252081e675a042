"""A sample of the model's inputs: a CSV file with a header, and what its columns hold."""

from __future__ import annotations

import contextlib
import csv
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ColumnFacts, ModelFacts

MAX_ROWS = 10_000
MAX_CATEGORIES = 20
_INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
"""No leading zeros: 00501 is a postal code, not a number."""
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_BOOLEANS = ("true", "false")
_MISSING = ("", "na", "nan", "null", "none")
_LABELS = ("target", "label", "y", "class", "outcome")


@dataclass(frozen=True)
class Sample:
    """The columns of a sample, with the ranges and categories seen."""

    name: str
    """The file's name, for messages."""
    columns: tuple[ColumnFacts, ...]
    cells: tuple[list[str], ...]
    """What stands in each of them, row by row."""


def read_sample(path: Path) -> Sample:
    """Return the columns of a CSV file; the first 10 000 rows are read.

    Raises LastmileError, naming file and line, for a file without header or rows, with rows of different
    lengths, repeated or empty names, or anything but UTF-8 text.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read(path, csv.reader(file, strict=True))
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise LastmileError(f"{path.name}:{line} is not UTF-8 text.", "Save it as CSV in UTF-8.") from error
    except OSError as error:
        raise LastmileError(f"{path} cannot be read: {error.strerror}.", "Name a CSV file.") from error


def _read(path: Path, reader: Iterator[list[str]]) -> Sample:
    lines = _lines(path, reader)
    names = _names(path, next(lines, (1, []))[1])
    cells: list[list[str]] = [[] for _ in names]
    for line, row in islice(lines, MAX_ROWS):
        if len(row) != len(names):
            raise LastmileError(
                f"{path.name}:{line} has {len(row)} cells, but the header has {len(names)}.", "Mend the line."
            )
        for column, cell in zip(cells, row, strict=True):
            column.append(cell.strip())
    if not cells[0]:
        raise LastmileError(f"{path.name} has a header and no rows.", "Add rows as the model takes them.")
    columns = tuple(_column(name, column) for name, column in zip(names, cells, strict=True))
    return Sample(path.name, columns, tuple(cells))


def _lines(path: Path, reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    line = 0
    try:
        for row in reader:
            line = getattr(reader, "line_num", 0)
            if row:
                yield line, row
    except csv.Error as error:
        raise LastmileError(f"{path.name}:{line + 1} is not CSV: {error}.", "Mend the line.") from error


def _names(path: Path, header: list[str]) -> list[str]:
    names = [name.strip() for name in header]
    if not names:
        raise LastmileError(f"{path.name} is empty.", "Give it a header and rows as the model takes them.")
    if len(names) == 1 and re.search(r"[;\t|]", names[0]):
        raise LastmileError(f"{path.name}:1 has one column, {names[0]!r}.", "Separate columns by commas.")
    if all(_NUMBER.fullmatch(name) for name in names):
        raise LastmileError(
            f"{path.name}:1 has numbers where the header belongs.", "Name the columns in line 1."
        )
    if "" in names:
        raise LastmileError(
            f"{path.name}:1 has no name for column {names.index('') + 1}.",
            "Name every column (an index has none).",
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise LastmileError(f"{path.name}:1 has the name {twice[0]!r} twice.", "Give each column its own.")
    return names


def _column(name: str, cells: list[str]) -> ColumnFacts:
    present = [cell for cell in cells if cell.lower() not in _MISSING]
    if not present:
        return ColumnFacts(name, "FP64")
    if all(cell.lower() in _BOOLEANS for cell in present):
        return ColumnFacts(name, "BOOL")
    whole = all(_INTEGER.fullmatch(cell) for cell in present)
    if whole or all(_NUMBER.fullmatch(cell) and not _padded(cell) for cell in present):
        numbers = [number for number in map(float, present) if math.isfinite(number)]
        datatype = "INT64" if whole and len(present) == len(cells) else "FP64"
        return ColumnFacts(
            name, datatype, minimum=min(numbers, default=None), maximum=max(numbers, default=None)
        )
    distinct = sorted(set(present))
    return ColumnFacts(name, "BYTES", categories=tuple(distinct) if len(distinct) <= MAX_CATEGORIES else None)


def _padded(cell: str) -> bool:
    return cell.isdigit() and not _INTEGER.fullmatch(cell)


def add_sample(facts: ModelFacts, sample: Sample) -> ModelFacts:
    """Return the facts with the sample's names (where the model has none), ranges and categories.

    One column more than the model takes is the label and is left out, with a note.
    Raises LastmileError when the columns differ from the model's, or hold text where it takes numbers.
    """
    if facts.framework == "python":
        return replace(facts, inputs=sample.columns)
    if facts.framework == "onnx":
        return facts.with_note("An ONNX model takes tensors, so the sample's ranges are not in its contract.")
    if not facts.inputs:
        return facts.with_note("The model does not say what it takes, so the sample was not compared.")
    columns, label = _matched(facts, sample)
    inputs = tuple(_merged(facts, ours, theirs) for ours, theirs in zip(facts.inputs, columns, strict=True))
    frame = facts.frame or any(column.datatype == "BYTES" for column in inputs)
    extra = "pandas" if frame and "pandas" not in facts.requirements else None
    requirements = (*facts.requirements, extra) if extra else facts.requirements
    merged = replace(facts, inputs=inputs, frame=frame, requirements=requirements, named=True)
    return (
        merged
        if label is None
        else merged.with_note(f"{sample.name} has the label {label}; it was left out.")
    )


def rows_of(
    facts: ModelFacts, sample: Sample, datatypes: Sequence[str]
) -> list[list[bool | int | float | str]]:
    """Return the sample's rows as the model takes them; a row that holds something else is left out.

    Args:
        facts: The model's, of one that takes a table.
        sample: The sample.
        datatypes: What its columns are sent as, in the model's order.

    Raises LastmileError when the columns differ from the model's.
    """
    columns, _ = _matched(facts, sample)
    place_of = {column.name: place for place, column in enumerate(sample.columns)}
    places = [place_of[column.name] for column in columns]
    found = []
    for row in zip(*(sample.cells[place] for place in places), strict=True):
        with contextlib.suppress(ValueError):
            found.append([_value(cell, datatype) for cell, datatype in zip(row, datatypes, strict=True)])
    return found


def _value(cell: str, datatype: str) -> bool | int | float | str:
    if datatype == "BYTES":
        return cell
    if datatype == "BOOL":
        return cell.lower() == "true"
    if not datatype.startswith("FP"):
        return int(cell)
    return math.nan if cell.lower() in _MISSING else float(cell)


def _matched(facts: ModelFacts, sample: Sample) -> tuple[list[ColumnFacts], str | None]:
    theirs = {column.name: column for column in sample.columns}
    if not facts.named:
        return _by_position(facts, sample)
    ours = [column.name for column in facts.inputs]
    known = set(ours)
    missing = [name for name in ours if name not in theirs]
    extra = [name for name in theirs if name not in known]
    if missing or len(extra) > 1:
        parts = [f"lacks {', '.join(missing)}"] if missing else []
        parts += [f"has {', '.join(extra)}, which the model does not take"] if extra else []
        raise LastmileError(
            f"the columns of {sample.name} differ from the model's: it {' and '.join(parts)}.",
            "Use the names that the model was trained with; one column more, the label, is allowed.",
        )
    return [theirs[name] for name in ours], extra[0] if extra else None


def _by_position(facts: ModelFacts, sample: Sample) -> tuple[list[ColumnFacts], str | None]:
    count, columns = len(facts.inputs), list(sample.columns)
    if len(columns) == count:
        return columns, None
    if len(columns) != count + 1:
        raise LastmileError(
            f"{sample.name} has {len(columns)} columns, but the model takes {count}.",
            "Give the columns that it was trained on, in that order; one more, the label, is allowed.",
        )
    label = next((column for column in columns if column.name.lower() in _LABELS), columns[-1])
    return [column for column in columns if column is not label], label.name


def _merged(facts: ModelFacts, ours: ColumnFacts, theirs: ColumnFacts) -> ColumnFacts:
    """Return a column with the model's type: the sample's whole numbers do not mean that 1.5 is wrong."""
    if theirs.datatype != "BYTES":
        return replace(ours, name=theirs.name, minimum=theirs.minimum, maximum=theirs.maximum)
    if facts.framework != "sklearn":
        raise LastmileError(
            f"the sample's column {theirs.name} holds text, but the model takes numbers.",
            "Give the column as it was in training.",
        )
    categories = ours.categories or theirs.categories
    return replace(ours, name=theirs.name, datatype="BYTES", categories=categories)
