"""The report on a terminal: what fits 80 columns. Pure."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from decimal import Decimal

from lastmile_sls.costs.report import sentences
from lastmile_sls.costs.report.amounts import NOTHING, Amounts, exactly, total
from lastmile_sls.costs.report.document import CurrencyReport, Dimension, Line, Report
from lastmile_sls.costs.report.words import count, days, money, percent, rounding, small

WIDTH = 80
_MOST = 5
_GAP = "  "
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f]")
"""What a terminal would obey, were it in a tag."""
_LEAST_NAME = 16
HEADINGS: dict[Dimension, str] = {
    "model": "model",
    "environment": "environment",
    "version": "model and version",
    "owner": "owner",
    "cost_center": "cost center",
    "cloud": "cloud",
    "service": "service",
    "day": "day",
    "month": "month",
}


def text(report: Report, by: Dimension, width: int = WIDTH) -> str:
    """Return the report for people, no line wider than `width` unless a word is.

    Args:
        report: What was found.
        by: What the table has one line for each of.
        width: Characters.
    """
    with exactly():
        return "\n".join(_UNSEEN.sub("\ufffd", line) for line in _lines(report, by, width))


def _lines(report: Report, by: Dimension, width: int) -> Iterator[str]:
    if report.synthetic:
        yield sentences.SYNTHETIC
    yield from _wrapped(f"{sentences.title(report)} ({sentences.subtitle(report)})", width)
    for found in report.currencies:
        yield ""
        yield from _currency(report, found, by, width)
    yield from _dirty(report, width)
    if report.warnings or report.unbilled:
        yield ""
    for warning in report.warnings:
        yield from _wrapped(f"warning: {warning}", width)
    if report.unbilled:
        names = ", ".join(report.unbilled)
        yield from _wrapped(f"requests were counted, but nothing was billed, of: {names}", width)


def _currency(report: Report, found: CurrencyReport, by: Dimension, width: int) -> Iterator[str]:
    usage = found.usage
    yield from _wrapped(
        f"{found.currency}: {money(usage.effective)} effective, {money(usage.billed)} billed, "
        f"{money(usage.listed)} at list prices, {days(found.first, found.last)}",
        width,
    )
    if found.change:
        yield from _wrapped(sentences.change(found.change, found.currency), width, "  ")
    yield from _wrapped(sentences.forecast(found.forecast, found.currency), width, "  ")
    yield ""
    yield from _table(report, found, by, width)
    if found.charges:
        yield ""
        yield "on the bill, and no usage:"
        yield from _charges(found, width)
    yield ""
    yield from _untagged(report, found, width)
    if found.anomalies:
        yield ""
        yield f"what stands out ({len(found.anomalies)}):"
        for anomaly in found.anomalies[:_MOST]:
            yield from _wrapped(sentences.anomaly(anomaly, found.currency), width, "  ")
        if len(found.anomalies) > _MOST:
            yield f"  and {len(found.anomalies) - _MOST} more: see --html or --json"


def _table(report: Report, found: CurrencyReport, by: Dimension, width: int) -> Iterator[str]:
    """Yield one line for each key, and a total: the amounts that there is something to say of."""
    lines = found.lines[by]
    has_shared = any(line.shared != NOTHING for line in lines)
    prices = _prices(found) if by == "model" and report.has_counts else {}
    headings = ["effective", *(["with shared"] if has_shared else []), "billed", "list"]
    headings += ["per 1 000"] if prices else []

    def cells(own: Amounts, shared: Amounts, price: str) -> list[str]:
        together = [money(own.effective + shared.effective)] if has_shared else []
        return [
            money(own.effective),
            *together,
            money(own.billed),
            money(own.listed),
            *([price] if prices else []),
        ]

    rows = [
        (line.key or sentences.NOT_ATTRIBUTED, cells(line.own, line.shared, prices.get(line.key or "", "")))
        for line in lines
    ]
    whole = cells(total(line.own for line in lines), total(line.shared for line in lines), "")
    left = _rounding(lines, has_shared=has_shared)
    rows.append(("total", whole))
    if any(left):
        rows.append(("rounding, in the total", [money(one) if one else "" for one in left]))
    rows = [(name, [*row, ""][: len(headings)]) for name, row in rows]
    yield from _columns(HEADINGS[by], headings, rows, width)


def _rounding(lines: Sequence[Line], *, has_shared: bool) -> list[Decimal]:
    columns = [[line.own.effective for line in lines]]
    if has_shared:
        columns.append([line.own.effective + line.shared.effective for line in lines])
    columns.extend(([line.own.billed for line in lines], [line.own.listed for line in lines]))
    return [rounding(column, sum(column, Decimal(0))) for column in columns]


def _prices(found: CurrencyReport) -> dict[str, str]:
    """Return what a thousand predictions of a model cost, over its environments."""
    prices: dict[str, str] = {}
    for name in {model.model for model in found.models}:
        counts = [model.counted for model in found.models if model.model == name and model.counted]
        requests = sum(counted.requests for counted in counts)
        if requests:
            prices[name] = small(sum((counted.cost for counted in counts), Decimal(0)) * 1000 / requests)
    return prices


def _columns(
    heading: str, headings: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]], width: int
) -> Iterator[str]:
    widths = [max(len(headings[n]), *(len(cells[n]) for _, cells in rows)) for n in range(len(headings))]
    left = width - sum(widths) - len(_GAP) * len(widths)
    wide = max(_LEAST_NAME, min(left, max(len(heading), *(len(name) for name, _ in rows))))
    for name, cells in ((heading, headings), *rows):
        numbers = _GAP.join(f"{cell:>{one}}" for cell, one in zip(cells, widths, strict=True))
        yield f"{_cut(name, wide):<{wide}}{_GAP}{numbers}".rstrip()


def _charges(found: CurrencyReport, width: int) -> Iterator[str]:
    by_category: dict[str, Amounts] = {}
    for charge in found.charges:
        by_category[charge.category] = by_category.get(charge.category, NOTHING) + charge.amounts
    rows = [(f"  {name}", [money(one.effective), money(one.billed)]) for name, one in by_category.items()]
    yield from _columns("", ["effective", "billed"], rows, width)


def _untagged(report: Report, found: CurrencyReport, width: int) -> Iterator[str]:
    yield from _wrapped(sentences.not_attributed(found), width)
    if not report.asked.all_models:
        return
    for service in found.untagged[:_MOST]:
        named = (
            f"; {count(service.resource_count, 'resource')} without tags" if service.resource_count else ""
        )
        share = f"{percent(service.share)} of {money(service.whole)}"
        yield from _wrapped(
            f"{service.service} ({service.cloud}): {money(service.untagged)}, {share}{named}", width, "  "
        )
    if len(found.untagged) > _MOST:
        yield f"  and {count(len(found.untagged) - _MOST, 'more service')}: see --html or --json"


def _dirty(report: Report, width: int) -> Iterator[str]:
    if not report.dirty:
        return
    yield ""
    rows = sum(dirty.rows for dirty in report.dirty)
    yield f"{count(rows, 'row')} could not be read as they should:"
    for dirty in report.dirty[:_MOST]:
        counted = "counted all the same" if dirty.counted else "not counted"
        told = f"{dirty.file}: {dirty.reason}, {count(dirty.rows, 'row')}, {counted}"
        yield from _wrapped(told, width, "  ")
    if len(report.dirty) > _MOST:
        yield f"  and {count(len(report.dirty) - _MOST, 'more reason')}: see --html or --json"


def _wrapped(line: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(
        line,
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _cut(name: str, width: int) -> str:
    return name if len(name) <= width else f"{name[: width - 1]}…"
