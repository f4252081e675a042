"""What was billed as CSV, for a spreadsheet: one row by day, service, model, version and owner, with every digit.

A text that begins as a formula does is given a leading apostrophe, so that no spreadsheet runs what somebody wrote in a tag
(owasp.org/www-community/attacks/CSV_Injection, 2026-11-30). Amounts are ours and numbers, so they stand as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lastmile_sls.costs.clean import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TEXTS = (
    *("currency", "cloud", "service", "service_category", "charge"),
    *("model", "environment", "version", "owner", "cost_center", "attributed_by"),
)
_AMOUNTS = ("effective", "billed", "list", "contracted")
FIELDS = ("day", *_TEXTS, *_AMOUNTS, "rows")
_FORMULA = r"'^[=+@\t\r\n-]'"


def write(connection: DuckDBPyConnection, path: Path, *, synthetic: bool = False) -> None:
    """Write the rows that the report was made of, after `make` has chosen them.

    Raises duckdb.IOException where the file cannot be written.
    """
    picked = [
        "day",
        *(
            f"""CASE WHEN regexp_matches("{n}", {_FORMULA}) THEN '''' || "{n}" ELSE "{n}" END AS "{n}" """
            for n in _TEXTS
        ),
        *(f'{_exact(name)} AS "{name}"' for name in _AMOUNTS),
        '"rows"',
        *(["true AS synthetic"] if synthetic else []),
    ]
    rows = f"SELECT {', '.join(picked)} FROM costs_asked ORDER BY ALL"
    connection.execute(f"COPY ({rows}) TO {literal(str(path))} (FORMAT csv, HEADER)")


def _exact(name: str) -> str:
    """Return an amount as text without zeros at its end; the cube's amounts all have places after the point."""
    return f"""rtrim(rtrim(CAST("{name}" AS VARCHAR), '0'), '.')"""
