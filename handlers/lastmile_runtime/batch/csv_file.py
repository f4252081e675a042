"""CSV (RFC 4180) with its columns' names in the first line, cut at the ends of rows: a quoted text may have lines."""

from __future__ import annotations

import csv
import io

from lastmile_runtime.batch.pieces import FileRefused, Piece, Place, Refused, name_outputs
from lastmile_runtime.batch.source import BOM, MOST_ROW_BYTES, Source, end_of_line
from lastmile_runtime.protocols import rows
from lastmile_runtime.protocols.predictions import encodable

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from lastmile_runtime.batch.pieces import Outputs
    from lastmile_runtime.manifest import Version
    from lastmile_runtime.tensors import Tensor


class Reader:
    """A CSV file."""

    def __init__(self, source: Source, columns: list[str] | None = None) -> None:
        """Read its first line, unless its columns are known. Raises FileRefused, StoreError."""
        self._source = source
        self.length = source.size
        self.columns: list[str] = self._read_header()[0] if columns is None else columns

    def start(self) -> Place:
        """Return where the first row begins."""
        return self._read_header()[1]

    def pieces(self, piece_bytes: int, place: Place) -> Iterator[Piece]:
        """Cut what follows a place into pieces, each of whole rows."""
        return self._source.pieces(piece_bytes, place, end_of_row)

    def bytes_of(self, piece: Piece) -> int:
        """Return how many bytes a piece has."""
        return piece.end - piece.start

    def read(self, piece: Piece) -> CsvPart:
        """Return a piece's rows."""
        return CsvPart(self.columns, self._source.read(piece.start, piece.end), piece.line)

    def _read_header(self) -> tuple[list[str], Place]:
        columns, start = _read_header(self._source.read(0, MOST_ROW_BYTES))
        if start.at == MOST_ROW_BYTES < self.length:
            raise FileRefused(f"it is not CSV: its first line has more than {MOST_ROW_BYTES} bytes.")
        return columns, start


class CsvPart:
    """Rows of CSV, each a list of texts."""

    def __init__(self, columns: list[str], content: bytes, line: int) -> None:
        self._columns = columns
        self._lines: list[int] = []
        self.rows: list[list[str]] = []
        self.refused: list[Refused] = []
        try:
            text, is_text = content.decode(), True
        except UnicodeDecodeError:
            text, is_text = content.decode("utf-8", "surrogateescape"), False
        for at, row, error in _records(text):
            reason = error or self._reason(row, is_text=is_text)
            if reason is None:
                self._lines.append(line + at)
                self.rows.append(row)
            else:
                self.refused.append(Refused(line + at, reason, encodable(row)))

    def _reason(self, row: list[str], *, is_text: bool) -> str | None:
        """Return why a row cannot be predicted; None for one that can."""
        if len(row) != len(self._columns):
            return f"it has {len(row)} values, but the file has {len(self._columns)} columns."
        return None if is_text or _is_text(row) else "it is not UTF-8."

    def groups(self, version: Version) -> list[list[int]]:
        """Return all rows: they have the same columns."""
        return [list(range(len(self.rows)))]

    def inputs(self, indices: Sequence[int], version: Version) -> list[Tensor]:
        """Return the inputs for some rows, of the columns that the version takes."""
        used = rows.used_columns(self._columns, version)
        chosen = [self.rows[index] for index in indices]
        if used != self._columns:
            places = [self._columns.index(name) for name in used]
            chosen = [[row[place] for place in places] for row in chosen]
        return rows.from_texts(used, chosen, version)

    def render(self, kept: Sequence[int], outputs: Sequence[Outputs], like: Outputs) -> bytes:
        """Return CSV; an output with several values for a row has a column for each, `name_0`, `name_1`."""
        flat = [_flatten(found) for found in outputs]
        names = name_outputs([_flatten(like), *flat], self._columns)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*self._columns, *names.values()])
        writer.writerows(
            [*self.rows[index], *[found.get(name, "") for name in names]]
            for index, found in zip(kept, flat, strict=True)
        )
        return text.getvalue().encode("utf-8", "surrogateescape")

    def refuse(self, index: int, reason: str) -> Refused:
        """Return what is said of a row that cannot be predicted."""
        values = dict(zip(self._columns, self.rows[index], strict=True))
        return Refused(self._lines[index], reason, values)


def end_of_row(content: bytes, least: int) -> int | None:
    """Return where the first row ends that ends at or after so many bytes; None when none does.

    Where no quote is, every line is a row; elsewhere the rows are read as they will be when they are predicted.
    """
    if b'"' not in content:
        return end_of_line(content, least)
    text = content.decode("utf-8", "surrogateescape")
    least_letters = len(content[:least].decode("utf-8", "surrogateescape"))
    lines = io.StringIO(text, newline="")
    for _ in _steps(csv.reader(lines, strict=True)):
        end = lines.tell()
        if end >= least_letters and text[end - 1] == "\n":
            return len(text[:end].encode("utf-8", "surrogateescape"))
    return None


def _read_header(content: bytes) -> tuple[list[str], Place]:
    """Return the columns, and where the first row begins. Raises FileRefused."""
    mark = len(BOM) if content.startswith(BOM) else 0
    if not content[mark:].strip():
        raise FileRefused("it is empty; a CSV file begins with the names of its columns.")
    text = io.StringIO(content[mark:].decode("utf-8", "surrogateescape"), newline="")
    reader = csv.reader(text, strict=True)
    try:
        columns = next(row for row in reader if row)
        head = text.getvalue()[: text.tell()].encode()
    except csv.Error as error:
        raise FileRefused(f"it is not CSV: {error} in the first line.") from error
    except UnicodeEncodeError as error:
        raise FileRefused("it is not CSV: the first line is not UTF-8.") from error
    if "\0" in "".join(columns):
        raise FileRefused("it is not CSV: the first line has a zero byte.")
    twice = [name for place, name in enumerate(columns) if name in columns[:place]]
    if twice:
        raise FileRefused(f"its first line has the name {twice[0]!r} twice.")
    return columns, Place(mark + len(head), head.count(b"\n") + 1)


def _records(text: str) -> Iterator[tuple[int, Any, str | None]]:
    """Yield each row: the lines before it, its values, or its text and why it is no row. Blank lines are none."""
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, strict=True)
    at, end = 0, 0
    for row, error in _steps(reader):
        if error is not None:
            broken = text[end : lines.tell()].rstrip("\r\n")
            yield at, broken, f"it is not CSV: {error}."
        elif row:
            yield at, row, None
        at, end = reader.line_num, lines.tell()


def _steps(reader: Any) -> Iterator[tuple[list[str], csv.Error | None]]:
    """Yield each row of a reader, and its error for one that is none; it goes on with the line after that."""
    while True:
        try:
            for row in reader:
                yield row, None
        except csv.Error as error:
            yield [], error
        else:
            return


def _is_text(row: list[str]) -> bool:
    try:
        "".join(row).encode()
    except UnicodeEncodeError:
        return False
    return True


def _flatten(outputs: Outputs) -> Outputs:
    found: Outputs = {}
    for name, value in outputs.items():
        if isinstance(value, list):
            found.update({f"{name}_{place}": inner for place, inner in enumerate(_values(value))})
        else:
            found[name] = value
    return found


def _values(value: Any) -> list[Any]:
    return [inner for entry in value for inner in _values(entry)] if isinstance(value, list) else [value]
