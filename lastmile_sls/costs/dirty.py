"""Rows that cannot be counted, or are odd: how many of each file, why, and one of them to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lastmile_sls.costs import clean
from lastmile_sls.costs.clean import literal, text
from lastmile_sls.costs.columns import COSTS, Columns
from lastmile_sls.costs.scan import Opened, Table, relation

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

DIRTY = "file VARCHAR, reason VARCHAR, rows BIGINT, example VARCHAR, counted BOOLEAN"
"""`counted`: whether the rows are in the cube none the less."""
_FAULTS = {clean.fault_reason(number): number for number in (1, 2, 3, 4, 11, 12)}
_MOST_EXAMPLES = 50
"""Looking for one reads the file again, up to the row."""
_SHOWN = (
    "billedcost",
    "effectivecost",
    "listcost",
    "contractedcost",
    "billingcurrency",
    "chargeperiodstart",
    "billingperiodstart",
    "servicename",
    "resourceid",
)


def make_dirty(connection: Connection, opened: Opened) -> None:
    """Make the table `dirty` from the sums and what could not be read as rows."""
    connection.execute(f"CREATE TABLE dirty ({DIRTY})")
    for file, reason, rows, example in opened.dirty:
        connection.execute("INSERT INTO dirty VALUES (?, ?, ?, ?, false)", [file, reason, rows, example])
    cases = " ".join(f"WHEN s.fault = {number} THEN {literal(reason)}" for reason, number in _FAULTS.items())
    connection.execute(f"""
        INSERT INTO dirty SELECT f.file, reason, sum(rows), NULL, false FROM (
            SELECT s.scan, d.part, s.rows, CASE {cases}
                WHEN NOT {clean.is_currency("d.currency")} THEN {literal(clean.CURRENCY_REASON)}
                WHEN s.day IS NULL THEN {literal(clean.DAY_REASON)} END AS reason
            FROM sums s JOIN dimensions d ON s.scan = d.scan AND s.h = d.h) x
            JOIN files f ON f.scan = x.scan AND f.part = x.part
        WHERE reason IS NOT NULL GROUP BY f.file, reason;
        INSERT INTO dirty SELECT f.file, {literal(clean.OUTSIDE_REASON)}, sum(rows), NULL, true
        FROM facts x JOIN files f ON f.scan = x.scan AND f.part = x.part
        WHERE x.counted AND (x.day < x.period OR x.day >= x.period_end) GROUP BY f.file""")
    tables = {table.file.name: table for scan in opened.scans for table in scan.tables}
    missing = connection.execute(
        "SELECT file, reason FROM dirty WHERE example IS NULL ORDER BY rows DESC"
    ).fetchall()
    for file, reason in missing[:_MOST_EXAMPLES]:
        connection.execute(
            "UPDATE dirty SET example = ? WHERE file = ? AND reason = ?",
            [_example(connection, tables[file], reason), file, reason],
        )


def _example(connection: Connection, table: Table, reason: str) -> str | None:
    """Return one row of a file that a reason fits, as JSON."""
    columns = table.columns
    shown = ", ".join(f"{clean.quoted(columns.names[name])}" for name in _SHOWN if name in columns.names)
    costs = ", ".join(f"{clean.money(columns, name)} AS {name}" for name in COSTS)
    empties = ", ".join(f"{clean.empty(columns, name)} AS no_{name}" for name in COSTS)
    row = connection.execute(f"""
        SELECT CAST(shown AS VARCHAR) FROM (
            SELECT to_json(struct_pack({", ".join(f"{n} := {n}" for n in shown.split(", "))})) AS shown,
                {costs}, {empties}, {_odd(columns, reason)} AS odd FROM {relation([table.path])})
        WHERE {f"{clean.fault()} = {_FAULTS[reason]}" if reason in _FAULTS else "odd"} LIMIT 1""").fetchone()
    return str(row[0]) if row else None


def _odd(columns: Columns, reason: str) -> str:
    """Return whether a reason that is none of a cost's fits a row."""
    day = clean.day(columns, "chargeperiodstart")
    match reason:
        case clean.CURRENCY_REASON:
            currency = text(columns, "billingcurrency")
            return f"NOT {clean.is_currency(f'upper({currency})')}"
        case clean.DAY_REASON:
            return f"({day}) IS NULL"
        case clean.OUTSIDE_REASON:
            period, end = (clean.day(columns, name) for name in ("billingperiodstart", "billingperiodend"))
            return f"({day}) < ({period}) OR ({day}) >= ({end})"
        case _ if reason in _FAULTS:
            return "false"
        case _:
            raise ValueError(f"nothing is known of {reason!r}")
