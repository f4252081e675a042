"""What the report asks of the cube: sums by a few columns, exact, for one currency at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lastmile_sls.costs.anomalies import Series
from lastmile_sls.costs.report.amounts import ZERO, Amounts
from lastmile_sls.costs.report.document import Asked, Dimension, Dirty, Source, UntaggedResource

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SUMS = 'sum(effective), sum(billed), sum("list"), sum(contracted)'
_USAGE = "charge = 'Usage'"
_KEYS: dict[Dimension, str] = {
    "model": "model",
    "environment": "environment",
    "version": "CASE WHEN model IS NOT NULL THEN model || ' ' || coalesce(version, '(all versions)') END",
    "owner": "owner",
    "cost_center": "cost_center",
    "cloud": "cloud",
    "service": "service",
    "day": "strftime(day, '%Y-%m-%d')",
    "month": "strftime(day, '%Y-%m')",
}
MOST_RESOURCES = 20
"""Untagged resources that are named, of each service."""

ModelKey = tuple[str, str | None]
"""A model and its environment."""


class Cube:
    """The cube, with what was asked for taken out of it."""

    def __init__(self, connection: DuckDBPyConnection, asked: Asked) -> None:
        self._connection = connection
        self._make("costs_period", "cube", _between(asked))
        self._make("costs_asked", "costs_period", _of_models(asked))

    def currencies(self) -> list[tuple[str, date, date]]:
        """Return each currency of what was asked for with its first and last day, that of the most rows first."""
        return self._rows(
            "SELECT currency, min(day), max(day) FROM costs_period WHERE currency IN (SELECT currency FROM costs_asked) "
            'GROUP BY 1 ORDER BY sum("rows") DESC, 1'
        )

    def has_days(self) -> bool:
        """Return whether there is anything on the asked days, of whatever model."""
        return bool(self._rows("SELECT 1 FROM costs_period LIMIT 1"))

    def lines(self, currency: str, dimension: Dimension) -> list[tuple[str | None, Amounts]]:
        """Return what was used, by a dimension."""
        return [(key, _amounts(sums)) for key, *sums in self._sums("costs_asked", currency, _KEYS[dimension])]

    def models(self, currency: str) -> list[tuple[ModelKey, tuple[str | None, str | None], Amounts]]:
        """Return what was used, by model and environment, owner and cost centre."""
        columns = "model, environment, owner, cost_center"
        return [
            ((row[0], row[1]), (row[2], row[3]), _amounts(row[4:]))
            for row in self._sums("costs_asked", currency, columns, "model IS NOT NULL")
        ]

    def days(self, currency: str) -> list[tuple[ModelKey, str | None, date, Amounts]]:
        """Return what was used, by model, environment, version and day."""
        columns = "model, environment, version, day"
        return [
            ((row[0], row[1]), row[2], row[3], _amounts(row[4:]))
            for row in self._sums("costs_asked", currency, columns, "model IS NOT NULL")
        ]

    def services(self, currency: str) -> list[tuple[ModelKey, str, str, Amounts]]:
        """Return what was used, by model, environment, cloud and service."""
        columns = "model, environment, cloud, service"
        return [
            ((row[0], row[1]), row[2], row[3], _amounts(row[4:]))
            for row in self._sums("costs_asked", currency, columns, "model IS NOT NULL")
        ]

    def lost_days(self, currency: str) -> dict[date, Decimal]:
        """Return the effective cost of what no model is known for, by day."""
        return {day: cost for day, cost, *_ in self._sums("costs_asked", currency, "day", "model IS NULL")}

    def series(self, currency: str, least: Decimal) -> list[Series]:
        """Return what each service cost for each model by day, where it cost more than `least` on any."""
        found: dict[tuple[str | None, str | None, str, str], dict[date, Decimal]] = {}
        rows = self._rows(
            "SELECT model, environment, cloud, service, day, sum(effective) AS cost FROM costs_asked "
            f"WHERE currency = ? AND {_USAGE} GROUP BY 1, 2, 3, 4, 5 "
            "QUALIFY max(cost) OVER (PARTITION BY model, environment, cloud, service) > ? ORDER BY 1, 2, 3, 4, 5",
            [currency, least],
        )
        for *key, day, cost in rows:
            found.setdefault((key[0], key[1], key[2], key[3]), {})[day] = cost
        return [Series(*key, days) for key, days in found.items()]

    def charges(self, currency: str) -> list[tuple[str, str, str, str | None, Amounts]]:
        """Return what is no usage, by category, cloud, service and model."""
        columns = "charge, cloud, service, model"
        found = self._sums("costs_asked", currency, columns, usage="charge IS DISTINCT FROM 'Usage'")
        return [(row[0] or "no category", row[1], row[2], row[3], _amounts(row[4:])) for row in found]

    def unattributed(self, currency: str) -> dict[str, Amounts]:
        """Return what no model is known for, by cloud, of all models."""
        found = self._sums("costs_period", currency, "cloud", "model IS NULL")
        return {cloud: _amounts(sums) for cloud, *sums in found}

    def attributed(self, currency: str) -> dict[str, dict[ModelKey, Decimal]]:
        """Return the effective cost of each model in each cloud, of all models."""
        found: dict[str, dict[ModelKey, Decimal]] = {}
        rows = self._sums("costs_period", currency, "cloud, model, environment", "model IS NOT NULL")
        for cloud, model, environment, effective, *_ in rows:
            found.setdefault(cloud, {})[model, environment] = effective
        return found

    def untagged(self, currency: str) -> list[tuple[str, str, Decimal, Decimal]]:
        """Return by cloud and service what no model is known for, and the whole; the dearest first."""
        missing = "coalesce(sum(effective) FILTER (model IS NULL), 0)"
        return self._rows(
            f"SELECT cloud, service, {missing}, sum(effective) FROM costs_period "
            f"WHERE currency = ? AND {_USAGE} "
            "GROUP BY 1, 2 HAVING count(*) FILTER (model IS NULL) > 0 ORDER BY 3 DESC, 1, 2",
            [currency],
        )

    def untagged_counts(self, currency: str) -> dict[tuple[str, str], int]:
        """Return how many resources of each service lack tags, and have an id."""
        rows = self._rows(
            "SELECT cloud, service, count(DISTINCT resource_id) FROM untagged WHERE currency = ? GROUP BY 1, 2",
            [currency],
        )
        return {(cloud, service): count for cloud, service, count in rows}

    def untagged_resources(self, currency: str) -> dict[tuple[str, str], list[UntaggedResource]]:
        """Return the dearest untagged resources of each service."""
        found: dict[tuple[str, str], list[UntaggedResource]] = {}
        for cloud, service, *others in self._rows(
            'SELECT cloud, service, resource_id, resource_name, resource_type, missing, effective, "rows", model '
            "FROM untagged WHERE currency = ? "
            "QUALIFY row_number() OVER (PARTITION BY cloud, service ORDER BY effective DESC, resource_id) <= ? "
            "ORDER BY cloud, service, effective DESC, resource_id",
            [currency, MOST_RESOURCES],
        ):
            found.setdefault((cloud, service), []).append(UntaggedResource(*others))
        return found

    def sources(self) -> tuple[Source, ...]:
        """Return the files that were read."""
        columns = 'file, cloud, focus_version, "rows", first_day, last_day, counted, note'
        query = f"SELECT {columns} FROM sources ORDER BY 1, 2"
        return tuple(Source(*row) for row in self._rows(query))

    def dirty(self) -> tuple[Dirty, ...]:
        """Return the rows that could not be read."""
        query = 'SELECT file, reason, "rows", example, counted FROM dirty ORDER BY 1, 3 DESC, 2'
        return tuple(Dirty(*row) for row in self._rows(query))

    def _make(self, name: str, of: str, conditions: Sequence[tuple[str, Any]]) -> None:
        where = " AND ".join(condition for condition, _ in conditions) or "true"
        values = [value for _, value in conditions]
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM {of} WHERE {where}",
            values,
        )

    def _sums(
        self, table: str, currency: str, columns: str, where: str = "true", usage: str = _USAGE
    ) -> list[Any]:
        """Return the columns and the four sums, the dearest first."""
        count = columns.count(",") + 1 if not columns.startswith(("CASE", "strftime")) else 1
        keys = ", ".join(str(n) for n in range(1, count + 1))
        return self._rows(
            f"SELECT {columns}, {_SUMS} FROM {table} "
            f"WHERE currency = ? AND {usage} AND {where} "
            f"GROUP BY {keys} ORDER BY sum(effective) DESC, {keys}",
            [currency],
        )

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        return self._connection.execute(query, list(values)).fetchall()


def _between(asked: Asked) -> list[tuple[str, Any]]:
    found = [("day >= ?", asked.first), ("day <= ?", asked.last)]
    return [(condition, value) for condition, value in found if value is not None]


def _of_models(asked: Asked) -> list[tuple[str, Any]]:
    found = [("list_contains(?, model)", asked.models), ("list_contains(?, environment)", asked.environments)]
    return [(condition, list(value)) for condition, value in found if value]


def _amounts(sums: Sequence[Decimal | None]) -> Amounts:
    return Amounts(*(ZERO if found is None else found for found in sums))
