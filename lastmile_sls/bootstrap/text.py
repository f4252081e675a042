"""How a bootstrap is told to a person: what it costs, what it will not do, what is done by hand, what comes next. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from lastmile_sls.bootstrap.bounds import Told, by_hand, will_not
from lastmile_sls.bootstrap.costs import PRICED_IN, Cost, costs_of, monthly_usd
from lastmile_sls.bootstrap.document import BootstrapPlan
from lastmile_sls.bootstrap.steps import next_steps

_NARROWEST, _WIDEST = 60, 110


def about(plan: BootstrapPlan, columns: int) -> str:
    """Return what it costs and will not do, and what is done by hand, in lines of at most so many columns."""
    width = _width(columns)
    costs = costs_of(plan)
    lines = [f"what it makes, and what that costs (list prices of {PRICED_IN[plan['target']]} in USD):"]
    for cost in costs:
        lines += _part(cost, width)
    lines += [
        f"  all of it, while nobody uses it: ${monthly_usd(costs):.2f} a month",
        "",
        "what it will not do:",
    ]
    lines += _bullets(will_not(plan), width)
    hands = by_hand(plan)
    if hands:
        lines += ["", "what you do by hand:", *_bullets(hands, width)]
    return "\n".join(lines)


def afterwards(plan: BootstrapPlan, columns: int) -> str:
    """Return the commands that come next; they are never broken, so that they can be copied."""
    lines = ["what comes next:"]
    for why, commands in next_steps(plan):
        lines += [*_wrapped(why, _width(columns), "  "), *(f"    {command}" for command in commands)]
    return "\n".join(lines)


def _part(cost: Cost, width: int) -> Iterator[str]:
    indent = " " * 18
    yield from _wrapped(cost.what, width, f"  {cost.part:<16}", indent)
    yield from _wrapped(cost.price, width, indent)
    yield f"{indent}{cost.stated}"


def _bullets(told: Iterable[Told], width: int) -> Iterator[str]:
    for one in told:
        yield from _wrapped(one.text, width, "  - ", "    ")
        if one.command:
            yield f"      {one.command}"


def _wrapped(text: str, width: int, first: str, rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _width(columns: int) -> int:
    return max(_NARROWEST, min(columns, _WIDEST))
