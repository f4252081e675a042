"""Costs to the last digit, and days: what SQL makes of a file's values, against Python's own Decimal."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal, localcontext

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastmile_sls.costs import clean
from lastmile_sls.costs.columns import Columns

SCALE = Decimal(1).scaleb(-24)
MOST = Decimal(10) ** 14


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("SET TimeZone = 'UTC'")
        yield opened


def money(connection: duckdb.DuckDBPyConnection, kind: str, values: list[object]) -> list[Decimal | None]:
    cost = clean.money(Columns((("BilledCost", kind),), "1.0"), "billedcost")
    query = f"SELECT {cost} FROM (SELECT unnest(?::{kind}[]) AS BilledCost)"
    return [found for (found,) in connection.execute(query, [values]).fetchall()]


def exactly(text: str) -> Decimal | None:
    with localcontext() as context:
        context.prec = 400
        found = Decimal(text)
        if not found.is_finite():
            return None
        found = found.quantize(SCALE, ROUND_HALF_UP)
        return found if abs(found) < MOST else None


short = st.decimals(min_value=-2000, max_value=2000, places=12, allow_nan=False).map(float)
any_double = st.floats(width=64, allow_subnormal=True)
neighbours = short.map(
    lambda x: struct.unpack("<d", struct.pack("<q", struct.unpack("<q", struct.pack("<d", x))[0] + 1))[0]
)


@given(st.lists(short | any_double | neighbours, min_size=50, max_size=300))
@settings(max_examples=15, deadline=None)
def test_a_double_is_its_shortest_text(connection: duckdb.DuckDBPyConnection, values: list[float]) -> None:
    assert money(connection, "DOUBLE", list(values)) == [exactly(repr(value)) for value in values]


def test_doubles_that_a_cast_would_get_wrong(connection: duckdb.DuckDBPyConnection) -> None:
    values = [0.1, 0.3, 1e-7, 0.00034482758620689654, 1 / 3, 999.999999999999, 1e3, -0.0, 2.5e-13]
    assert money(connection, "DOUBLE", list(values)) == [exactly(repr(value)) for value in values]
    assert money(connection, "FLOAT", [0.1, 3.25]) == [Decimal("0.1"), Decimal("3.25")]


def test_texts_and_decimals(connection: duckdb.DuckDBPyConnection) -> None:
    good = ["0.1", "-12", "1e-7", "1E-7", ".5", " 2.5 ", "12345678901234.567890123456789012345678"]
    assert money(connection, "VARCHAR", list(good)) == [exactly(text.strip()) for text in good]
    bad = ["", "abc", "1,5", "1_000", "$1", "nan", "1e30", "100000000000000", "0x10", None]
    assert money(connection, "VARCHAR", list(bad)) == [None] * len(bad)
    assert money(connection, "DECIMAL(38,9)", [Decimal("0.000000001")]) == [Decimal("1e-9")]
    assert money(connection, "BIGINT", [7]) == [Decimal(7)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-10-03T00:00:00.000Z", "2026-10-03"),
        ("2026-10-03T00:00Z", "2026-10-03"),
        ("2026-10-03 00:00:00", "2026-10-03"),
        ("2026-10-03 00:00:00 UTC", "2026-10-03"),
        ("2026-10-03T23:30:00-05:00", "2026-10-04"),
        ("2026-10-03", "2026-10-03"),
        ("10/3/2026", "2026-10-03"),
        ("10/03/2026 12:00:00 AM", "2026-10-03"),
        ("13/10/2026", None),
        ("1970-01-01", None),
        ("9999-12-31", None),
        ("soon", None),
        ("", None),
    ],
)
def test_days(connection: duckdb.DuckDBPyConnection, text: str, day: str | None) -> None:
    columns = Columns((("ChargePeriodStart", "VARCHAR"),), "1.0")
    query = f"SELECT CAST({clean.day(columns, 'chargeperiodstart')} AS VARCHAR) FROM (SELECT ? AS ChargePeriodStart)"
    assert connection.execute(query, [text]).fetchone() == (day,)


def test_names_and_texts_are_quoted() -> None:
    assert clean.quoted('a"b') == '"a""b"'
    assert clean.literal("it's") == "'it''s'"
    assert [clean.fault_reason(number) for number in (1, 4, 11, 12)] == [
        "BilledCost is not a number",
        "ContractedCost is not a number",
        "BilledCost is empty",
        "EffectiveCost is empty",
    ]
