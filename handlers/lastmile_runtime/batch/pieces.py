"""What a file is cut into, what is read of it, and why it is refused."""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from typing import Any, Protocol

    from lastmile_runtime.manifest import Version
    from lastmile_runtime.tensors import Tensor

    class Reader(Protocol):
        """A file of one format. Every method raises FileRefused for what is none, and StoreError."""

        columns: list[str] | None
        """Of a table; None where each row names its values."""
        length: int
        """In the unit of its pieces' places: bytes, or rows."""

        def pieces(self, piece_bytes: int, place: Place) -> Iterator[Piece]:
            """Cut what follows a place into pieces of about so many bytes, each of whole rows; there is always a first."""

        def bytes_of(self, piece: Piece) -> int:
            """Return about how many bytes a piece has."""

        def start(self) -> Place:
            """Return where the first row begins."""

        def read(self, piece: Piece) -> Part:
            """Return a piece's rows."""

    class Part(Protocol):
        """Rows in memory."""

        rows: Sequence[Any]
        """Those that can be predicted."""
        refused: list[Refused]
        """Those that cannot be read."""

        def groups(self, version: Version) -> list[list[int]]:
            """Return the indices of the rows that may be predicted together."""

        def inputs(self, indices: Sequence[int], version: Version) -> list[Tensor]:
            """Return the inputs for some rows. Raises RequestError (400)."""

        def render(self, kept: Sequence[int], outputs: Sequence[Outputs], like: Outputs) -> bytes:
            """Return a file of some rows, each with its outputs, which are mostly like these, beside its own values."""

        def refuse(self, index: int, reason: str) -> Refused:
            """Return what is said of a row that cannot be predicted."""

    Outputs = dict[str, Any]
    """What was predicted for a row, by output."""


class FileRefused(Exception):
    """A file that cannot be scored until it is another one."""


@dataclass(frozen=True)
class Place:
    """Between two rows of a file."""

    at: int
    """In bytes, or in rows, from the file's start."""
    line: int
    """The number of the next line, or row; the file's first is 1."""
    number: int = 0
    """The next piece's."""


@dataclass(frozen=True)
class Piece:
    """Whole rows of a file, one after another."""

    number: int
    start: int
    end: int
    line: int
    """Of its first row."""

    def to_json(self) -> dict[str, int]:
        """Return it as messages have it."""
        return {"number": self.number, "start": self.start, "end": self.end, "line": self.line}


@dataclass(frozen=True)
class Refused:
    """A row without predictions, and why."""

    place: int
    """Its line in the file, or of Parquet its number; the first is 1."""
    reason: str
    row: Any
    """Its values, or what it is instead of a row."""


def name_outputs(outputs: Sequence[Outputs], columns: Sequence[str]) -> dict[str, str]:
    """Return the column of each output, in their order: its name, with `predicted_` before it where a column has that."""
    names: dict[str, str] = {}
    for found in outputs:
        for name in found:
            if name not in names:
                names[name] = free_name(name, columns)
    return names


def free_name(name: str, columns: Container[str]) -> str:
    """Return a name that no column has."""
    while name in columns:
        name = f"predicted_{name}"
    return name
