"""Makes the report of the cube of what was billed, and of counts of requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, get_args

from lastmile_sls.costs.anomalies import anomalies, least_excess
from lastmile_sls.costs.forecast import forecast
from lastmile_sls.costs.report.amounts import NOTHING, ZERO, Amounts, exactly, split, total
from lastmile_sls.costs.report.document import (
    Asked,
    Change,
    Charge,
    CurrencyReport,
    Dimension,
    Line,
    ModelCost,
    Report,
    UntaggedService,
    Version,
)
from lastmile_sls.costs.report.models import by_day, models_of
from lastmile_sls.costs.report.queries import Cube, ModelKey
from lastmile_sls.costs.report.shares import shared
from lastmile_sls.costs.usage import Usage
from lastmile_sls.errors import LastmileError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_OWNED: dict[Dimension, int] = {"owner": 0, "cost_center": 1}


def make(
    connection: DuckDBPyConnection,
    asked: Asked,
    usage: Sequence[Usage] = (),
    *,
    warnings: Sequence[str] = (),
    synthetic: bool = False,
) -> Report:
    """Return the report.

    Args:
        connection: Where the tables cube, untagged, dirty and sources are.
        asked: Which days and models, and how what is shared is split.
        usage: Counts of requests, from `read_usage`.
        warnings: What was found while reading.
        synthetic: Whether the bills were made up, as an example.

    Raises LastmileError when nothing was billed on the asked days, or for the asked models.
    """
    cube = Cube(connection, asked)
    with exactly():
        meant = [row for row in usage if _is_meant(row, asked)]
        currencies = tuple(_currency(cube, asked, meant, *found) for found in cube.currencies())
    if not currencies:
        raise _nothing(asked, has_days=cube.has_days())
    billed = {model.model for one in currencies for model in one.models}
    return Report(
        asked=asked,
        currencies=currencies,
        sources=cube.sources(),
        dirty=cube.dirty(),
        warnings=tuple(warnings),
        has_counts=bool(meant),
        synthetic=synthetic,
        unbilled=sorted({row.model for row in meant} - billed),
    )


def _nothing(asked: Asked, *, has_days: bool) -> LastmileError:
    if not has_days:
        days = f"from {asked.first or 'the first day'} to {asked.last or 'the last day'}"
        return LastmileError(
            f"the files have no rows {days}.", "Look at which days they are of: leave out --from and --to."
        )
    named = [*(f"model {name}" for name in asked.models), *(f"environment {e}" for e in asked.environments)]
    return LastmileError(
        f"the files have no cost of {', '.join(named)} on these days.",
        "Leave out --model and --environment to see which there are. A model's cost is known by the tags on its "
        "resources, once the cloud's bill has them: see the resources without tags.",
    )


def _is_meant(row: Usage, asked: Asked) -> bool:
    return (
        (asked.first is None or row.day >= asked.first)
        and (asked.last is None or row.day <= asked.last)
        and (not asked.models or row.model in asked.models)
        and (not asked.environments or row.environment in asked.environments)
    )


def _currency(
    cube: Cube, asked: Asked, usage: Sequence[Usage], currency: str, first: date, last: date
) -> CurrencyReport:
    unattributed, attributed = cube.unattributed(currency), cube.attributed(currency)
    parts, left = shared(unattributed, attributed, asked.share)
    models = models_of(cube, currency, parts, usage, first, last)
    days = _days(models, cube.lost_days(currency))
    spent = by_day((day, cost) for one in days.values() for day, cost in one.items())
    lines = _lines(cube, currency, asked, parts, models)
    used, whole = total(line.own for line in lines["model"]), total(unattributed.values())
    least = least_excess(used.effective, first, last)
    return CurrencyReport(
        currency=currency,
        first=first,
        last=last,
        usage=used,
        period=sum((cost for one in attributed.values() for cost in one.values()), whole.effective),
        unattributed=whole,
        left=left,
        lines=lines,
        models=models,
        days=days,
        charges=tuple(Charge(*row) for row in cube.charges(currency)),
        untagged=_untagged(cube, currency),
        change=_change(spent, first, last),
        forecast=forecast(spent, first, last),
        anomalies=tuple(anomalies(cube.series(currency, least), first, last, least)),
    )


def _lines(
    cube: Cube,
    currency: str,
    asked: Asked,
    parts: Mapping[ModelKey, Amounts],
    models: Sequence[ModelCost],
) -> dict[Dimension, tuple[Line, ...]]:
    taken = _taken(cube, currency, parts)
    lines: dict[Dimension, tuple[Line, ...]] = {}
    for dimension in get_args(Dimension):
        own = cube.lines(currency, dimension) if dimension != "version" else _versions(cube, currency, models)
        given = taken.get(dimension, {})
        if given and asked.all_models:
            given = {**given, None: _negative(total(given.values()))}
        if dimension in {"day", "month"}:
            own = sorted(own, key=lambda entry: entry[0] or "")
        lines[dimension] = tuple(Line(key, amounts, given.get(key, NOTHING)) for key, amounts in own)
    return lines


def _taken(
    cube: Cube, currency: str, parts: Mapping[ModelKey, Amounts]
) -> dict[Dimension, dict[str | None, Amounts]]:
    """Return what each line takes of what is shared; owners of one model share its part as they share its cost."""
    found: dict[Dimension, dict[str | None, Amounts]] = {}

    def add(dimension: Dimension, key: str | None, amounts: Amounts) -> None:
        lines = found.setdefault(dimension, {})
        lines[key] = lines.get(key, NOTHING) + amounts

    owned: dict[ModelKey, list[tuple[tuple[str | None, str | None], Decimal]]] = {}
    for key, owners, amounts in cube.models(currency):
        owned.setdefault(key, []).append((owners, max(amounts.effective, ZERO)))
    for key, rows in owned.items():
        if key not in parts:
            continue
        add("model", key[0], parts[key])
        add("environment", key[1], parts[key])
        weights = [weight for _, weight in rows]
        weights = weights if any(weights) else [Decimal(1)] * len(rows)
        four = [split(amount, weights) for amount in parts[key].all]
        for (owners, _), part in zip(rows, zip(*four, strict=True), strict=True):
            for dimension, place in _OWNED.items():
                add(dimension, owners[place], Amounts(*part))
    return found


def _versions(cube: Cube, currency: str, models: Sequence[ModelCost]) -> list[tuple[str | None, Amounts]]:
    """Return versions with what they share with others split, and what no model is known for as it is."""

    def name(model: ModelCost, version: Version) -> str:
        return f"{model.name} {version.version or '(all versions)'}"

    found: list[tuple[str | None, Amounts]] = [
        (name(model, version), version.cost) for model in models for version in model.versions
    ]
    without = [(key, amounts) for key, amounts in cube.lines(currency, "model") if key is None]
    return sorted([*found, *without], key=lambda entry: (-entry[1].effective, entry[0] or ""))


def _negative(amounts: Amounts) -> Amounts:
    return Amounts(*(-amount for amount in amounts.all))


def _days(
    models: Sequence[ModelCost], lost: Mapping[date, Decimal]
) -> dict[str | None, Mapping[date, Decimal]]:
    """Return each model's days, over its environments, and those of what no model is known for."""
    found: dict[str | None, Mapping[date, Decimal]] = {}
    for model in models:
        found[model.model] = by_day((*found.get(model.model, {}).items(), *model.days.items()))
    return {**found, None: dict(sorted(lost.items()))} if lost else found


def _untagged(cube: Cube, currency: str) -> tuple[UntaggedService, ...]:
    resources, counts = cube.untagged_resources(currency), cube.untagged_counts(currency)
    return tuple(
        UntaggedService(
            *(cloud, service, untagged, whole, tuple(resources.get((cloud, service), ()))),
            counts.get((cloud, service), 0),
        )
        for cloud, service, untagged, whole in cube.untagged(currency)
    )


def _change(days: Mapping[date, Decimal], first: date, last: date) -> Change | None:
    """Return the last month beside the one before it; None where that one is not there from its first day on."""
    month = last.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    if first > before:
        return None
    whole = (last + timedelta(days=1)).day == 1

    def spent(start: date) -> Decimal:
        return sum(
            (
                cost
                for day, cost in days.items()
                if (day.year, day.month) == (start.year, start.month) and (whole or day.day <= last.day)
            ),
            ZERO,
        )

    return Change(month, last.day, whole, spent(month), spent(before))
