"""The report as one JSON document, `lastmile.costs/1`: for other programs, so it is stable.

    {"format": "lastmile.costs/1", "synthetic": false,
     "asked": {"from": null, "to": null, "models": [], "environments": [], "share": "none"},
     "files": [{"file", "cloud", "focus_version", "rows", "from", "to", "counted_rows", "note"}],
     "dirty": [{"file", "reason", "rows", "example", "counted"}],
     "warnings": [], "counted_but_not_billed": [],
     "currencies": [{
        "currency": "USD", "from": "2026-10-01", "to": "2026-10-31",
        "usage": AMOUNTS, "whole_usage": "12.5",
        "other_charges": [{"category", "cloud", "service", "model", AMOUNTS...}],
        "not_attributed": {AMOUNTS..., "share": "0.042", "not_split": AMOUNTS},
        "by": {DIMENSION: [{"key": "churn", "own": AMOUNTS, "shared": AMOUNTS}]},
        "models": [{"model", "environment", "owners", "cost_centers", "own": AMOUNTS, "shared": AMOUNTS,
                    "days": {DAY: "1.5"}, "services": [{"cloud", "service", AMOUNTS...}],
                    "versions": [{"version", "tagged": AMOUNTS, "split": AMOUNTS, "requests"}],
                    "requests", "counted_days", "per_1000", "forecast"}],
        "untagged": [{"cloud", "service", "effective", "whole", "share", "resource_count",
                      "resources": [{"resource_id", "name", "type", "missing", "effective", "rows", "model"}]}],
        "change": {...}, "forecast": {...}, "anomalies": [...]}]}

AMOUNTS are `effective`, `billed`, `list` and `contracted`. Numbers of money are decimal text with every digit (what is
divided has 12 places), counts are numbers, a key or version of null is what the bills do not say. `models` are a model in an
environment. `by.version` has keys of the form `churn (prod) v2`.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

from lastmile_sls.costs.anomalies import Anomaly
from lastmile_sls.costs.forecast import Forecast, NoForecast
from lastmile_sls.costs.report.amounts import Amounts, exactly
from lastmile_sls.costs.report.document import Change, CurrencyReport, ModelCost, Report, UntaggedService
from lastmile_sls.costs.report.words import exact

FORMAT = "lastmile.costs/1"
_PLACES = Decimal("1e-12")


def document(report: Report) -> dict[str, Any]:
    """Return the report as JSON has it."""
    with exactly():
        return {
            "format": FORMAT,
            "synthetic": report.synthetic,
            "asked": {
                "from": _day(report.asked.first),
                "to": _day(report.asked.last),
                "models": list(report.asked.models),
                "environments": list(report.asked.environments),
                "share": report.asked.share,
            },
            "files": [
                {
                    "file": source.file,
                    "cloud": source.cloud,
                    "focus_version": source.focus_version,
                    "rows": source.rows,
                    "from": _day(source.first),
                    "to": _day(source.last),
                    "counted_rows": source.counted,
                    "note": source.note,
                }
                for source in report.sources
            ],
            "dirty": [asdict(dirty) for dirty in report.dirty],
            "warnings": list(report.warnings),
            "counted_but_not_billed": list(report.unbilled),
            "currencies": [_currency(found) for found in report.currencies],
        }


def _currency(found: CurrencyReport) -> dict[str, Any]:
    return {
        "currency": found.currency,
        "from": _day(found.first),
        "to": _day(found.last),
        "usage": _amounts(found.usage),
        "whole_usage": exact(found.period),
        "other_charges": [
            {
                "category": charge.category,
                "cloud": charge.cloud,
                "service": charge.service,
                "model": charge.model,
                **_amounts(charge.amounts),
            }
            for charge in found.charges
        ],
        "not_attributed": {
            **_amounts(found.unattributed),
            "share": _divided(found.untagged_share),
            "not_split": _amounts(found.left),
        },
        "by": {
            dimension: [
                {"key": line.key, "own": _amounts(line.own), "shared": _amounts(line.shared)}
                for line in lines
            ]
            for dimension, lines in found.lines.items()
        },
        "models": [_model(model) for model in found.models],
        "untagged": [_untagged(service) for service in found.untagged],
        "change": _change(found.change),
        "forecast": _forecast(found.forecast),
        "anomalies": [_anomaly(anomaly) for anomaly in found.anomalies],
    }


def _model(model: ModelCost) -> dict[str, Any]:
    counted = model.counted
    return {
        "model": model.model,
        "environment": model.environment,
        "owners": list(model.owners),
        "cost_centers": list(model.cost_centers),
        "own": _amounts(model.own),
        "shared": _amounts(model.shared),
        "days": {day.isoformat(): exact(cost) for day, cost in model.days.items()},
        "services": [
            {"cloud": cloud, "service": service, **_amounts(amounts)}
            for cloud, service, amounts in model.services
        ],
        "versions": [
            {
                "version": version.version,
                "tagged": _amounts(version.tagged),
                "split": _amounts(version.split),
                "requests": version.requests,
            }
            for version in model.versions
        ],
        "requests": counted.requests if counted else None,
        "counted_days": counted.days if counted else None,
        "per_1000": _divided(counted.per_1000) if counted and counted.per_1000 is not None else None,
        "forecast": _forecast(model.forecast),
    }


def _untagged(service: UntaggedService) -> dict[str, Any]:
    return {
        "cloud": service.cloud,
        "service": service.service,
        "effective": exact(service.untagged),
        "whole": exact(service.whole),
        "share": _divided(service.share),
        "resource_count": service.resource_count,
        "resources": [
            {
                "resource_id": resource.resource_id,
                "name": resource.name,
                "type": resource.type,
                "missing": resource.missing,
                "effective": exact(resource.effective),
                "rows": resource.rows,
                "model": resource.model,
            }
            for resource in service.resources
        ],
    }


def _change(change: Change | None) -> dict[str, Any] | None:
    if change is None:
        return None
    return {
        "month": f"{change.month:%Y-%m}",
        "days": change.days,
        "whole_months": change.whole,
        "now": exact(change.now),
        "before": exact(change.before),
        "percent": None if change.percent is None else _divided(change.percent),
    }


def _forecast(found: Forecast | NoForecast) -> dict[str, Any]:
    if isinstance(found, NoForecast):
        return {"why_not": found.why}
    return {
        "month": f"{found.month:%Y-%m}",
        "spent": exact(found.spent),
        "expected": exact(found.expected),
        "low": exact(found.low),
        "high": exact(found.high),
        "from_days": found.from_days,
        "left_out": _day(found.left_out),
    }


def _anomaly(found: Anomaly) -> dict[str, Any]:
    return {
        "day": _day(found.day),
        "model": found.model,
        "environment": found.environment,
        "cloud": found.cloud,
        "service": found.service,
        "cost": exact(found.cost),
        "usual": exact(found.usual),
        "score": exact(found.score),
        "compared_days": found.compared,
        "same_weekday": found.weekdays,
    }


def _amounts(amounts: Amounts) -> dict[str, str]:
    return dict(
        zip(("effective", "billed", "list", "contracted"), (exact(one) for one in amounts.all), strict=True)
    )


def _divided(value: Decimal) -> str:
    return exact(value.quantize(_PLACES))


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
