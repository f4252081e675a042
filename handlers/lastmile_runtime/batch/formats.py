"""The formats of files: how their names end, and the module that reads and writes each."""

from __future__ import annotations

from importlib import import_module

from lastmile_runtime.batch.source import Source

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from lastmile_runtime.batch.pieces import Reader

SUFFIXES = {"csv": (".csv",), "jsonl": (".jsonl", ".ndjson"), "parquet": (".parquet",)}
"""In letters of any case; what is written ends in the first."""
_MODULES = {"csv": "csv_file", "jsonl": "json_lines", "parquet": "parquet"}
PLACES = {"csv": "line", "jsonl": "line", "parquet": "number"}
"""What the place of a row in its file is called in the errors file."""
_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")


def open_reader(kind: str, source: Source, columns: list[str] | None) -> Reader:
    """Return the reader of a file, whose columns may be known. Raises FileRefused, StoreError."""
    module = import_module(f"lastmile_runtime.batch.{_MODULES[kind]}")
    reader: Reader = module.Reader(source, columns)
    return reader


def is_of(kind: str, name: str) -> bool:
    """Tell whether a name is of a format."""
    return name.lower().endswith(SUFFIXES[kind])


def packed_by(kind: str, name: str) -> str | None:
    """Return what the name of a format's file that is packed ends in; None for any other name."""
    lower = name.lower()
    for end in _PACKED:
        if lower.endswith(end) and is_of(kind, lower.removesuffix(end)):
            return end
    return None
