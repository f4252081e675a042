"""Files as DuckDB reads them: each opened once, those with the same columns together, CSV made Parquet on the way.

Every pass after this one reads columns of Parquet, so a CSV file is parsed, and unpacked, once. Lines that are no CSV rows
are counted.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lastmile_sls.costs.clean import literal, quoted
from lastmile_sls.costs.columns import Columns, NotFocusError, aside, columns_of
from lastmile_sls.costs.find import Found
from lastmile_sls.errors import LastmileError

if TYPE_CHECKING:
    import duckdb

_HEADER_BYTES = 1 << 20
_DELIMITERS = ",;\t|"
_LINE_BYTES = 16 << 20
"""The longest line of a CSV file that is read: tags of a resource have a few thousand characters."""
_EXAMPLE = 300
"""Characters of an example."""
_PATTERN = frozenset("*?[]")
_AGAIN = "Fetch or export it again: it was cut off or changed on its way."


@dataclass(frozen=True)
class Table:
    """A file as DuckDB reads it."""

    file: Found
    path: Path
    """Of Parquet: the file itself, or what its CSV was made into."""
    columns: Columns


@dataclass(frozen=True)
class Scan:
    """Files with the same columns."""

    columns: Columns
    tables: tuple[Table, ...]

    @property
    def relation(self) -> str:
        """What SQL reads them by; `file_index` is a row's place in `tables`."""
        return relation(table.path for table in self.tables)


@dataclass(frozen=True)
class Opened:
    """What could be opened."""

    scans: tuple[Scan, ...]
    dirty: tuple[tuple[str, str, int, str | None], ...] = ()
    """File, reason, lines, an example."""
    aside: tuple[tuple[Found, str], ...] = field(default=())
    """Files of FOCUS's other datasets, which have no charges."""


def relation(paths: Iterable[Path]) -> str:
    """Return what SQL reads files of Parquet by."""
    return f"read_parquet([{', '.join(literal(str(path)) for path in paths)}], hive_partitioning = false)"


def open_files(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Found], folder: Path, tell: Callable[[str], None]
) -> Opened:
    """Open files.

    Args:
        connection: What reads them.
        files: Those to open.
        folder: Where CSV files are made Parquet.
        tell: Told what is done.

    Raises LastmileError for a file that is cut off, damaged, not FOCUS or cannot be read.
    """
    tables: dict[tuple[tuple[str, str], ...], list[Table]] = {}
    dirty: list[tuple[str, str, int, str | None]] = []
    others: list[tuple[Found, str]] = []
    for number, named in enumerate(files):
        file = replace(named, path=_plain(named.path, folder / f"{number}.link"))
        if len(files) > 20 and number % 20 == 0:
            tell(f"{number} of {len(files)} files opened")
        is_csv = not file.name.lower().endswith(".parquet")
        described = _csv_columns(file) if is_csv else _parquet_columns(connection, file)
        if what := aside(described):
            others.append((file, what))
            continue
        columns, path = columns_of(file.name, described), file.path
        if is_csv:
            tell(f"{file.name} is read")
            path = folder / f"{number}.made.parquet"
            dirty += _make_parquet(connection, file, described, path)
        tables.setdefault(columns.all, []).append(Table(file, path, columns))
    if not tables:
        raise _only_aside(others)
    return Opened(
        tuple(Scan(found[0].columns, tuple(found)) for found in tables.values()), tuple(dirty), tuple(others)
    )


def _plain(path: Path, link: Path) -> Path:
    """Return a file's path, or a link to it, without what DuckDB takes for a pattern of several files' names."""
    if not _PATTERN.intersection(str(path)):
        return path
    link.symlink_to(path.absolute())
    return link


def told(error: Exception, file: str) -> LastmileError:
    """Return DuckDB's refusal of a file in our words."""
    text = str(error)
    if "GZIP" in text:
        cut = "is cut off" if "end of" in text else "is not gzip, though its name says so"
        return LastmileError(f"{file} cannot be read: it {cut}.", _AGAIN)
    if "Out of Memory" in text or "Out of disk" in text or "No space left" in text:
        return LastmileError(
            f"{file} takes more room than there is: {text.splitlines()[0]}",
            "Read one billing period at a time, or free disk space where TMPDIR points.",
        )
    if any(
        sign in text
        for sign in ("magic bytes", "too small to be", "ecompression", "Failed to read", "Corrupt")
    ):
        return LastmileError(
            f"{file} cannot be read: it is damaged, or cut off, and no whole Parquet file.", _AGAIN
        )
    return LastmileError(f"{file} cannot be read: {text.splitlines()[0]}", _AGAIN)


