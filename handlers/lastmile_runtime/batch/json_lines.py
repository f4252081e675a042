"""JSON lines (jsonlines.org): an object of values by name on each line."""

from __future__ import annotations

from lastmile_runtime import jsons, tensors
from lastmile_runtime.batch.pieces import Piece, Place, Refused, free_name
from lastmile_runtime.batch.source import BOM, Source, end_of_line
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
    """A file of JSON lines."""

    def __init__(self, source: Source, columns: list[str] | None = None) -> None:
        """Read nothing yet."""
        self._source = source
        self.length = source.size
        self.columns = columns

    def start(self) -> Place:
        """Return where the first line begins, after a byte order mark."""
        return Place(len(BOM) if self._source.read(0, len(BOM)) == BOM else 0, 1)

    def pieces(self, piece_bytes: int, place: Place) -> Iterator[Piece]:
        """Cut what follows a place into pieces, each of whole lines."""
        return self._source.pieces(piece_bytes, place, end_of_line)

    def bytes_of(self, piece: Piece) -> int:
        """Return how many bytes a piece has."""
        return piece.end - piece.start

    def read(self, piece: Piece) -> JsonPart:
        """Return a piece's lines."""
        return JsonPart(self._source.read(piece.start, piece.end), piece.line)


class JsonPart:
    """Objects, each on a line."""

    def __init__(self, content: bytes, line: int) -> None:
        self._lines: list[int] = []
        self.rows: list[dict[str, Any]] = []
        self.refused: list[Refused] = []
        for place, text in enumerate(content.split(b"\n"), line):
            if not text.strip():
                continue
            try:
                row, reason = jsons.loads(text.decode()), "it must be an object of values by name."
            except UnicodeDecodeError:
                row, reason = None, "it is not UTF-8."
            except (ValueError, RecursionError) as error:
                row, reason = None, f"it is not JSON: {error}."
            if type(row) is dict and row:
                self._lines.append(place)
                self.rows.append(row)
            else:
                shown = encodable(text.rstrip(b"\r").decode("utf-8", "surrogateescape"))
                self.refused.append(Refused(place, reason, shown))

    def groups(self, version: Version) -> list[list[int]]:
        """Return the rows by the names that they have: in company, one without a name would get no value for it."""
        found: dict[frozenset[str], list[int]] = {}
        for index, row in enumerate(self.rows):
            found.setdefault(frozenset(rows.used_columns(list(row), version)), []).append(index)
        return list(found.values())

    def inputs(self, indices: Sequence[int], version: Version) -> list[Tensor]:
        """Return the inputs for some rows that have the same names, of those that the version takes."""
        used = rows.used_columns(list(self.rows[indices[0]]), version)
        return rows.from_records(
            [{name: self.rows[index][name] for name in used} for index in indices], version
        )

    def render(self, kept: Sequence[int], outputs: Sequence[Outputs], like: Outputs) -> bytes:
        """Return JSON lines: each row with its outputs."""
        return b"".join(
            _predicted(self.rows[index], found) for index, found in zip(kept, outputs, strict=True)
        )

    def refuse(self, index: int, reason: str) -> Refused:
        """Return what is said of a row that cannot be predicted."""
        return Refused(self._lines[index], reason, self.rows[index])


def render_refused(refused: Sequence[Refused], place: str) -> bytes:
    """Return a file of errors, in the order of the rows; `place` is what a row's place is called."""
    told = sorted(refused, key=lambda row: row.place)
    return b"".join(_line({place: row.place, "reason": row.reason, "row": row.row}) for row in told)


def _predicted(row: dict[str, Any], outputs: Outputs) -> bytes:
    named = {free_name(name, row): value for name, value in outputs.items()}
    try:
        return jsons.dumps({**row, **named}).encode() + b"\n"
    except ValueError:
        return _line({**row, **encodable(named)})


def _line(document: dict[str, Any]) -> bytes:
    try:
        return jsons.dumps(document).encode() + b"\n"
    except ValueError:  # a NaN, an infinity, or half of a surrogate pair
        return jsons.dumps(tensors.finite(document), ensure_ascii=True).encode() + b"\n"
