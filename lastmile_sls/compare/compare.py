"""Compares targets and sizes: prices each at the traffic, finds where their curves cross, and says what to take. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import combinations, pairwise
from math import ceil
from typing import TYPE_CHECKING

from lastmile_sls.compare.advice import advice_of, notes_of, reason_between
from lastmile_sls.compare.curves import grid, stretches
from lastmile_sls.compare.document import (
    Candidate,
    Column,
    Comparison,
    Crossing,
    Curve,
    Here,
    Lead,
    Offer,
    Point,
)
from lastmile_sls.compare.resize import resized_plan, resized_resources
from lastmile_sls.compare.sizes import Size
from lastmile_sls.estimate.document import NOTHING, WHOLE, Estimate, Traffic
from lastmile_sls.estimate.traffic import traffic_of
from lastmile_sls.estimate.traffic_file import EVERY, Shape
from lastmile_sls.plan.document import Plan, Target
from lastmile_sls.plan.make import deployment_name
from lastmile_sls.policy.resource import Resource
from lastmile_sls.prices.book import UnpricedError
from lastmile_sls.spec.model import Spec
from lastmile_sls.targets.compare import Row

if TYPE_CHECKING:
    from lastmile_sls.estimate.duration import Measured

CLOSE = Decimal("1.05")
"""Sizes of a target whose prices are no further apart cost about the same, so that the quicker one is the better one."""


Pricing = Callable[[Plan, Sequence[Resource], Traffic], Estimate]
"""What a month costs (see `lastmile_sls.estimate.estimate`); it raises UnpricedError where a meter has no price."""


@dataclass(frozen=True)
class Question:
    """What is asked of every target."""

    spec: Spec
    shape: Shape
    """The month."""
    price: Pricing
    here: Here
    today: date
    measured: Measured | None = None
    """How long the versions take on a whole processor; None where the shape says it of all."""
    free_tier: bool = False
    """Whether the price is without what an account has free each month."""

    @property
    def requests(self) -> Decimal:
        """In the month."""
        assert self.shape.requests is not None
        return self.shape.requests

    @property
    def is_measured(self) -> bool:
        """Whether a version's duration is not said."""
        return not says_durations(self.shape, [version.id for version in self.spec.versions])


def says_durations(shape: Shape, versions: Sequence[str]) -> bool:
    """Tell whether a shape has a duration for every version."""
    return EVERY in shape.duration or set(versions) <= shape.duration.keys()


def compare(offers: Sequence[Offer], question: Question, rows: Sequence[Row]) -> Comparison:
    """Return the comparison.

    Args:
        offers: The targets.
        question: The spec, its month and the prices.
        rows: What each target allows of what the spec asks for.

    Raises LastmileError for traffic that the spec has no way for, or a version whose duration is not known.
    """
    columns = _of_one_currency([_column(offer, question) for offer in offers])
    cheapest = min((column for column in columns if column.best), key=_least, default=None)
    best = cheapest.best if cheapest else None
    priced = {column.target: _pricer(column, question) for column in columns if column.best}
    leads = _leads(priced, question)
    crossings = _crossings(priced, leads)
    return Comparison(
        deployment=deployment_name(question.spec),
        requests=question.requests,
        currency=best.estimate.currency if best and best.estimate else "",
        here=question.here,
        is_measured=question.is_measured,
        columns=tuple(columns),
        rows=tuple(rows),
        curves=tuple(_curve_of(target, price) for target, price in priced.items()),
        crossings=tuple(crossings),
        leads=tuple(leads),
        best=best,
        advice=advice_of(best, columns, leads),
        notes=notes_of(
            *(columns, question.here, question.today),
            is_measured=question.is_measured,
            free_tier=question.free_tier,
        ),
    )


def shape_of(shape: Shape, requests: Decimal) -> Shape:
    """Return the same traffic with so many requests: the peak grows with them, and is never below one."""
    assert shape.requests is not None
    peak = None if shape.peak is None else max(WHOLE, shape.peak * requests / shape.requests)
    return replace(shape, requests=requests, peak=peak)


def _column(offer: Offer, question: Question) -> Column:
    candidates = tuple(_candidate(offer, size, question) for size in offer.sizes)
    priced = [candidate for candidate in candidates if candidate.estimate]
    if priced:
        enough = tuple(_enough(priced, question))
        return Column(offer, candidates, enough, _best(enough))
    if offer.why:
        return Column(offer, candidates, (), None, offer.why)
    refused = " ".join(str(refusal) for refusal in offer.fit.refusals)
    return Column(offer, candidates, (), None, refused or next(one.why for one in candidates if one.why))


def _candidate(offer: Offer, size: Size, question: Question) -> Candidate:
    why = _why_not(offer, size, question)
    if why:
        return Candidate(size, None, why)
    try:
        return Candidate(size, _estimate(offer, size, question, question.requests))
    except UnpricedError as error:
        return Candidate(size, None, str(error))


