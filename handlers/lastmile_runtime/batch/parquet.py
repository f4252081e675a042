"""Parquet: rows of one row group after another, read without the rest of the file. PyArrow is imported here alone."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

import pyarrow as pa
import pyarrow.parquet as pq

from lastmile_runtime.batch.pieces import FileRefused, Piece, Place, Refused, name_outputs
from lastmile_runtime.batch.source import Source, SourceFile
from lastmile_runtime.protocols import rows
from lastmile_runtime.protocols.predictions import encodable

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from lastmile_runtime.batch.pieces import Outputs
    from lastmile_runtime.manifest import Version
    from lastmile_runtime.tensors import Tensor


_BUFFER_BYTES = 1 << 20
_BATCH_ROWS = 1024


class Reader:
    """A Parquet file."""

    def __init__(self, source: Source, columns: list[str] | None = None) -> None:
        """Read its footer. Raises FileRefused, StoreError."""
        try:
            self._file = pq.ParquetFile(SourceFile(source), buffer_size=_BUFFER_BYTES, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise FileRefused(f"it is not Parquet: {_first_line(error)}") from error
        self._schema = self._file.schema_arrow
        self.columns: list[str] = list(self._schema.names)
        if len(set(self.columns)) < len(self.columns):
            raise FileRefused("it has two columns with one name.")
        metadata = self._file.metadata
        groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
        self.length = int(metadata.num_rows)
        self._ends = list(accumulate(group.num_rows for group in groups))
        self._row_bytes: int = max(1, sum(group.total_byte_size for group in groups) // max(1, self.length))

    def start(self) -> Place:
        """Return where the first row begins."""
        return Place(0, 1)

    def pieces(self, piece_bytes: int, place: Place) -> Iterator[Piece]:
        """Cut what follows a place into pieces, each of rows of one row group."""
        most = max(1, piece_bytes // self._row_bytes)
        at, number = place.at, place.number
        while at < self.length or number == 0:
            group_end = self._ends[bisect_right(self._ends, at)] if at < self.length else 0
            end = min(at + most, group_end)
            yield Piece(number, at, end, at + 1)
            at, number = end, number + 1

    def bytes_of(self, piece: Piece) -> int:
        """Return about how many bytes a piece's values have, uncompressed."""
        return (piece.end - piece.start) * self._row_bytes

    def read(self, piece: Piece) -> ParquetPart:
        """Return a piece's rows."""
        try:
            return ParquetPart(self._rows(piece), piece.line)
        except (pa.ArrowException, OSError) as error:
            raise FileRefused(f"it cannot be read as Parquet: {_first_line(error)}") from error

    def _rows(self, piece: Piece) -> pa.Table:
        """Return some rows of a row group, never with more than a batch of others in memory."""
        if piece.start == piece.end:
            return self._schema.empty_table()
        group = bisect_right(self._ends, piece.start)
        at = self._ends[group - 1] if group else 0
        kept = []
        for batch in self._file.iter_batches(_BATCH_ROWS, row_groups=[group]):
            first, last = max(piece.start - at, 0), min(piece.end - at, batch.num_rows)
            if first < last:
                kept.append(batch.slice(first, last - first))
            at += batch.num_rows
            if at >= piece.end:
                break
        return pa.Table.from_batches(kept, self._schema)


class ParquetPart:
    """Rows of a table."""

    def __init__(self, table: pa.Table, first: int) -> None:
        self._table = table
        self._first = first
        self._values: dict[str, list[Any]] = {}
        self.rows = range(table.num_rows)
        self.refused: list[Refused] = []

    def groups(self, version: Version) -> list[list[int]]:
        """Return all rows: they have the same columns."""
        return [list(self.rows)]

    def inputs(self, indices: Sequence[int], version: Version) -> list[Tensor]:
        """Return the inputs for some rows, of the columns that the version takes."""
        used = rows.used_columns(self._table.column_names, version)
        columns = [self._column(name) for name in used]
        data = [[column[index] for column in columns] for index in indices]
        return rows.from_split({"columns": used, "data": data}, version)

    def render(self, kept: Sequence[int], outputs: Sequence[Outputs], like: Outputs) -> bytes:
        """Return Parquet: the rows as they were, and a column for each output."""
        table = self._table.take(pa.array(kept, pa.int64()))
        for name, column in name_outputs([like, *outputs], self._table.column_names).items():
            values = [like.get(name), *(found.get(name) for found in outputs)]
            table = table.append_column(column, _array(values).slice(1))
        written = pa.BufferOutputStream()
        pq.write_table(table, written)
        return bytes(written.getvalue())

    def refuse(self, index: int, reason: str) -> Refused:
        """Return what is said of a row that cannot be predicted."""
        row = self._table.slice(index, 1).to_pylist()[0]
        return Refused(self._first + index, reason, encodable(_plain(row)))

    def _column(self, name: str) -> list[Any]:
        """Return a column's values as Python has them, decimal numbers as floats."""
        if name not in self._values:
            column = self._table.column(name)
            if pa.types.is_decimal(column.type):
                column = column.cast(pa.float64())
            self._values[name] = [_as_text(value) for value in column.to_pylist()]
        return self._values[name]


def _array(values: list[Any]) -> pa.Array:
    """Return values as Arrow has them, texts that are not UTF-8 as bytes."""
    try:
        return pa.array(values)
    except UnicodeEncodeError:
        texts = (
            value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value for value in values
        )
        return pa.array(list(texts), pa.binary())


def _as_text(value: Any) -> Any:
    """Return bytes as tensors hold them."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; what JSON has not, such as a time, as its text."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return _as_text(value)
    return str(value)


def _first_line(error: Exception) -> str:
    return f"{(str(error).splitlines() or [type(error).__name__])[0]}."
