"""FOCUS exports read: what is summed, what is left out and why, as tables of a DuckDB connection.

The tables are `cube`, `untagged`, `dirty` and `sources`; their columns are in `lastmile_sls.costs.tables`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from lastmile_sls.costs import sums, tables
from lastmile_sls.costs.deliveries import Sorted, deliveries_of
from lastmile_sls.costs.find import Finding, Found, find
from lastmile_sls.costs.resources import Owner, Owners
from lastmile_sls.costs.scan import Opened, Scan, open_files, told
from lastmile_sls.costs.stores import fetch, is_url
from lastmile_sls.errors import LastmileError

if TYPE_CHECKING:
    import duckdb

MEMORY_MB = 600
"""What DuckDB may keep in memory; beyond it, it writes to the temporary folder. The process takes some 200 MB more."""


@dataclass(frozen=True)
class Reading:
    """What was read. Close it, or use it in a `with`: it holds a temporary folder."""

    connection: duckdb.DuckDBPyConnection
    warnings: tuple[str, ...]
    """What a person should know of it, each a sentence without its point."""
    scans: tuple[Scan, ...] = field(repr=False)
    exported: bool = field(repr=False)
    """Whether Google's rows are told apart by the moment of their export."""
    folder: tempfile.TemporaryDirectory[str] = field(repr=False)

    def close(self) -> None:
        """Give back memory and disk."""
        self.connection.close()
        self.folder.cleanup()

    def __enter__(self) -> Reading:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read(
    files: Sequence[str],
    environ: Mapping[str, str],
    *,
    outputs: Sequence[Path] = (),
    tell: Callable[[str], None] = lambda _: None,
    memory_mb: int = MEMORY_MB,
) -> Reading:
    """Read FOCUS exports, versions 1.0 to 1.4.

    Args:
        files: Paths of files and folders, and URLs of buckets.
        environ: With the credentials for those.
        outputs: Files with stacks' outputs, as `pulumi stack output --json` prints them, to know resources without tags by.
        tell: Told now and then what is done.
        memory_mb: What DuckDB may keep in memory.

    Raises LastmileError for what is not there, cannot be read or is not FOCUS; nothing is read then.
    """
    if not files:
        raise LastmileError("no files were named.", "Name FOCUS exports, or try: lastmile costs --example")
    stacks = [_outputs(path) for path in outputs]
    folder = tempfile.TemporaryDirectory(prefix="lastmile-costs-")
    try:
        connection = _connect(Path(folder.name), memory_mb)
        sorted_ = deliveries_of(_finding(files, environ, Path(folder.name), tell))
        data = [file for delivery in sorted_.deliveries for file in delivery.files]
        opened = open_files(connection, data, Path(folder.name), tell)
        return _summed(connection, sorted_, opened, stacks, folder, tell)
    except BaseException:
        folder.cleanup()
        raise


def _summed(
    connection: duckdb.DuckDBPyConnection,
    sorted_: Sorted,
    opened: Opened,
    stacks: Sequence[Mapping[str, Any]],
    folder: tempfile.TemporaryDirectory[str],
    tell: Callable[[str], None],
) -> Reading:
    import duckdb

    exported = len(sorted_.deliveries) > 1 and any(
        "x_exporttime" in scan.columns.names for scan in opened.scans
    )
    connection.execute(sums.TABLES)
    name = ""
    try:
        for number, scan in enumerate(opened.scans):
            name = scan.tables[0].file.name
            sums.collect_dimensions(connection, number, scan, exported=exported)
            sums.collect_tags(connection, number, scan)
        if stacks:
            _collect_owned(connection, opened.scans, stacks)
        for number, scan in enumerate(opened.scans):
            name = scan.tables[0].file.name
            tell(f"{sum(len(scan.tables) for scan in opened.scans)} files are summed, now {name}")
            sums.collect_sums(connection, number, scan, exported=exported, owned=bool(stacks))
    except (duckdb.IOException, duckdb.InvalidInputException, duckdb.OutOfMemoryException) as error:
        raise told(error, name) from error
    warnings = tables.make(connection, sorted_, opened, exported=exported)
    return Reading(connection, warnings, opened.scans, exported, folder)


def _collect_owned(
    connection: duckdb.DuckDBPyConnection, scans: Sequence[Scan], stacks: Sequence[Mapping[str, Any]]
) -> None:
    """Fill `owned` with the resources that a stack's outputs have."""
    seen = connection.execute(
        "SELECT DISTINCT model, environment FROM tag_sets WHERE model IS NOT NULL AND environment IS NOT NULL"
    ).fetchall()
    owners = Owners(stacks, seen)
    found: dict[str, Owner] = {}
    for scan in scans:
        for ids in sums.resources(connection, scan):
            found |= {id_: owner for id_ in ids if (owner := owners.of(id_))}
    sums.insert_owned(connection, scans, found)


def _finding(
    named: Sequence[str], environ: Mapping[str, str], folder: Path, tell: Callable[[str], None]
) -> Finding:
    """Return what is named, in that order; what is named twice once."""
    files: dict[Path, Found] = {}
    manifests: dict[Path, Found] = {}
    for number, name in enumerate(named):
        if is_url(name):
            below = folder / str(number)
            below.mkdir()
            found = fetch(name, environ, below, tell)
        else:
            found = find([Path(name)])
        for file in found.files:
            files.setdefault(file.path.resolve(), file)
        manifests |= {file.path.resolve(): file for file in found.manifests}
    return Finding(tuple(files.values()), tuple(manifests.values()))


def _connect(folder: Path, memory_mb: int) -> duckdb.DuckDBPyConnection:
    """Return a connection that downloads nothing and keeps what is too much in a folder."""
    try:
        import duckdb
    except ImportError as error:
        raise LastmileError(
            "costs are read with DuckDB, which is not installed.",
            "Install it: pip install 'lastmile-sls[costs]'",
        ) from error
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": f"{memory_mb}MB",
            "preserve_insertion_order": "false",
            "temp_directory": str(folder / "duckdb"),
        }
    )
    connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
    return connection


def _outputs(path: Path) -> Mapping[str, Any]:
    hint = "Write it with: pulumi stack output --json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LastmileError(f"{path} cannot be read: {error.strerror or error}.", hint) from error
    except ValueError as error:
        raise LastmileError(f"{path} is not JSON: {error}.", hint) from error
    if not isinstance(document, dict) or "deployment" not in document:
        raise LastmileError(f"{path} holds no deployment's outputs: deployment is missing.", hint)
    return document
