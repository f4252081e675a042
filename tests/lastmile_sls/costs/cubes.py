"""A cube of what was billed, made by hand: the tables that the report reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import date
from decimal import Decimal

import duckdb

TABLES = """
CREATE TABLE cube(currency VARCHAR, day DATE, cloud VARCHAR, service VARCHAR, service_category VARCHAR, charge VARCHAR,
    model VARCHAR, environment VARCHAR, version VARCHAR, owner VARCHAR, cost_center VARCHAR, attributed_by VARCHAR,
    effective DECIMAL(38,18), billed DECIMAL(38,18), list DECIMAL(38,18), contracted DECIMAL(38,18), rows BIGINT);
CREATE TABLE untagged(currency VARCHAR, cloud VARCHAR, service VARCHAR, resource_id VARCHAR, resource_name VARCHAR,
    resource_type VARCHAR, missing VARCHAR, effective DECIMAL(38,18), rows BIGINT, model VARCHAR);
CREATE TABLE dirty(file VARCHAR, reason VARCHAR, rows BIGINT, example VARCHAR, counted BOOLEAN);
CREATE TABLE sources(file VARCHAR, cloud VARCHAR, focus_version VARCHAR, rows BIGINT, first_day DATE, last_day DATE,
    counted BIGINT, delivery VARCHAR, delivered TIMESTAMP WITH TIME ZONE, note VARCHAR);
"""
"""As `lastmile_sls.costs.read` makes them; that it does, the example's test shows."""


@dataclass(frozen=True)
class Row:
    """A row of the cube; a charge costs the same at every price unless it says otherwise."""

    day: date
    effective: str
    model: str | None = "churn"
    service: str = "AWS Lambda"
    cloud: str = "aws"
    currency: str = "USD"
    charge: str = "Usage"
    environment: str | None = "prod"
    version: str | None = None
    owner: str | None = "team-a"
    cost_center: str | None = "cc-1"
    billed: str | None = None
    listed: str | None = None

    def values(self) -> tuple[object, ...]:
        known = self.model is not None
        amounts = (
            self.effective,
            self.billed or self.effective,
            self.listed or self.effective,
            self.effective,
        )
        return (
            *(self.currency, self.day, self.cloud, self.service, "Compute", self.charge, self.model),
            *(self.environment if known else None, self.version, self.owner if known else None),
            *(self.cost_center if known else None, "tag" if known else None),
            *(Decimal(amount) for amount in amounts),
            1,
        )


@dataclass(frozen=True)
class Untagged:
    """A row of the resources without tags."""

    currency: str
    cloud: str
    service: str
    resource_id: str | None
    resource_name: str | None
    resource_type: str | None
    missing: str
    effective: Decimal
    rows: int
    model: str | None = None


def connection(
    rows: Iterable[Row],
    *,
    untagged: Iterable[Untagged] = (),
    dirty: Iterable[tuple[str, str, int, str, bool]] = (),
    sources: Iterable[tuple[str, str, str, int, date, date]] = (),
) -> duckdb.DuckDBPyConnection:
    """Return a database in memory with these tables."""
    made = duckdb.connect()
    made.execute(TABLES)
    for table, found in (
        ("cube", [row.values() for row in rows]),
        ("untagged", [astuple(row) for row in untagged]),
        ("dirty", list(dirty)),
        ("sources", [(*row, row[3], None, None, None) for row in sources]),
    ):
        if found:
            row = f"({', '.join('?' * len(found[0]))})"
            values = [value for one in found for value in one]
            made.execute(f"INSERT INTO {table} VALUES {', '.join([row] * len(found))}", values)
    return made
