"""What each model cost in each environment, with its days, services, versions and requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeVar

from lastmile_sls.costs.forecast import forecast
from lastmile_sls.costs.report.amounts import NOTHING, ZERO, Amounts, total
from lastmile_sls.costs.report.document import ModelCost
from lastmile_sls.costs.report.queries import Cube, ModelKey
from lastmile_sls.costs.report.versions import counted, versions
from lastmile_sls.costs.usage import Usage

_Row = TypeVar("_Row")


def models_of(
    cube: Cube,
    currency: str,
    parts: Mapping[ModelKey, Amounts],
    usage: Sequence[Usage],
    first: date,
    last: date,
) -> tuple[ModelCost, ...]:
    """Return the models, the dearest first.

    Args:
        cube: What was billed.
        currency: The one that is told.
        parts: What each takes of what is shared.
        usage: Counts of requests.
        first: The first day of the bills.
        last: The last one.
    """
    owned = _grouped((key, (owners, amounts)) for key, owners, amounts in cube.models(currency))
    spent = _grouped((key, (version, day, amounts)) for key, version, day, amounts in cube.days(currency))
    services = _grouped(
        (key, (cloud, name, amounts)) for key, cloud, name, amounts in cube.services(currency)
    )
    asked: dict[ModelKey, list[Usage]] = _grouped(((row.model, row.environment), row) for row in usage)

    def one(key: ModelKey) -> ModelCost:
        days = by_day((day, amounts.effective) for _, day, amounts in spent[key])
        rows = asked.get(key, [])
        return ModelCost(
            model=key[0],
            environment=key[1],
            owners=_named(owner for (owner, _), _ in owned[key]),
            cost_centers=_named(center for (_, center), _ in owned[key]),
            own=total(amounts for _, amounts in owned[key]),
            shared=parts.get(key, NOTHING),
            days=days,
            services=tuple(services[key]),
            versions=versions(spent[key], rows),
            counted=counted(days, rows),
            forecast=forecast(days, max(first, min(days)), last),
        )

    made = [one(key) for key in owned]
    return tuple(sorted(made, key=lambda model: (-model.own.effective, model.model, model.environment or "")))


def by_day(entries: Iterable[tuple[date, Decimal]]) -> dict[date, Decimal]:
    """Return what each day cost in all, in the order of the days."""
    found: dict[date, Decimal] = {}
    for day, cost in entries:
        found[day] = found.get(day, ZERO) + cost
    return dict(sorted(found.items()))


def _grouped(entries: Iterable[tuple[ModelKey, _Row]]) -> dict[ModelKey, list[_Row]]:
    found: dict[ModelKey, list[_Row]] = {}
    for key, row in entries:
        found.setdefault(key, []).append(row)
    return found


def _named(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if name is not None}))
