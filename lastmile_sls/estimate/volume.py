"""How much of what a deployment's month is, by version, as every cloud's meters count it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from lastmile_sls.estimate.document import HOURS, NOTHING, Component, FunctionLoad, Kind, Work
from lastmile_sls.estimate.month import Month

KIB_PER_GIB = Decimal(2**20)
"""Of the GB of AWS's and Azure's storage and bandwidth too."""
DAYS = HOURS / 24
"""Of a month."""

ByVersion = Mapping[str, Decimal]
"""Quantities by version."""


def count(work: Iterable[Work], *kinds: Kind) -> dict[str, Decimal]:
    """Return how often each version works, for these reasons or for any."""
    found: dict[str, Decimal] = {}
    for one in work:
        if one.kind in kinds or not kinds:
            found[one.version] = found.get(one.version, NOTHING) + one.count
    return found


def total(amounts: ByVersion) -> Decimal:
    """Return the sum over versions."""
    return sum(amounts.values(), NOTHING)


def times(amounts: ByVersion, factor: Decimal) -> dict[str, Decimal]:
    """Return each amount so many times."""
    return {version: amount * factor for version, amount in amounts.items()}


def plus(*amounts: ByVersion) -> dict[str, Decimal]:
    """Return the sum by version."""
    versions = dict.fromkeys(version for one in amounts for version in one)
    return {version: sum((one.get(version, NOTHING) for one in amounts), NOTHING) for version in versions}


def router_of(month: Month) -> FunctionLoad:
    """Return the load of the function that callers, the queue and the clock reach."""
    return month.loads[month.plan["endpoint"]["function"]]


def requests(month: Month) -> dict[str, Decimal]:
    """Return the requests that come in: one for each answer, and one more where the answer is fetched later."""
    return count(router_of(month).work, "request")


def answers(month: Month) -> dict[str, Decimal]:
    """Return the answers that go out: what is answered later is accepted first, with a few bytes, and fetched once."""
    later = count(router_of(month).work, "job")
    return {version: number - later.get(version, NOTHING) for version, number in requests(month).items()}


def sent_gib(month: Month) -> dict[str, Decimal]:
    """Return the bodies of all answers, in GiB."""
    return times(answers(month), month.traffic.response_kb / KIB_PER_GIB)


def taken_gib(month: Month) -> dict[str, Decimal]:
    """Return the bodies of all requests, in GiB."""
    return times(answers(month), month.traffic.request_kb / KIB_PER_GIB)


def logged_kb(month: Month, work: Iterable[Work]) -> dict[str, Decimal]:
    """Return what functions write to the log, in KiB: each time that they work leaves as much as a request."""
    return times(count(work), month.traffic.log_kb)


def used(month: Month, name: str, meter: str, by_version: ByVersion, besides: Decimal = NOTHING) -> Component:
    """Return a component that follows the traffic: what each version alone causes, and what is everybody's."""
    return month.component(name, meter, total(by_version) + besides, usage_based=True, by_version=by_version)
