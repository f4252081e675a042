"""The SQL that makes a file's own values into FOCUS's: texts, days and exact costs, and why a row cannot be counted. Pure.

A cost is DECIMAL(38, 24): 14 digits before the point, so a month in any currency fits, and 24 after it. A double has at most
17 digits that count, so with 24 after the point the shortest text that means the same double (which is how the cloud wrote
it, and what DuckDB's VARCHAR of it is) is kept whole from 0.0000001 on; below that the rest is rounded at the 24th digit.
Casting a double straight to a decimal would add digits that nobody wrote. Google's NUMERIC has 9 digits after the point.
"""

from __future__ import annotations

from lastmile_sls.costs.columns import COSTS, Columns

MONEY = "DECIMAL(38, 24)"
_QUICK = "DECIMAL(18, 12)"
_FLOATS = ("FLOAT", "DOUBLE")
_TIMES = ("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE")
NAMED = {
    "billedcost": "BilledCost",
    "effectivecost": "EffectiveCost",
    "listcost": "ListCost",
    "contractedcost": "ContractedCost",
}
DAY_REASON = "ChargePeriodStart is no date"
CURRENCY_REASON = "BillingCurrency is not a currency's three letters"
OUTSIDE_REASON = "the charge period starts outside its billing period"


def quoted(name: str) -> str:
    """Return an identifier as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def text(columns: Columns, *names: str) -> str:
    """Return the first of some columns that has a value, as text; empty texts and `NULL` are none."""
    found = [_text(columns, name) for name in names if name in columns.names]
    if not found:
        return "NULL::VARCHAR"
    return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"


def moment(columns: Columns, name: str) -> str:
    """Return a moment in UTC as a TIMESTAMP; NULL for what is none.

    A text without a zone is UTC, as FOCUS says. `9/18/2024` has the month first, as Azure writes it.
    """
    if name not in columns.names:
        return "NULL::TIMESTAMP"
    column = quoted(columns.names[name])
    if columns.types[name] in _TIMES:
        return f"CAST({column} AS TIMESTAMP)"
    slashes = "['%m/%d/%Y', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %I:%M:%S %p']"
    return (
        f"coalesce(CAST(TRY_CAST({column} AS TIMESTAMPTZ) AS TIMESTAMP), try_strptime({column}, {slashes}))"
    )


def day(columns: Columns, name: str) -> str:
    """Return a moment's date in UTC; NULL for what is none, and before 2000 or after 2099, which no bill is of."""
    found = f"CAST({moment(columns, name)} AS DATE)"
    return f"CASE WHEN {found} BETWEEN DATE '2000-01-01' AND DATE '2099-12-31' THEN {found} END"


def money(columns: Columns, name: str) -> str:
    """Return a cost, exactly; NULL for what is no number.

    A double that has at most 12 digits after the point and 15 in all is recognised without writing it out, which takes a
    tenth of the time: rounded to 12 digits it is the same double, and of such short numbers no two are.
    """
    if name not in columns.names:
        return f"NULL::{MONEY}"
    column, kind = quoted(columns.names[name]), columns.types[name]
    if kind == "DOUBLE":
        quick = f"abs({column}) < 1e3 AND round({column} * 1e12) / 1e12 = {column}"
        return (
            f"CASE WHEN {quick} THEN CAST(CAST({column} AS {_QUICK}) AS {MONEY}) "
            f"ELSE TRY_CAST(CAST({column} AS VARCHAR) AS {MONEY}) END"
        )
    if kind == "FLOAT":
        return f"TRY_CAST(CAST({column} AS VARCHAR) AS {MONEY})"
    if kind == "VARCHAR":
        return f"CASE WHEN NOT contains({column}, '_') THEN TRY_CAST({column} AS {MONEY}) END"
    return f"TRY_CAST({column} AS {MONEY})"


def empty(columns: Columns, name: str) -> str:
    """Return whether a row has nothing in a column."""
    if name not in columns.names:
        return "true"
    if columns.types[name] == "VARCHAR":
        return f"{_text(columns, name)} IS NULL"
    return f"{quoted(columns.names[name])} IS NULL"


def fault() -> str:
    """Return the number of what is wrong with a row's costs (see `fault_reason`); 0 where nothing is.

    It is written in terms of what `money` and `empty` say: of COSTS, and of these with `no_` before. What was billed and
    what is effective must be there; the other two may be empty, but not something else than a number.
    """
    cases = []
    for number, name in enumerate(COSTS, start=1):
        cases.append(f"WHEN {name} IS NULL AND NOT no_{name} THEN {number}")
        if number <= 2:
            cases.append(f"WHEN no_{name} THEN {number + 10}")
    return f"CAST(CASE {' '.join(cases)} ELSE 0 END AS UTINYINT)"


def is_currency(column: str) -> str:
    """Return whether a text in capitals is a currency's code."""
    return f"coalesce(regexp_full_match({column}, '[A-Z]{{3}}'), false)"


def fault_reason(number: int) -> str:
    """Return a fault in words."""
    name = NAMED[COSTS[(number - 1) % 10]]
    return f"{name} is empty" if number > 10 else f"{name} is not a number"


def _text(columns: Columns, name: str) -> str:
    column, kind = quoted(columns.names[name]), columns.types[name]
    if kind != "VARCHAR":
        return f"CAST({column} AS VARCHAR)"
    return f"CASE WHEN trim({column}) NOT IN ('', 'NULL', 'null') THEN trim({column}) END"
