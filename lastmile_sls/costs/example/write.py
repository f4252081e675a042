"""Writes the invented month into a folder, laid out as each cloud delivers it."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lastmile_sls.costs.example import rows
from lastmile_sls.costs.example.month import charges, usage
from lastmile_sls.costs.example.names import outputs
from lastmile_sls.costs.usage import FIELDS
from lastmile_sls.errors import LastmileError

if TYPE_CHECKING:
    from lastmile_sls.costs.example.rows import Row

_README = """\
Synthetic bills, written by `lastmile costs --example`: every number is made up, and nothing was ever billed.

bills/ has a folder for each cloud, laid out as that one delivers its FOCUS exports; every row says in its column
x_Synthetic that it is made up.
usage.csv has invented counts of requests, outputs/ the invented outputs of two stacks. The report of all of it:

    lastmile costs bills --outputs outputs/breast-cancer-dev.json --outputs outputs/delivery-time-dev.json \\
        --usage usage.csv --html report.html
"""
_AWS = "bills/aws/synthetic/data/billing_period=2026-10/synthetic-00001.csv.gz"
_GCP = "bills/gcp/synthetic-000000000000.parquet"
_AZURE = "bills/azure/synthetic/20261001-20261031/part_1_0001.csv"


@dataclass(frozen=True)
class Example:
    """Where the invented month is."""

    bills: tuple[Path, ...]
    """The folders of the three clouds."""
    usage: Path
    outputs: tuple[Path, ...]


def write(folder: Path) -> Example:
    """Write it, the same bytes each time. Raises LastmileError when the folder cannot be written."""
    try:
        return _write(folder)
    except OSError as error:
        raise LastmileError(
            f"the example cannot be written to {folder}: {error.strerror or error}.", "Free space there."
        ) from error


def _write(folder: Path) -> Example:
    found = charges()
    aws, gcp, azure = ([c for c in found if c.cloud == cloud] for cloud in ("aws", "gcp", "azure"))
    text = _csv(rows.AWS_COLUMNS, rows.aws(aws), nothing="")
    _place(folder / _AWS).write_bytes(gzip.compress(text.encode(), mtime=0))
    # Azure writes NULL where there is nothing, in some exports.
    _place(folder / _AZURE).write_text(
        _csv(rows.AZURE_COLUMNS, rows.azure(azure), nothing="NULL"), newline=""
    )
    _parquet(_place(folder / _GCP), rows.gcp(gcp))
    (folder / "README.md").write_text(_README)
    counts = folder / "usage.csv"
    counts.write_text(_usage(), newline="")
    stacks = [_place(folder / "outputs" / f"{name}.json") for name in outputs()]
    for path, stack in zip(stacks, outputs().values(), strict=True):
        path.write_text(json.dumps(stack, indent=2))
    return Example(
        tuple(folder / "bills" / cloud for cloud in ("aws", "gcp", "azure")), counts, tuple(stacks)
    )


def _place(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _csv(columns: Sequence[str], found: Sequence[Row], nothing: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in found:
        writer.writerow([nothing if row.get(column) is None else row[column] for column in columns])
    return text.getvalue()


def _usage() -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    for row in usage():
        writer.writerow([row.day, row.model, row.environment, row.version, row.requests, row.duration_ms])
    return text.getvalue()


def _parquet(path: Path, found: Sequence[Row]) -> None:
    try:
        import duckdb
    except ImportError as error:
        raise LastmileError(
            "costs are read with DuckDB, which is not installed.",
            "Install it: pip install 'lastmile-sls[costs]'",
        ) from error
    columns = rows.GCP_COLUMNS
    with duckdb.connect() as connection:
        named = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        connection.execute(f"CREATE TABLE bill({named})")
        # The list of rows is one value, so that DuckDB takes it at once.
        struct = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        picked = ", ".join(f'one."{name}"' for name in columns)
        query = f"INSERT INTO bill SELECT {picked} FROM (SELECT unnest(CAST(? AS STRUCT({struct})[])) AS one)"
        connection.execute(query, [[{name: row.get(name) for name in columns} for row in found]])
        connection.table("bill").write_parquet(str(path))