def _only_aside(others: Sequence[tuple[Found, str]]) -> LastmileError:
    file, what = others[0]
    return NotFocusError(
        f"{file.name} is FOCUS's dataset of {what}, which has no charges.",
        "Give the dataset of cost and usage.",
    )


def _parquet_columns(connection: duckdb.DuckDBPyConnection, file: Found) -> list[tuple[str, str]]:
    import duckdb

    try:
        rows = connection.execute(f"DESCRIBE SELECT * FROM {relation([file.path])}").fetchall()
    except duckdb.Error as error:
        raise told(error, file.name) from error
    return [(str(row[0]), str(row[1])) for row in rows]


def _csv_columns(file: Found) -> list[tuple[str, str]]:
    """Return a CSV file's columns, all text; of two with one name the later gets a number."""
    names = _header(file)
    found: dict[str, str] = {}
    for place, name in enumerate(names):
        plain = name.strip() or f"column{place}"
        found[f"{plain}_{place}" if plain.lower() in {known.lower() for known in found} else plain] = (
            "VARCHAR"
        )
    return list(found.items())


def _header(file: Found) -> list[str]:
    line = _first_line(file)
    return next(csv.reader([line], delimiter=_delimiter(line)), [])


def _delimiter(line: str) -> str:
    return max(_DELIMITERS, key=line.count)


def _first_line(file: Found) -> str:
    try:
        with gzip.open(file.path) if file.name.lower().endswith(".gz") else file.path.open("rb") as stream:
            raw = stream.readline(_HEADER_BYTES)
    except (OSError, EOFError) as error:
        cut = isinstance(error, EOFError)
        raise LastmileError(
            f"{file.name} cannot be read: it is {'cut off' if cut else 'not gzip, or not readable'}.", _AGAIN
        ) from error
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise LastmileError(f"{file.name} is UTF-16, but CSV is read as UTF-8.", "Save it as UTF-8.")
    try:
        return raw.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise LastmileError(
            f"{file.name} is no text in UTF-8: {error.reason}.", "Save it as UTF-8."
        ) from error


def _make_parquet(
    connection: duckdb.DuckDBPyConnection, file: Found, described: Sequence[tuple[str, str]], path: Path
) -> list[tuple[str, str, int, str | None]]:
    """Write a CSV file's rows as Parquet and return what is to be said of the lines that are none.

    DuckDB gives up on a file whose lines end in both ways; such a one is read from a copy in which they end in one.
    """
    import duckdb

    is_packed = file.name.lower().endswith(".gz")
    try:
        try:
            rejected = _copy_rows(
                connection, file.path, described, path, _first_line(file), is_packed=is_packed
            )
        except duckdb.InvalidInputException as error:
            if "invalid state" not in str(error):
                raise
            copy = path.with_suffix(".csv")
            _unify_lines(file.path, copy, is_packed=is_packed)
            rejected = _copy_rows(connection, copy, described, path, _first_line(file), is_packed=False)
            copy.unlink()
    except duckdb.Error as error:
        raise told(error, file.name) from error
    return [
        (file.name, f"a line is no CSV row: {kind.lower()}", count, example[:_EXAMPLE])
        for kind, count, example in rejected
    ]


def _copy_rows(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    described: Sequence[tuple[str, str]],
    path: Path,
    header: str,
    *,
    is_packed: bool,
) -> list[tuple[str, int, str]]:
    """Write CSV's rows as Parquet and return of the other lines, by what is wrong, how many and the first."""
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name, _ in described)
    names = ", ".join(quoted(name) for name, _ in described)
    connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
    connection.execute(
        f"COPY (SELECT {names} FROM read_csv({literal(str(source))}, auto_detect = false, header = true, "
        f"columns = {{{columns}}}, delim = {literal(_delimiter(header))}, quote = '\"', escape = '\"', "
        f"compression = '{'gzip' if is_packed else 'none'}', max_line_size = {_LINE_BYTES}, store_rejects = true, "
        f"rejects_limit = 0)) TO {literal(str(path))} (FORMAT parquet, COMPRESSION snappy)"
    )
    return connection.execute(
        "SELECT kind, count(*), min_by(content, line) FROM (SELECT line, any_value(CAST(error_type AS VARCHAR)) AS kind, "
        "any_value(csv_line) AS content FROM reject_errors GROUP BY line) GROUP BY kind ORDER BY kind"
    ).fetchall()


def _unify_lines(source: Path, copy: Path, *, is_packed: bool) -> None:
    with gzip.open(source) if is_packed else source.open("rb") as lines, copy.open("wb") as out:
        for line in lines:
            out.write(line[:-2] + b"\n" if line.endswith(b"\r\n") else line)
