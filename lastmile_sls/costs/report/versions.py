"""What each version of a model cost, where versions share a function: by what each worked. Pure.

A day's cost that no version is known for is split over the versions that were asked on that day, by requests x mean
duration; by requests alone where a duration of that day is not known. A day without counts of requests is not split.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from lastmile_sls.costs.report.amounts import NOTHING, Amounts, split_amounts, total
from lastmile_sls.costs.report.document import Counted, Version
from lastmile_sls.costs.usage import Usage

RULE = (
    "What versions of a model cost together is split over them day by day, by requests x mean duration "
    "(by requests alone where a duration is missing). A day without counts of requests is split over none."
)


def versions(
    costs: Iterable[tuple[str | None, date, Amounts]], usage: Sequence[Usage]
) -> tuple[Version, ...]:
    """Return a model's versions, by name, and at the end what no version is known for.

    Args:
        costs: Of one model and environment: version, day, amounts.
        usage: Of the same, on the same days.
    """
    by_day: dict[date, list[Usage]] = {}
    for row in usage:
        by_day.setdefault(row.day, []).append(row)
    tagged: dict[str | None, Amounts] = {}
    parts: dict[str, Amounts] = {}
    for version, day, amounts in costs:
        weights = _weights(by_day.get(day, ())) if version is None else {}
        if not weights:
            tagged[version] = tagged.get(version, NOTHING) + amounts
            continue
        for name, part in split_amounts(amounts, weights).items():
            parts[name] = parts.get(name, NOTHING) + part
    requests = _requests(usage)
    names = sorted({*parts, *requests, *(name for name in tagged if name is not None)})
    found = [
        Version(name, tagged.get(name, NOTHING), parts.get(name, NOTHING), requests.get(name))
        for name in names
    ]
    return (*found, *([Version(None, tagged[None])] if None in tagged else []))


def counted(days: Mapping[date, Decimal], usage: Sequence[Usage]) -> Counted | None:
    """Return a model's requests with what it cost on the days on which they were counted; None without any count."""
    if not usage:
        return None
    seen = {row.day for row in usage}
    cost = sum((cost for day, cost in days.items() if day in seen), Decimal(0))
    return Counted(sum(row.requests for row in usage), len(seen), cost)


def of_model(found: Iterable[Version]) -> Amounts:
    """Return what the versions cost together."""
    return total(version.cost for version in found)


def _weights(rows: Sequence[Usage]) -> dict[str, Decimal]:
    asked = [row for row in rows if row.requests]
    works = [row.work_ms for row in asked]
    known = [work for work in works if work is not None]
    by_work = len(known) == len(asked) and sum(known) > 0
    return {
        row.version: work if by_work and work is not None else Decimal(row.requests)
        for row, work in zip(asked, works, strict=True)
    }


def _requests(usage: Iterable[Usage]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in usage:
        found[row.version] = found.get(row.version, 0) + row.requests
    return found
