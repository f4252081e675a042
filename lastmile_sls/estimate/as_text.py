"""An estimate as lines for a terminal: each meter, then what a month and a thousand predictions cost. Pure."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from lastmile_sls.estimate.diff import Diff
from lastmile_sls.estimate.document import Component, Estimate, Line
from lastmile_sls.estimate.figures import amount, change, fine, percent, quantity, unit_price
from lastmile_sls.estimate.notes import free_units, price_dates, warnings

_GAP = "  "
_HEADINGS = ("", "quantity", "unit", "a unit", "a month")
_RIGHT = (False, True, False, True, True)
_NARROWEST, _WIDEST = 64, 120
_SHORTEST_NAME = 16


def changes_of(diff: Diff, width: int) -> Iterator[str]:
    """Yield what changes: the month before and after, and each resource whose part is another one."""
    after, before = diff.after, diff.before
    if before is None:
        yield f"nothing is deployed: all {amount(after.monthly)} {after.currency} a month are new"
        return
    share = "" if diff.percent is None else f", {change(diff.percent)} %"
    yield (
        f"now {amount(before.monthly)}, then {amount(after.monthly)} {after.currency} a month: "
        f"{change(diff.delta)}{share}"
    )
    changed = [line for line in diff.of("added", "removed", "changed") if line.components]
    for line in sorted(changed, key=lambda one: (-abs(one.delta), one.any.name)):
        sign = {"added": "+", "removed": "-"}.get(line.fate, "~")
        yield _short(f"  {sign} {_kind(line.any)} {line.any.name}  {change(line.delta)}", width)
        for one in line.components:
            if line.fate == "changed" and one.is_one:
                yield _short(f"      {one.any.name}  {change(one.delta)}", width)
    quiet = [line for line in diff.of("added", "removed") if not line.components]
    if quiet:
        others = (
            "one that costs nothing by itself"
            if len(quiet) == 1
            else f"{len(quiet)} that cost nothing by themselves"
        )
        yield f"  and {others}"


def lines_of(estimate: Estimate, shape: str, width: int, today: date) -> Iterator[str]:
    """Yield the lines, none longer than `width` where its words allow that."""
    width = max(_NARROWEST, min(width, _WIDEST))
    traffic = estimate.traffic
    named = f", {shape}" if shape else ""
    where = f"{estimate.deployment} on {estimate.target}, {estimate.region}{named}"
    yield f"{where}: {quantity(traffic.requests)} requests a month"
    yield from _wrapped(_durations(estimate), width, "  ")
    yield ""
    yield from _table(estimate, width)
    yield ""
    yield from _totals(estimate, width)
    if len(estimate.by_version()) > 1:
        yield ""
        yield from _versions(estimate, width)
    yield ""
    yield from _notes(estimate, width, today)


def _durations(estimate: Estimate) -> str:
    traffic = estimate.traffic
    times = ", ".join(f"{version} {quantity(ms)} ms" for version, ms in traffic.duration_ms.items())
    cold = f"; cold starts: {percent(traffic.cold_share)}"
    slowest = max(traffic.init_ms.values(), default=Decimal(0))
    cold += f" of the requests, {quantity(slowest)} ms" if traffic.cold_share else ""
    how = f"; {traffic.measured}" if traffic.measured else ""
    return f"a request takes {times}{how}{cold}"


def _table(estimate: Estimate, width: int) -> Iterator[str]:
    """Yield the resources that cost something, the dearest first, each with its meters; `*` follows the traffic."""
    priced = sorted(
        (line for line in estimate.lines if line.status == "priced"), key=lambda line: (-line.cost, line.name)
    )
    rows = [_cells(component) for line in priced for component in line.components]
    widths = [max(len(row[n]) for row in (_HEADINGS, *rows)) for n in range(len(_HEADINGS))]
    room = width - sum(widths[1:]) - len(_GAP) * (len(widths) - 1)
    widths[0] = min(widths[0], max(room, _SHORTEST_NAME))
    yield _row(_HEADINGS, widths)
    for line in priced:
        yield _short(f"{_kind(line)} {line.name}", width)
        for component in line.components:
            yield _row(_cells(component), widths)


def _cells(one: Component) -> tuple[str, ...]:
    return (
        f"{'* ' if one.usage_based else '  '}{one.name}",
        quantity(one.quantity),
        one.price.unit,
        unit_price(one),
        amount(one.cost),
    )


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    told = [
        f"{_short(cell, width):>{width}}" if right else f"{_short(cell, width):<{width}}"
        for cell, width, right in zip(cells, widths, _RIGHT, strict=True)
    ]
    return _GAP.join(told).rstrip()


def _totals(estimate: Estimate, width: int) -> Iterator[str]:
    per_1000 = estimate.per_1000
    rows = [
        ("at rest", amount(estimate.baseline)),
        ("* by the traffic", amount(estimate.usage)),
        (f"a month, {estimate.currency}", amount(estimate.monthly)),
    ]
    if per_1000 is not None:
        rows.append(("1 000 predictions", fine(per_1000)))
    wide, right = max(len(name) for name, _ in rows), max(len(value) for _, value in rows)
    for name, value in rows:
        yield f"{name:<{wide}}{_GAP}{value:>{right}}"


def _versions(estimate: Estimate, width: int) -> Iterator[str]:
    headings = ("version", "share", "requests", "its own", "shared", "a month", "per 1 000")
    rows = [
        (
            one.version,
            percent(one.share),
            quantity(one.requests),
            amount(one.own),
            amount(one.shared),
            amount(one.monthly),
            "-" if one.per_1000 is None else fine(one.per_1000),
        )
        for one in estimate.by_version()
    ]
    widths = [max(len(row[n]) for row in (headings, *rows)) for n in range(len(headings))]
    for row in (headings, *rows):
        first, *others = (
            f"{cell:<{w}}" if n == 0 else f"{cell:>{w}}"
            for n, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        yield _GAP.join([first, *others]).rstrip()
    yield from _wrapped(
        "its own: what a version alone causes, by its billed duration; shared: the rest, by its share of the requests",
        width,
        "  ",
    )


def _notes(estimate: Estimate, width: int, today: date) -> Iterator[str]:
    free = Counter(_kind(line) for line in estimate.lines if line.status == "free")
    if free:
        told = ", ".join(f"{kind} {count}" if count > 1 else kind for kind, count in sorted(free.items()))
        many = "resource" if free.total() == 1 else "resources"
        yield from _wrapped(f"free, {free.total()} {many}: {told}", width)
    if dates := price_dates(estimate):
        oldest, newest = dates
        read = str(oldest) if oldest == newest else f"{oldest} to {newest}"
        yield from _wrapped(f"list prices, read {read}; taxes and agreements of yours are not in them", width)
    saved = sum((one.cost for one in free_units(estimate)), Decimal(0))
    if estimate.free_tier:
        yield from _wrapped(f"the account's free units have taken off {amount(saved)}", width)
    elif saved:
        yield from _wrapped(
            f"what an account has free each month would take off {amount(saved)}, if this were its only use: --free-tier",
            width,
        )
    for warning in warnings(estimate, today):
        yield from _wrapped(f"! {warning}", width, "", "  ")


def _kind(line: Line) -> str:
    return "provider" if ":providers:" in line.type else line.type.rpartition(":")[2]


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _wrapped(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
