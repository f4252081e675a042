"""Estimates as Infracost's JSON, version 0.2, so that its tools read them. Pure.

The schema is github.com/infracost/infracost's schema/infracost.schema.json; what fields mean is what internal/output and
internal/schema there do with them (2026-08-21). All numbers are text; an hour is a month's 730th part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from lastmile_sls.estimate.as_json import text
from lastmile_sls.estimate.diff import Diff, LineChange
from lastmile_sls.estimate.document import HOURS, NOTHING, Component, Estimate, Line

VERSION = "0.2"
Json = dict[str, Any]


def to_infracost(diffs: Mapping[str, Diff], now: datetime, path: str) -> Json:
    """Return a document with a project for each shape of the traffic.

    Args:
        diffs: Before and after, by the shape's name; before may be None.
        now: When it was made, with a time zone.
        path: The spec's, as it was named.
    """
    projects = [_project(shape, diff, path) for shape, diff in diffs.items()]
    after = [diff.after for diff in diffs.values()]
    before = [diff.before for diff in diffs.values() if diff.before]
    new, old = _totals(after), _totals(before)
    return {
        "version": VERSION,
        "metadata": {
            "infracostCommand": "diff" if before else "breakdown",
            **dict.fromkeys(
                (
                    "vcsBranch",
                    "vcsCommitSha",
                    "vcsCommitAuthorName",
                    "vcsCommitAuthorEmail",
                    "vcsCommitMessage",
                ),
                "",
            ),
            "vcsCommitTimestamp": now.isoformat(),
        },
        "currency": after[0].currency if after else "USD",
        "projects": projects,
        **new.under("total"),
        **old.under("pastTotal"),
        **new.less(old).under("diffTotal"),
        "timeGenerated": now.isoformat(),
        "summary": _summary(project["summary"] for project in projects),
    }


class _Totals:
    """What a month costs, and the part of it that follows the traffic."""

    def __init__(self, monthly: Decimal, usage: Decimal) -> None:
        self.monthly = monthly
        self.usage = usage

    def less(self, other: _Totals) -> _Totals:
        return _Totals(self.monthly - other.monthly, self.usage - other.usage)

    def under(self, name: str) -> Json:
        """Return them as fields that begin with a name."""
        return {
            f"{name}HourlyCost": _hourly(self.monthly),
            f"{name}MonthlyCost": text(self.monthly),
            f"{name}MonthlyUsageCost": text(self.usage),
        }


def _totals(estimates: Iterable[Estimate]) -> _Totals:
    found = list(estimates)
    return _Totals(sum((one.monthly for one in found), NOTHING), sum((one.usage for one in found), NOTHING))


def _project(shape: str, diff: Diff, path: str) -> Json:
    after = diff.after
    name = f"{after.deployment} ({after.target}{f', {shape}' if shape else ''})"
    before = diff.before
    past = (
        _breakdown(before.lines, _totals([before])) if before else _breakdown((), _Totals(NOTHING, NOTHING))
    )
    changed = [_change(line) for line in diff.of("added", "removed", "changed") if line.components]
    delta = _totals([after]).less(_totals([before] if before else []))
    return {
        "name": name,
        "displayName": name,
        "metadata": {"path": path, "type": "pulumi_preview"},
        "pastBreakdown": past,
        "breakdown": _breakdown(after.lines, _totals([after])),
        "diff": {"resources": changed, **delta.under("total")},
        "summary": _counts(after.lines),
    }


def _breakdown(lines: Sequence[Line], totals: _Totals) -> Json:
    return {
        "resources": [_resource(line) for line in lines if line.status == "priced"],
        "freeResources": [_named(line) for line in lines if line.status == "free"],
        **totals.under("total"),
    }


def _named(line: Line) -> Json:
    told: Json = {"name": f"{line.type}::{line.name}", "resourceType": line.type, "metadata": {}}
    if line.tags:
        told["tags"] = dict(line.tags)
    return told


def _resource(line: Line) -> Json:
    usage = sum((one.cost for one in line.components if one.usage_based), NOTHING)
    names = _names([one.name for one in line.components])
    return {
        **_named(line),
        "hourlyCost": _hourly(line.cost),
        "monthlyCost": text(line.cost),
        "monthlyUsageCost": text(usage),
        "costComponents": [_component(name, one) for name, one in zip(names, line.components, strict=True)],
    }


def _change(change: LineChange) -> Json:
    """Return a resource with what changes in place of what there is; one that is gone has less than nothing."""
    changed = [one for one in change.components if one.is_one]
    usage = sum((one.delta for one in changed if one.any.usage_based), NOTHING)
    names = _names([one.any.name for one in changed])
    return {
        **_named(change.any),
        "hourlyCost": _hourly(change.delta),
        "monthlyCost": text(change.delta),
        "monthlyUsageCost": text(usage),
        "costComponents": [
            _figures(
                name,
                one.any,
                _quantity(one.after) - _quantity(one.before),
                _price(one.after) - _price(one.before),
                one.delta,
            )
            for name, one in zip(names, changed, strict=True)
        ],
    }


def _component(name: str, one: Component) -> Json:
    return _figures(name, one, one.quantity, _price(one), one.cost)


def _figures(name: str, one: Component, quantity: Decimal, price: Decimal, cost: Decimal) -> Json:
    return {
        "name": name,
        "unit": one.price.unit,
        "hourlyQuantity": text(quantity / HOURS),
        "monthlyQuantity": text(quantity),
        "price": text(price),
        "hourlyCost": _hourly(cost),
        "monthlyCost": text(cost),
        "usageBased": one.usage_based,
        "priceNotFound": False,
    }


def _quantity(one: Component | None) -> Decimal:
    return one.quantity if one else NOTHING


def _price(one: Component | None) -> Decimal:
    """Return what a unit costs on average, over tiers and free units; of nothing, the first unit's price."""
    if one is None:
        return NOTHING
    return one.cost / one.quantity if one.quantity else one.price.first


def _names(names: Sequence[str]) -> list[str]:
    """Return names that differ: Infracost tells components of one resource apart by them."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


def _hourly(monthly: Decimal) -> str:
    return text(monthly / HOURS)


def _counts(lines: Sequence[Line]) -> Json:
    by = {
        status: Counter(line.type for line in lines if line.status == status)
        for status in ("priced", "free", "unpriced")
    }
    return {
        "totalDetectedResources": len(lines),
        "totalSupportedResources": by["priced"].total(),
        "totalUnsupportedResources": by["unpriced"].total(),
        "totalUsageBasedResources": sum(any(one.usage_based for one in line.components) for line in lines),
        "totalNoPriceResources": by["free"].total(),
        "unsupportedResourceCounts": dict(by["unpriced"]),
        "noPriceResourceCounts": dict(by["free"]),
    }


def _summary(summaries: Iterable[Json]) -> Json:
    found: Json = {}
    for summary in summaries:
        for name, value in summary.items():
            if isinstance(value, int):
                found[name] = found.get(name, 0) + value
            else:
                found[name] = dict(Counter(found.get(name, {})) + Counter(value))
    return found