def _why_not(offer: Offer, size: Size, question: Question) -> str:
    """Return why a size cannot be taken, before anything is priced; empty where it can."""
    if size.nearest_mb is not None:
        return f"{size.target} has no {size.memory_mb} MB; the nearest is {size.nearest_mb} MB."
    if size.fit.refusals:
        return " ".join(str(refusal) for refusal in size.fit.refusals)
    held = question.here.memory_mb
    if held is not None and held > size.memory_mb:
        return f"A process held {held:.0f} MB here until its first answer."
    return offer.why


def _enough(priced: Sequence[Candidate], question: Question) -> list[Candidate]:
    """Return the sizes that have the memory: what the spec asks for, or what was measured here that a process holds."""
    if question.here.memory_mb is not None:
        return list(priced)
    own = question.spec.resources.memory_mb
    return [one for one in priced if one.size.memory_mb >= own] or list(priced)


def _best(enough: Sequence[Candidate]) -> Candidate:
    """Return the size to take: of those that cost about as much as the cheapest the quickest, by whole milliseconds; of
    equals the spec's own.
    """
    cheapest = min(one.monthly or NOTHING for one in enough)
    close = [one for one in enough if (one.monthly or NOTHING) <= cheapest * CLOSE]
    return min(
        close, key=lambda one: (ceil(one.duration_ms or 0), not one.size.is_specs, one.monthly or NOTHING)
    )


def _estimate(offer: Offer, size: Size, question: Question, requests: Decimal) -> Estimate:
    assert offer.plan is not None
    assert size.processors is not None
    plan = resized_plan(offer.plan, size.spec)
    resources = resized_resources(offer.resources, plan)
    shape = shape_of(question.shape, requests)
    traffic = traffic_of(shape, plan, question.measured, size.processors)
    return question.price(plan, resources, traffic)


def _of_one_currency(columns: Sequence[Column]) -> list[Column]:
    """Return the columns without those whose prices are in another currency than the first one's that has any."""
    first = next((c.best.estimate.currency for c in columns if c.best and c.best.estimate), "")
    found = []
    for column in columns:
        other = column.best.estimate.currency if column.best and column.best.estimate else first
        told = f"its prices are in {other}, the others' in {first}. lastmile prices refresh --target {column.target}"
        found.append(column if other == first else replace(column, best=None, why=told))
    return found


_Pricer = Callable[[int], tuple[Size, Estimate]]
"""The cheapest of a target's sizes by requests in the month, and what it costs."""


def _pricer(column: Column, question: Question) -> _Pricer:
    """Return what a target costs by requests in the month; nothing is computed twice."""

    def cheapest(requests: int) -> tuple[Size, Estimate]:
        found = [
            (one.size, _estimate(column.offer, one.size, question, Decimal(requests)))
            for one in column.enough
        ]
        return min(found, key=lambda one: one[1].monthly)

    return cache(cheapest)


def _least(column: Column) -> Decimal:
    return min(one.monthly or NOTHING for one in column.enough)


def _curve_of(target: Target, price: _Pricer) -> Curve:
    points = []
    for requests in grid():
        size, estimate = price(requests)
        points.append(Point(requests, estimate.monthly, size.memory_mb))
    return Curve(target, tuple(points))


def _curve(price: _Pricer) -> Callable[[int], Decimal]:
    return lambda requests: price(requests)[1].monthly


def _leads(priced: Mapping[Target, _Pricer], question: Question) -> list[Lead]:
    """Return which target is the cheapest of all where, and why: against the one that takes over, or took over from."""
    if not priced:
        return []
    targets, pricers = list(priced), list(priced.values())
    found = stretches([_curve(price) for price in pricers], grid())
    leads = []
    for n, stretch in enumerate(found):
        at = stretch.last if n + 1 < len(found) else stretch.first
        if len(found) == 1:
            at = int(question.requests)
            rival = _next_to(stretch.curve, pricers, at)
        else:
            rival = found[n + 1 if n + 1 < len(found) else n - 1].curve
        reason = "" if rival is None else reason_between(pricers[stretch.curve](at)[1], pricers[rival](at)[1])
        leads.append(Lead(targets[stretch.curve], stretch.first, stretch.last, reason))
    return leads


def _next_to(cheapest: int, pricers: Sequence[_Pricer], requests: int) -> int | None:
    others = [n for n in range(len(pricers)) if n != cheapest]
    return min(others, key=lambda n: pricers[n](requests)[1].monthly, default=None)


def _crossings(priced: Mapping[Target, _Pricer], leads: Sequence[Lead]) -> list[Crossing]:
    """Return where each two curves cross, in the order of the requests."""
    changes = {(one.target, other.target, other.first) for one, other in pairwise(leads)}
    found = []
    for pair in combinations(priced, 2):
        months = stretches([_curve(priced[target]) for target in pair], grid())
        for before, after in pairwise(months):
            old, new = pair[before.curve], pair[after.curve]
            monthly = priced[new](after.first)[1].monthly
            leads_change = (old, new, after.first) in changes
            found.append(Crossing(after.first, monthly, old, new, leads_change))
    return sorted(found, key=lambda crossing: crossing.requests)
