"""An estimate as JSON, and back: what `lastmile estimate --json` prints, and --against reads. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.diff import Diff
from lastmile_sls.estimate.document import Component, Estimate, Line, Traffic
from lastmile_sls.prices.book import Price

FORMAT = "lastmile.estimate/1"
_PLACES = Decimal("1e-12")
_SAID = (
    "requests",
    "request_kb",
    "response_kb",
    "log_kb",
    "peak_concurrency",
    "cold_share",
    "later_share",
    "rows",
)
_TIMES = ("duration_ms", "init_ms", "row_ms")
_MAYBE = ("at_once", "effective_concurrency")


def text(value: Decimal) -> str:
    """Return a number as decimal text: all of it before the point, and at most twelve places after it."""
    rounded = value.quantize(_PLACES) if abs(value) < Decimal("1e15") else value
    found = f"{rounded:f}"
    return (found.rstrip("0").rstrip(".") or "0") if "." in found else found


def to_json(estimates: Mapping[str, Estimate]) -> dict[str, Any]:
    """Return a document of estimates by their shape's name."""
    return {
        "format": FORMAT,
        "estimates": [{"shape": shape, **_estimate(estimate)} for shape, estimate in estimates.items()],
    }


def read_all(path: Path) -> dict[str, Estimate]:
    """Return the estimates in a file that `lastmile estimate --json` wrote, by their months' names.

    Raises LastmileError, naming the file.
    """
    hint = "Write it: lastmile estimate --json > estimate.json"
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise LastmileError(f"{path} cannot be read: {error.strerror or error}.", hint) from error
    except ValueError as error:
        raise LastmileError(f"{path} is not JSON: {error}.", hint) from error
    except LastmileError as error:
        raise LastmileError(f"{path}: {error.message}", error.hint or hint) from error


def read_one(path: Path, deployment: str) -> Estimate:
    """Return the only estimate in such a file. Raises LastmileError as `read_all` does, and for several or another's."""
    found = list(read_all(path).values())
    if len(found) != 1 or found[0].deployment != deployment:
        has = ", ".join(one.deployment for one in found) or "none"
        raise LastmileError(
            f"{path} must have one estimate of {deployment}, but has {has}.",
            "Write it: lastmile estimate --json > estimate.json",
        )
    return found[0]


def from_json(document: Any) -> dict[str, Estimate]:
    """Return the estimates of a document by their shape's name. Raises LastmileError for what is none."""
    found = document.get("format") if isinstance(document, dict) else None
    if found != FORMAT:
        raise LastmileError(
            f"its format is {found!r}, but must be {FORMAT!r}.",
            "Write it: lastmile estimate --json > estimate.json",
        )
    try:
        return {one["shape"]: _read(one) for one in document["estimates"]}
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise LastmileError(
            f"it is no estimate ({type(error).__name__}: {error}).", "Write it anew: lastmile estimate --json"
        ) from error


def changes_to_json(diff: Diff) -> dict[str, Any]:
    """Return what changes, resource by resource; what stays is left out."""
    return {
        "before": text(diff.before.monthly) if diff.before else None,
        "after": text(diff.after.monthly),
        "delta": text(diff.delta),
        "percent": None if diff.percent is None else text(diff.percent),
        "resources": [
            {
                "type": line.any.type,
                "name": line.any.name,
                "fate": line.fate,
                "before": text(line.before.cost) if line.before else None,
                "after": text(line.after.cost) if line.after else None,
                "delta": text(line.delta),
            }
            for line in diff.of("added", "removed", "changed")
        ],
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    per_1000 = estimate.per_1000
    return {
        "deployment": estimate.deployment,
        "target": estimate.target,
        "region": estimate.region,
        "currency": estimate.currency,
        "monthly": text(estimate.monthly),
        "baseline": text(estimate.baseline),
        "usage": text(estimate.usage),
        "per_1000": None if per_1000 is None else text(per_1000),
        "free_tier": estimate.free_tier,
        "versions": [
            {
                "version": one.version,
                "share": text(one.share),
                "requests": text(one.requests),
                "own": text(one.own),
                "shared": text(one.shared),
                "monthly": text(one.monthly),
                "per_1000": None if one.per_1000 is None else text(one.per_1000),
            }
            for one in estimate.by_version()
        ],
        "traffic": _traffic(estimate.traffic),
        "resources": [_line(line) for line in estimate.lines],
        "prices": [price.to_json() for price in _prices(estimate)],
    }


def _traffic(traffic: Traffic) -> dict[str, Any]:
    return {
        **{name: text(getattr(traffic, name)) for name in _SAID},
        **{name: _texts(getattr(traffic, name)) for name in _TIMES},
        **{name: _text_or_none(getattr(traffic, name)) for name in _MAYBE},
        "measured": traffic.measured,
    }


def _text_or_none(value: Decimal | None) -> str | None:
    return None if value is None else text(value)


def _texts(values: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: text(value) for name, value in values.items()}


def _line(line: Line) -> dict[str, Any]:
    return {
        "type": line.type,
        "name": line.name,
        "status": line.status,
        "why": line.why,
        "monthly": text(line.cost),
        "tags": dict(line.tags),
        "components": [
            {
                "name": one.name,
                "meter": one.price.meter,
                "region": one.price.region,
                "unit": one.price.unit,
                "quantity": text(one.quantity),
                "unit_price": text(one.price.first),
                "monthly": text(one.cost),
                "usage_based": one.usage_based,
                "by_version": _texts(one.by_version),
            }
            for one in line.components
        ],
    }


def _prices(estimate: Estimate) -> Iterable[Price]:
    found = {(one.price.meter, one.price.region): one.price for one in estimate.components}
    return (found[key] for key in sorted(found))


def _read(said: Mapping[str, Any]) -> Estimate:
    prices = {(one["meter"], one["region"]): Price.from_json(one) for one in said["prices"]}
    return Estimate(
        deployment=said["deployment"],
        target=said["target"],
        region=said["region"],
        currency=said["currency"],
        traffic=_read_traffic(said["traffic"]),
        versions={one["version"]: Decimal(one["share"]) for one in said["versions"]},
        lines=tuple(_read_line(one, prices) for one in said["resources"]),
        free_tier=said["free_tier"],
    )


def _read_traffic(said: Mapping[str, Any]) -> Traffic:
    numbers: dict[str, Any] = {name: Decimal(said[name]) for name in _SAID}
    maybe: dict[str, Any] = {name: None if said[name] is None else Decimal(said[name]) for name in _MAYBE}
    times: dict[str, Any] = {name: _decimals(said[name]) for name in _TIMES}
    return Traffic(
        **numbers,
        **times,
        **maybe,
        measured=said["measured"],
    )


def _decimals(said: Mapping[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(value) for name, value in said.items()}


def _read_line(said: Mapping[str, Any], prices: Mapping[tuple[str, str], Price]) -> Line:
    components = tuple(
        Component(
            one["name"],
            Decimal(one["quantity"]),
            prices[one["meter"], one["region"]],
            Decimal(one["monthly"]),
            one["usage_based"],
            _decimals(one["by_version"]),
        )
        for one in said["components"]
    )
    return Line(said["type"], said["name"], said["status"], components, said["why"], dict(said["tags"]))
