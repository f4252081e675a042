"""From the traffic that is asked for, and what was measured, to a month that can be priced. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.document import NOTHING, WHOLE, Traffic
from lastmile_sls.estimate.traffic_file import EVERY, Shape
from lastmile_sls.plan.document import Plan

if TYPE_CHECKING:
    from lastmile_sls.estimate.duration import Measured

COLD_SHARE = Decimal("0.01")
""""Cold starts typically occur in under 1% of invocations" (docs.aws.amazon.com/lambda/latest/dg/
lambda-runtime-environment.html, "Cold starts and latency", read in a public copy 2026-11-30); no other cloud says it."""


def versions_of(plan: Plan) -> list[str]:
    """Return every version that is deployed."""
    return [version for function in plan["functions"] for version in function["versions"]]


def needs_measuring(shape: Shape, plan: Plan) -> bool:
    """Tell whether a version has no duration, or a cold start's is not said."""
    without = EVERY not in shape.duration and not set(versions_of(plan)) <= shape.duration.keys()
    return without or (shape.init_ms is None and shape.cold_share != 0)


def traffic_of(shape: Shape, plan: Plan, measured: Measured | None, processors: Decimal) -> Traffic:
    """Return the month.

    Args:
        shape: What is asked for; it says how many requests there are.
        plan: What is deployed.
        measured: What was measured; None where the shape says all, or nothing can be measured.
        processors: An instance's. What was measured keeps one busy: with less than one it takes so much longer, and no more
            requests than there are share an instance's time.

    Raises LastmileError for a version that is not deployed, for one without a duration, and for a duration that no function
    may take.
    """
    assert shape.requests is not None
    _check(shape, plan)
    longer = WHOLE / min(WHOLE, processors)
    times = measured.versions if measured else {}
    warm = {version: one.warm * longer for version, one in times.items()}
    rows = {version: one.row * longer for version, one in times.items() if one.row is not None}
    said = {version: shape.duration.get(version, shape.duration.get(EVERY)) for version in versions_of(plan)}
    given = {version: ms for version, ms in said.items() if ms is not None}
    return Traffic(
        requests=shape.requests,
        duration_ms={**warm, **given},
        init_ms=_init_ms(shape, plan, measured, longer),
        request_kb=_or(shape.request_kb, WHOLE),
        response_kb=_or(shape.response_kb, WHOLE),
        log_kb=_or(shape.log_kb, WHOLE),
        peak_concurrency=_or(shape.peak, WHOLE),
        cold_share=_or(shape.cold_share, COLD_SHARE),
        later_share=_or(shape.later_share, NOTHING),
        rows=_or(shape.rows, NOTHING),
        row_ms=_row_ms(shape, plan, rows, given),
        at_once=max(WHOLE, processors // 1) if times.keys() - given.keys() else None,
        effective_concurrency=shape.concurrency,
        measured=_told(given, measured, longer, processors),
    )


def _check(shape: Shape, plan: Plan) -> None:
    known, longest = versions_of(plan), plan["functions"][0]["timeout_s"] * 1000
    for version, ms in shape.duration.items():
        if version not in (*known, EVERY):
            raise LastmileError(
                f"--duration names {version}, but {plan['deployment']} has {', '.join(known)}.",
                "Name one of them, or give one duration for all: --duration MS",
            )
        if ms > longest:
            raise LastmileError(
                f"the duration of {'every version' if version == EVERY else version} is {ms:f} ms, but resources.timeout_s "
                f"is {longest // 1000}: a request is given up then.",
                "Write milliseconds, or raise resources.timeout_s.",
            )


def _init_ms(shape: Shape, plan: Plan, measured: Measured | None, longer: Decimal) -> Mapping[str, Decimal]:
    """Return what a cold start takes before its first request is worked on, by function: of its slowest version."""
    found = {}
    for function in plan["functions"]:
        times = [
            measured.versions[id_] for id_ in function["versions"] if measured and id_ in measured.versions
        ]
        slowest = max((one.first - one.warm for one in times), default=NOTHING)
        found[function["name"]] = (
            shape.init_ms if shape.init_ms is not None else max(NOTHING, slowest * longer)
        )
    return found


def _row_ms(
    shape: Shape, plan: Plan, measured: Mapping[str, Decimal], given: Mapping[str, Decimal]
) -> Mapping[str, Decimal]:
    """Return what a row of a file takes: what is said, else what was measured where the duration was."""
    if shape.row_ms is not None:
        return dict.fromkeys(versions_of(plan), shape.row_ms)
    return {version: ms for version, ms in measured.items() if version not in given}


def _told(
    given: Mapping[str, Decimal], measured: Measured | None, longer: Decimal, processors: Decimal
) -> str:
    times = {
        version: one
        for version, one in (measured.versions if measured else {}).items()
        if version not in given
    }
    parts = [f"given for {' and '.join(given)}"] if given else []
    if times and measured:
        fewest = min(one.count for one in times.values())
        whose = (
            "this machine's own bundle" if measured.bundle == "local" else f"the bundle for {measured.bundle}"
        )
        parts.append(
            f"measured for {' and '.join(times)} on this machine ({measured.machine}; {whose}): the median of {fewest} warm "
            "requests with certified examples"
        )
        if longer > 1:
            parts.append(
                f"lengthened {longer:.2f} times, because an instance has {processors:.2f} processors"
            )
    return "; ".join(parts)


def _or(said: Decimal | None, default: Decimal) -> Decimal:
    return default if said is None else said
