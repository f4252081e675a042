"""The report as one HTML page, for people of finance who have never heard of the project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from lastmile_sls import page
from lastmile_sls.costs.forecast import Forecast
from lastmile_sls.costs.report import sentences
from lastmile_sls.costs.report.amounts import NOTHING, ZERO, exactly
from lastmile_sls.costs.report.document import CurrencyReport, Dimension, Report
from lastmile_sls.costs.report.html_tables import (
    charges_table,
    dimension_table,
    dirty_table,
    models_table,
    resources_table,
    services_of,
    sources_table,
    untagged_table,
    versions_table,
)
from lastmile_sls.costs.report.words import count, days, money, percent, signed, small

_DRAWN = 6
"""So many models have a colour of their own in the chart of days."""
_MOST_DAYS = 124
"""Four months: of a longer time, a bar is a month."""
_DETAILED = 60
_NAMED = 25
"""Days that stand out."""
_DIMENSIONS: dict[Dimension, str] = {
    "cloud": "Cloud",
    "environment": "Environment",
    "owner": "Owner",
    "cost_center": "Cost centre",
    "month": "Month",
}
_BANNER = "Synthetic example. Every number on this page is made up, to show what a report looks like; nothing was billed."
_INTRODUCTION = (
    "A model is a program that answers questions, such as what a house is worth. Each one runs on cloud services, whose "
    "resources bear tags that name the model, its environment, its owner and its cost centre. This page adds up what "
    "the clouds' bills say of them."
)


def render(report: Report) -> page.Markup:
    """Return the page."""
    with exactly():
        sections = [part for found in report.currencies for part in _sections(report, found)]
        sections.extend(_of_all(report))
        body = page.together(
            page.paragraph(_INTRODUCTION),
            *_warnings(report),
            *(_facts(report, found) for found in report.currencies),
            page.contents(heading for heading, _ in sections),
            *(page.section(heading, content) for heading, content in sections),
        )
        return page.document(
            sentences.title(report),
            body,
            subtitle=sentences.subtitle(report),
            note=_BANNER if report.synthetic else "",
        )


def _warnings(report: Report) -> list[page.Markup]:
    told = list(report.warnings)
    if report.dirty:
        rows = sum(dirty.rows for dirty in report.dirty)
        told.append(f"{count(rows, 'row')} could not be read as they should: see the files below.")
    if len(report.currencies) > 1:
        names = ", ".join(found.currency for found in report.currencies)
        told.append(f"The bills are in {names}. Each has its own part of this page; they are never added up.")
    return [page.banner(text) for text in told]


def _facts(report: Report, found: CurrencyReport) -> page.Markup:
    currency, usage = found.currency, found.usage
    entries = [
        (
            f"Usage in {currency}",
            f"{money(usage.effective)}",
            f"effective cost, {days(found.first, found.last)}",
        ),
        ("Billed", money(usage.billed), f"at list prices {money(usage.listed)}"),
    ]
    if report.asked.all_models:
        untagged = money(found.unattributed.effective)
        entries.append(("Attributed to no model", percent(found.untagged_share), f"{untagged} of the usage"))
    if found.change and found.change.percent is not None:
        before = f"{(found.change.month - timedelta(days=1)):%B}"
        span = "" if found.change.whole else f", first {found.change.days} days of both"
        entries.append(
            (
                f"{found.change.month:%B} to {before}",
                signed(found.change.percent),
                f"after {money(found.change.before)}{span}",
            )
        )
    if isinstance(found.forecast, Forecast):
        expected = found.forecast
        entries.append(
            (
                f"Forecast of {expected.month:%B}",
                money(expected.expected),
                f"{money(expected.low)} to {money(expected.high)}",
            )
        )
    return page.facts(entries)


def _sections(report: Report, found: CurrencyReport) -> Iterable[tuple[str, page.Markup]]:
    currency = found.currency
    if found.models or found.lines["model"]:
        yield f"By model, {currency}", _models(report, found)
        yield f"By day, {currency}", _by_day(found)
        yield f"By service and owner, {currency}", _dimensions(found)
    if found.charges:
        explained = "On the bill, but not caused by requests: they are in none of the numbers above."
        yield (
            f"Purchases, taxes, credits, {currency}",
            page.together(page.paragraph(explained, quiet=True), charges_table(found)),
        )
    yield f"Not attributed, {currency}", _not_attributed(report, found)
    yield f"What stands out, {currency}", _anomalies(found)


def _models(report: Report, found: CurrencyReport) -> page.Markup:
    with_shared = any(line.shared != NOTHING for line in found.lines["model"])
    parts = [
        page.paragraph(
            f"All amounts are {found.currency}. Effective cost spreads commitments over what used them; billed is what "
            "the invoices have.",
            quiet=True,
        ),
        models_table(found, with_shared=with_shared, with_counts=report.has_counts),
    ]
    if not report.has_counts:
        parts.append(
            page.paragraph(
                "The price of 1 000 predictions needs counts of requests: lastmile usage writes them, and "
                "lastmile costs --usage FILE reads them.",
                quiet=True,
            )
        )
    for model in found.models[:_DETAILED]:
        told = [services_of(model, found.currency), versions_table(model, found.currency)]
        if model.counted and model.counted.per_1000 is not None:
            price = f"{small(model.counted.per_1000)} {found.currency} for 1 000 predictions"
            told.insert(
                0, page.paragraph(f"{price}, on {count(model.counted.days, 'day')} with counts of requests.")
            )
        told.append(page.paragraph(sentences.forecast(model.forecast, found.currency), quiet=True))
        parts.append(page.folded(f"{model.name}: services, versions, forecast", *told))
    if len(found.models) > _DETAILED:
        parts.append(
            page.paragraph(f"{len(found.models) - _DETAILED} more models: see the JSON document.", quiet=True)
        )
    return page.together(*parts)


def _by_day(found: CurrencyReport) -> page.Markup:
    of = "month" if _by_month(found) else "day"
    return page.together(
        page.bar_chart(
            f"Effective cost by {of}, {found.currency}",
            f"Usage from {days(found.first, found.last)}. The dearest models have a colour each.",
            _series(found),
            page.Axis(of),
            page.Axis(found.currency, show=lambda value: f"{money(Decimal(str(value)))} {found.currency}"),
        ),
        page.paragraph(sentences.forecast(found.forecast, found.currency)),
        page.paragraph(sentences.change(found.change, found.currency)) if found.change else "",
    )


def _series(found: CurrencyReport) -> list[page.Series]:
    """Return what is drawn: the dearest models, the others added up, and what is not attributed."""
    named = sorted(
        (name for name in found.days if name is not None), key=lambda name: (-_sum(found.days[name]), name)
    )
    drawn, others = named[:_DRAWN], named[_DRAWN:]
    series = [page.Series(name, _points(found, [found.days[name]])) for name in drawn]
    if others:
        told = _points(found, [found.days[name] for name in others])
        series.append(page.Series(f"{len(others)} others", told))
    if None in found.days:
        series.append(page.Series(sentences.NOT_ATTRIBUTED, _points(found, [found.days[None]])))
    return series


def _points(
    found: CurrencyReport, added: Sequence[Mapping[date, Decimal]]
) -> list[tuple[date | str, Decimal]]:
    """Return what each day cost, or each month where a page has no room for the days."""
    span = [found.first + timedelta(days=n) for n in range((found.last - found.first).days + 1)]
    costs = [(day, sum((one.get(day, ZERO) for one in added), ZERO)) for day in span]
    if not _by_month(found):
        return list(costs)
    months: dict[str, Decimal] = {}
    for day, cost in costs:
        months[f"{day:%Y-%m}"] = months.get(f"{day:%Y-%m}", ZERO) + cost
    return list(months.items())


def _by_month(found: CurrencyReport) -> bool:
    return (found.last - found.first).days >= _MOST_DAYS


def _sum(days_of: Mapping[date, Decimal]) -> Decimal:
    return sum(days_of.values(), ZERO)


def _dimensions(found: CurrencyReport) -> page.Markup:
    tables = [dimension_table(found, "service", "Service")]
    for dimension, heading in _DIMENSIONS.items():
        if len(found.lines[dimension]) > 1:
            tables.append(dimension_table(found, dimension, heading))
    return page.together(*tables)


def _not_attributed(report: Report, found: CurrencyReport) -> page.Markup:
    told = [page.paragraph(sentences.not_attributed(found))]
    if found.untagged and report.asked.all_models:
        why = (
            "A resource without the tag model is nobody's on the bill. Tag it, and switch the tag on in the cloud's "
            "billing (lastmile bootstrap does), and the next bill tells whose it is."
        )
        told.extend((page.paragraph(why, quiet=True), untagged_table(found), resources_table(found)))
    return page.together(*told)


def _anomalies(found: CurrencyReport) -> page.Markup:
    if not found.anomalies:
        return page.paragraph("No day of any service cost far more than usual.")
    told = page.listed(sentences.anomaly(one, found.currency) for one in found.anomalies[:_NAMED])
    more = len(found.anomalies) - _NAMED
    return page.together(
        told, *([page.paragraph(f"{more} more: see the JSON document.", quiet=True)] if more > 0 else [])
    )


def _of_all(report: Report) -> Iterable[tuple[str, page.Markup]]:
    files = [sources_table(report)]
    if report.dirty:
        files.extend((page.paragraph("Rows that could not be read as they should:"), dirty_table(report)))
    if report.unbilled:
        names = ", ".join(report.unbilled)
        files.append(page.paragraph(f"Requests were counted, but nothing was billed, of: {names}."))
    yield "Which files", page.together(*files)
    yield "How it was calculated", page.listed(sentences.method(report))
