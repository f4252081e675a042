"""A comparison as an HTML page, for people who have never seen lastmile: what to take on top, then why, then everything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from lastmile_sls import page
from lastmile_sls.certification.first_answer import FirstAnswer
from lastmile_sls.compare.document import Candidate, Column, Comparison, Crossing, Here
from lastmile_sls.compare.money import count, each, figure, money
from lastmile_sls.estimate.figures import price as exact
from lastmile_sls.estimate.notes import prices_of
from lastmile_sls.page import Markup
from lastmile_sls.prices.book import Price

_CLOUDS = {"aws": "Amazon Web Services", "gcp": "Google Cloud", "azure": "Microsoft Azure"}


def page_of(found: Comparison, today: date) -> str:
    """Return the whole page, which asks no network for anything.

    Args:
        found: The comparison.
        today: When it was made.
    """
    requests = count(found.requests)
    body = page.together(
        _about(found),
        _what_to_take(found),
        _curves(found),
        _sizes(found),
        _allowed(found),
        _first_answers(found.here) if found.here.answers else Markup(""),
        _how(found),
    )
    subtitle = f"{requests} requests a month, compared on {today.day} {today:%B %Y}"
    return page.document(f"Where to run {found.deployment}", body, subtitle=subtitle)


def _about(found: Comparison) -> Markup:
    clouds = [f"{_CLOUDS[column.target]} ({column.target})" for column in found.columns]
    named = clouds[0] if len(clouds) == 1 else f"{', '.join(clouds[:-1])} and {clouds[-1]}"
    return page.paragraph(
        f"{found.deployment} is a trained model that answers requests over HTTPS. This page says what it would cost on "
        f"{named}, by their list prices, and whether each can carry it. Nothing of it is deployed for that."
    )


def _what_to_take(found: Comparison) -> Markup:
    best = found.best
    if best is None or best.estimate is None:
        return page.section("What to take", page.banner(found.advice[0]), page.listed(found.advice[1:]))
    estimate = best.estimate
    entries = [
        (
            "Take",
            f"{best.size.target}, {best.size.memory_mb} MB",
            f"{_CLOUDS[best.size.target]}, {estimate.region}",
        ),
        ("A month", money(estimate.monthly, estimate.currency), f"{count(found.requests)} requests"),
        (
            "1 000 predictions",
            f"{each(estimate.per_1000)} {estimate.currency}",
            f"{money(estimate.baseline, estimate.currency)} a month while nobody calls",
        ),
    ]
    if best.duration_ms is not None:
        entries.append(("A request", f"{best.duration_ms:.3g} ms", "in a process that is warm"))
    return page.section("What to take", page.facts(entries), page.listed(found.advice))


def _curves(found: Comparison) -> Markup:
    if not found.curves:
        return Markup("")
    series = [
        page.Series(
            curve.target, [(Decimal(one.requests), one.monthly) for one in curve.points if one.monthly > 0]
        )
        for curve in found.curves
    ]
    marks = [page.Mark(Decimal(one.requests), one.monthly, _crossing(one, found)) for one in found.crossings]
    if found.best and found.best.estimate:
        told = f"This traffic on {found.best.name}: {money(found.best.estimate.monthly, found.currency)} a month."
        marks.append(page.Mark(found.requests, found.best.estimate.monthly, told))
    chart = page.line_chart(
        "The price of a month by how many requests it has",
        "Each target at whichever of its sizes is the cheapest then. Both axes are logarithmic: each step is ten times the "
        "one before. The numbers mark where two lines cross, and this traffic.",
        [one for one in series if one.points],
        page.Axis("requests a month", log=True, show=lambda n: count(Decimal(str(n))), tick=_short),
        page.Axis(
            f"{found.currency} a month", log=True, show=lambda n: money(Decimal(str(n)), found.currency)
        ),
        marks=marks,
    )
    return page.section("What a month costs", chart)


def _short(requests: object) -> str:
    """Return a number of requests beside an axis, `10bn` for 10 000 000 000."""
    amount = Decimal(str(requests))
    steps = ((10**9, "bn"), (10**6, "M"), (10**3, "k"))
    return next((f"{amount / step:f}{unit}" for step, unit in steps if amount >= step), f"{amount:f}")


def _crossing(one: Crossing, found: Comparison) -> str:
    told = f"{count(one.requests)} requests, {money(one.monthly, found.currency)} a month: "
    told += f"{one.before} is cheaper below, {one.after} from there on"
    return f"{told}. The cheapest of all changes here." if one.of_cheapest else f"{told}."


def _sizes(found: Comparison) -> Markup:
    columns: list[page.Column | str] = [
        "Target and size",
        page.Column("A month", number=True),
        page.Column("1 000 predictions", number=True),
        page.Column("While nobody calls", number=True),
        page.Column("A request", number=True),
        page.Column("Processors", number=True),
        "What to know",
    ]
    rows = [
        row
        for column in found.columns
        for row in (
            [_row(one, column) for one in column.candidates]
            if column.best
            else [[column.target, "", "", "", "", "", f"✗ {column.why}"]]
        )
    ]
    told = (
        "Memory is what an instance has; where it has less than one processor, a request takes longer."
        if found.is_measured
        else "Memory is what an instance has."
    )
    return page.section(
        "Targets and sizes",
        page.paragraph(told, quiet=True),
        page.table(f"Prices in {found.currency or 'no currency'}", columns, rows),
    )


def _row(candidate: Candidate, column: Column) -> list[str]:
    size, estimate = candidate.size, candidate.estimate
    name = f"{size.target}, {size.memory_mb}\u00a0MB"
    if estimate is None:
        return [name, "", "", "", "", "", f"✗ {candidate.why}"]
    return [
        name,
        figure(estimate.monthly),
        each(estimate.per_1000),
        figure(estimate.baseline),
        "" if candidate.duration_ms is None else f"{candidate.duration_ms:.3g} ms",
        "" if size.processors is None else f"{size.processors:.2f}",
        "; ".join(_known(candidate, column)),
    ]


def _known(candidate: Candidate, column: Column) -> Iterator[str]:
    if candidate is column.best:
        yield "✓ the size to take there"
    if candidate.size.is_specs:
        yield "the spec's own size"


def _allowed(found: Comparison) -> Markup:
    targets = [column.target for column in found.columns]
    rows = [
        [
            row.field,
            row.value,
            *(_cell(row.cells[target].text, fits=row.cells[target].fits) for target in targets),
        ]
        for row in found.rows
    ]
    rows.append(["all of it", "", *(_cell("", fits=column.offer.fit.fits) for column in found.columns)])
    parts = [
        page.table(
            "What the spec asks for, and what each target allows", ["Field", "The spec", *targets], rows
        )
    ]
    for column in found.columns:
        fit = column.offer.fit
        told = [*(f"✗ {refusal}" for refusal in fit.refusals), *(str(note) for note in fit.notes)]
        if not fit.refusals and column.why:
            told.insert(0, f"✗ {column.why}")
        if told:
            heading = "does in its own way" if fit.fits and not column.why else "cannot be taken as it is"
            parts.append(page.element("h3", f"{column.target} {heading}"))
            parts.append(page.listed(told))
    return page.section("What each target allows", *parts)


def _cell(text: str, *, fits: bool) -> str:
    return f"✓ {text}".rstrip() if fits else f"✗ {text}, which is not enough" if text else "✗ does not fit"


def _first_answers(here: Here) -> Markup:
    rows = [
        [id_, f"{answer.seconds * 1000:.0f} ms", f"{answer.memory_bytes / (1 << 20):.0f} MB"]
        for id_, answer in here.answers.items()
        if isinstance(answer, FirstAnswer)
    ]
    missing = [
        f"{id_} was not measured: {answer}" for id_, answer in here.answers.items() if isinstance(answer, str)
    ]
    columns: list[page.Column | str] = [
        "Version",
        page.Column("First answer", number=True),
        page.Column("Memory held", number=True),
    ]
    return page.section(
        "Cold start",
        page.paragraph(
            f"From the start of a process to its first answer, measured on {here.machine}. It is not a cloud's: what that "
            "adds, finding room and fetching the code, is not known."
        ),
        page.table("First answers here", columns, rows, caption_hidden=True) if rows else Markup(""),
        page.listed(missing),
    )


def _how(found: Comparison) -> Markup:
    prices = _prices(found)
    rows = [
        [price.name, price.region, f"{exact(price.first)} {price.currency}", price.unit, _source(price)]
        for price in prices
    ]
    columns: list[page.Column | str] = [
        "What",
        "Region",
        page.Column("Price", number=True),
        "Of one",
        "Read where and when",
    ]
    return page.section(
        "How this was computed",
        page.listed(found.notes),
        page.folded("The prices that were used", page.table("List prices", columns, rows))
        if rows
        else Markup(""),
    )


def _prices(found: Comparison) -> list[Price]:
    """Return each price that a column's best size was computed with."""
    return [
        price
        for column in found.columns
        if column.best and column.best.estimate
        for price in prices_of(column.best.estimate)
    ]


def _source(price: Price) -> str:
    told = f"{price.source}, {price.read.isoformat()}"
    return told if price.verified else f"{told}, unverified"
