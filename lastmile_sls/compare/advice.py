"""Says what to take, and why, in plain sentences; and what the numbers rest on. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from math import ceil

from lastmile_sls.compare.document import Candidate, Column, Here, Lead
from lastmile_sls.compare.money import count, each, money, times
from lastmile_sls.estimate.document import NOTHING, Estimate
from lastmile_sls.estimate.notes import warnings
from lastmile_sls.targets.processors import FLEX_PROCESSORS, MB_PER_PROCESSOR

_LAMBDA = "docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"
_FLEX = "learn.microsoft.com/azure/azure-functions/flex-consumption-plan"


def reason_between(cheap: Estimate, dear: Estimate) -> str:
    """Return why one month costs less than another: what it has for less, the larger saving first.

    `while nobody calls it costs 0.10 USD and gcp 18.25 USD (most of it: Forwarding rule)`.
    """
    savings = sorted(
        (
            (dear.baseline - cheap.baseline, _of_baseline(cheap, dear)),
            (dear.usage - cheap.usage, _of_usage(cheap, dear)),
        ),
        key=lambda saving: -saving[0],
    )
    return ", and ".join(told for saved, told in savings if saved > 0) or f"it costs as much as {dear.target}"


def _of_baseline(cheap: Estimate, dear: Estimate) -> str:
    ours = money(cheap.baseline, cheap.currency) if cheap.baseline else "nothing"
    theirs = f"{dear.target} {money(dear.baseline, dear.currency)}{_most(dear, usage_based=False)}"
    return f"while nobody calls it costs {ours}, {theirs}"


def _of_usage(cheap: Estimate, dear: Estimate) -> str:
    ours, theirs = (
        f"{each(one.usage / one.traffic.requests * 1000)} {one.currency}" for one in (cheap, dear)
    )
    return f"1\u00a0000 predictions add {ours}, on {dear.target} {theirs}{_most(dear, usage_based=True)}"


def _most(estimate: Estimate, *, usage_based: bool) -> str:
    """Return what takes the most of a part of the cost, where one thing does."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in estimate.lines:
        for component in line.components:
            if component.usage_based is usage_based:
                sums[component.price.name] += component.cost
    whole = sum(sums.values(), NOTHING)
    name = max(sums, key=lambda found: sums[found], default="")
    return f" (most of it: {name})" if whole and sums[name] * 2 > whole else ""


def advice_of(best: Candidate | None, columns: Sequence[Column], leads: Sequence[Lead]) -> tuple[str, ...]:
    """Return the sentences of the recommendation, the most important first."""
    if best is None or best.estimate is None:
        return ("No target can be recommended: none that carries this spec has a price.", *_left_out(columns))
    return (
        _take(best, best.estimate),
        *_instead_of(best, best.estimate, columns),
        *_size(best, best.estimate, columns),
        *_leads(leads),
        *_left_out(columns),
    )


def _take(best: Candidate, estimate: Estimate) -> str:
    requests, monthly = count(estimate.traffic.requests), money(estimate.monthly, estimate.currency)
    thousand = f"{each(estimate.per_1000)} {estimate.currency}"
    return f"Take {best.name}: {requests} requests a month cost {monthly}, which is {thousand} per 1\u00a0000 predictions."


def _instead_of(best: Candidate, estimate: Estimate, columns: Sequence[Column]) -> list[str]:
    others = sorted(
        (column.best for column in columns if column.best and column.best is not best),
        key=lambda one: one.monthly or NOTHING,
    )
    found = []
    for other in others:
        assert other.estimate is not None
        more = times(other.estimate.monthly, estimate.monthly)
        cost = money(other.estimate.monthly, estimate.currency)
        why = reason_between(estimate, other.estimate)
        found.append(f"{other.name} costs {cost}, {more}. On {best.size.target} {why}.")
    return found


def _size(best: Candidate, estimate: Estimate, columns: Sequence[Column]) -> list[str]:
    """Return why this size, where a smaller one of the target costs about as much, but is slower."""
    column = next(column for column in columns if column.target == best.size.target)
    slower = [
        one
        for one in column.enough
        if one.size.memory_mb < best.size.memory_mb
        and ceil(one.duration_ms or 0) > ceil(best.duration_ms or 0)
    ]
    if not slower or slower[-1].monthly is None:
        return []
    other = slower[-1]
    cost = money(slower[-1].monthly, estimate.currency)
    told = (
        f"{best.size.memory_mb} MB rather than {other.size.memory_mb} MB, which costs {cost}: a request takes "
        f"{best.duration_ms:.3g} ms instead of {other.duration_ms:.3g} ms."
    )
    return [told]


def _leads(leads: Sequence[Lead]) -> list[str]:
    if len(leads) < 2:
        return [
            f"{lead.target} is the cheapest at every volume from {count(lead.first)} to "
            f"{count(lead.last)} requests a month."
            for lead in leads
        ]
    found = []
    for n, lead in enumerate(leads):
        where = f"From {count(lead.first)} to {count(lead.last)}"
        if n == 0:
            where = f"Up to {count(lead.last)}"
        elif n == len(leads) - 1:
            where = f"From {count(lead.first)}"
        found.append(f"{where} requests a month {lead.target} is the cheapest: {lead.reason}.")
    return found


def _left_out(columns: Sequence[Column]) -> list[str]:
    return [f"{column.target} is not compared: {column.why}" for column in columns if column.why]


def notes_of(
    columns: Sequence[Column], here: Here, today: date, *, is_measured: bool, free_tier: bool
) -> tuple[str, ...]:
    """Return what the numbers rest on, and what is not in them."""
    priced = [candidate.estimate for column in columns if (candidate := column.best) and candidate.estimate]
    free = (
        "what an account has free each month is taken off, as if this were its only deployment"
        if free_tier
        else "nothing is taken off for what an account has free each month (--free-tier)"
    )
    return (
        f"List prices, without tax and discounts; {free}.",
        *_of_durations(priced, is_measured=is_measured),
        _of_cold_starts(here),
        "As the traffic grows, its shape is kept: payloads, shares, and the peak in proportion.",
        *_doubts(priced, today),
    )


def _of_durations(priced: Sequence[Estimate], *, is_measured: bool) -> list[str]:
    if not is_measured:
        return ["The durations that you gave are taken to be the same on every target and size."]
    told = next((one.traffic.measured.partition("; lengthened")[0] for one in priced), "")
    flex = ", ".join(f"{cpu:g} with {memory}" for memory, cpu in FLEX_PROCESSORS.items())
    rules = {
        "aws": f"Lambda has one processor with {MB_PER_PROCESSOR} MB, and in proportion ({_LAMBDA}).",
        "azure": f"Azure Functions has {flex} MB ({_FLEX}).",
    }
    model = (
        "A prediction is taken to keep one processor busy: with less than one it takes so much longer, and requests at once "
        "share no processor's time. That is a model; give what you measured yourself with --duration."
    )
    targets = {one.target for one in priced}
    return [
        *([f"Durations: {told}."] if told else []),
        model,
        *(rule for target, rule in rules.items() if target in targets),
    ]


def _of_cold_starts(here: Here) -> str:
    return (
        f"First answers are measured on {here.machine}, and not on a cloud. What a cloud adds, finding room and fetching "
        "the code, is not known."
    )


def _doubts(estimates: Sequence[Estimate], today: date) -> list[str]:
    """Return what makes the prices doubtful, each target's."""
    return [f"{one.target}: {warning}." for one in estimates for warning in warnings(one, today)]
