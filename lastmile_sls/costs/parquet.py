"""What was counted as one Parquet file: FOCUS's columns as they were, and beside them whose each row is."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lastmile_sls.costs import clean, sums
from lastmile_sls.costs.clean import literal, quoted
from lastmile_sls.costs.columns import COSTS, Columns
from lastmile_sls.costs.read import Reading
from lastmile_sls.costs.scan import Scan
from lastmile_sls.errors import LastmileError

if TYPE_CHECKING:
    import duckdb

OWN = {
    "x_Model": "model",
    "x_ModelEnvironment": "environment",
    "x_ModelVersion": "version",
    "x_ModelOwner": "owner",
    "x_ModelCostCenter": "cost_center",
    "x_AttributedBy": "attributed_by",
}
"""The columns that are added, by FOCUS's rule for columns of one's own, and what each has of the cube."""
_MOMENTS = ("chargeperiodstart", "chargeperiodend", "billingperiodstart", "billingperiodend")
_NUMBERS = (
    "commitmentdiscountquantity",
    "consumedquantity",
    "contractedunitprice",
    "listunitprice",
    "pricingquantity",
)


def write_parquet(reading: Reading, path: Path) -> int:
    """Write the rows that were counted and return how many, streaming; the file is whole or not there.

    Costs are exact decimals with 24 digits after the point, moments UTC, tags JSON, all else text as it was. Raises
    LastmileError when it cannot be written.
    """
    import duckdb

    names = _names(reading.scans)
    selects = " UNION ALL ".join(
        _select(number, scan, names, exported=reading.exported) for number, scan in enumerate(reading.scans)
    )
    reading.connection.execute("""
        CREATE OR REPLACE TABLE whose AS SELECT DISTINCT scan, t, r, model, environment, version, owner, cost_center,
            attributed_by FROM facts;
        CREATE OR REPLACE TABLE kept AS SELECT DISTINCT scan, h, day FROM facts WHERE counted""")
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
        os.close(descriptor)
        rows = _copy(reading.connection, selects, temporary)
        Path(temporary).replace(path)
    except (OSError, duckdb.IOException) as error:
        raise LastmileError(
            f"{path} could not be written: {str(error).splitlines()[0]}.",
            "Is the folder there, and is there room?",
        ) from error
    finally:
        Path(temporary).unlink(missing_ok=True) if temporary else None
    return rows


def _copy(connection: duckdb.DuckDBPyConnection, selects: str, path: str) -> int:
    row = connection.execute(
        f"COPY ({selects}) TO {literal(path)} (FORMAT parquet, COMPRESSION zstd)"
    ).fetchone()
    return int(row[0]) if row else 0


def _names(scans: tuple[Scan, ...]) -> dict[str, str]:
    """Return all files' columns: each name as the first file that has it writes it, by the name in lower case."""
    found: dict[str, str] = {}
    own = {name.lower() for name in OWN}
    for scan in scans:
        for key, name in scan.columns.names.items():
            if key not in own:
                found.setdefault(key, name)
    return found


def _select(number: int, scan: Scan, names: dict[str, str], *, exported: bool) -> str:
    columns = scan.columns
    values = ", ".join(f"{_value(columns, key)} AS {quoted(f'c{place}')}" for place, key in enumerate(names))
    shown = ", ".join(f"{quoted(f'c{place}')} AS {quoted(name)}" for place, name in enumerate(names.values()))
    own = ", ".join(
        f"CASE WHEN a.scan IS NULL THEN b.{column} ELSE a.{column} END AS {quoted(name)}"
        for name, column in OWN.items()
    )
    costs = ", ".join(f"{clean.money(columns, name)} AS {name}" for name in COSTS)
    empties = ", ".join(f"{clean.empty(columns, name)} AS no_{name}" for name in COSTS)
    return f"""
        SELECT {shown}, {own} FROM (
            SELECT {values}, {costs}, {empties}, {sums.key_of(columns, exported=exported)} AS h,
                {clean.day(columns, "chargeperiodstart")} AS day, {sums.tags_of(columns)} AS t,
                {sums.resource_of(columns)} AS r
            FROM {scan.relation}) x
            JOIN kept k ON k.scan = {number} AND k.h = x.h AND k.day = x.day
            LEFT JOIN whose a ON a.scan = {number} AND a.t = x.t AND a.r = x.r
            LEFT JOIN whose b ON b.scan = {number} AND b.t = x.t AND b.r IS NULL
        WHERE {clean.fault()} = 0"""


def _value(columns: Columns, key: str) -> str:
    """Return a column's value in the type that it has in all files."""
    if key in COSTS:
        return clean.money(columns, key)
    if key in _MOMENTS:
        return clean.moment(columns, key)
    if key in _NUMBERS:
        return f"TRY_CAST({quoted(columns.names[key])} AS DOUBLE)" if key in columns.names else "NULL::DOUBLE"
    if key in columns.names and columns.is_nested(key):
        return f"CAST(to_json({quoted(columns.names[key])}) AS VARCHAR)"
    return clean.text(columns, key)
