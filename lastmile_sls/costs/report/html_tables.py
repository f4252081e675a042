"""The tables of the report's page."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from lastmile_sls import page
from lastmile_sls.costs.report.amounts import ZERO, Amounts, total
from lastmile_sls.costs.report.document import Charge, CurrencyReport, Dimension, Line, ModelCost, Report
from lastmile_sls.costs.report.sentences import NOT_ATTRIBUTED
from lastmile_sls.costs.report.words import money, percent, rounding, small
from lastmile_sls.page import Column
from lastmile_sls.words import grouped

_MONEY = (Column("Effective", number=True), Column("Billed", number=True), Column("List", number=True))
_ROUNDING = "Rounding, in the total"


def models_table(found: CurrencyReport, *, with_shared: bool, with_counts: bool) -> page.Markup:
    """Return one row for each model in an environment, what no model is known for, and the total."""
    columns: list[Column | str] = ["Model", "Environment", _MONEY[0]]
    columns += [Column("Shared", number=True), Column("With shared", number=True)] if with_shared else []
    columns += [*_MONEY[1:], *([Column("1 000 predictions", number=True)] if with_counts else [])]
    columns += [Column("Cost by day", hidden=True), "Owner", "Cost centre"]

    def row(
        names: Sequence[str], amounts: Sequence[str], price: str = "", more: Sequence[str] = ("", "", "")
    ) -> list[str]:
        return [*names, *amounts, *([price] if with_counts else []), *more]

    others = [line for line in found.lines["model"] if line.key is None]
    costs = [_columns(model.own, model.shared, with_shared=with_shared) for model in found.models]
    rows = [
        row([model.model, model.environment or ""], _moneys(cost), _price(model), _more(model, found))
        for model, cost in zip(found.models, costs, strict=True)
    ]
    for line in others:
        costs.append(_columns(line.own, line.shared, with_shared=with_shared))
        rows.append(row([NOT_ATTRIBUTED, ""], _moneys(costs[-1])))
    whole = [sum(column, ZERO) for column in zip(*costs, strict=True)]
    totals = [row(["Total", ""], _moneys(whole))]
    left = _left(list(zip(*costs, strict=True)))
    if any(left):
        totals.append(row([_ROUNDING, ""], [_blank(one) for one in left]))
    return page.table(f"Cost by model, {found.currency}", columns, rows, total=totals, caption_hidden=True)


def dimension_table(found: CurrencyReport, dimension: Dimension, heading: str) -> page.Markup:
    """Return one row for each value, with a bar of its share, and the total."""
    lines = found.lines[dimension]
    whole = total(line.own for line in lines)
    rows = [[line.key or NOT_ATTRIBUTED, *_three(line.own), *_share(line, whole)] for line in lines]
    totals = [["Total", *_three(whole), "", ""]]
    left = _left([[line.own.all[n] for line in lines] for n in range(3)])
    if any(left):
        totals.append([_ROUNDING, *(_blank(one) for one in left), "", ""])
    columns: list[Column | str] = [
        heading,
        *_MONEY,
        Column("Share", number=True),
        Column("Share, drawn", hidden=True),
    ]
    return page.table(f"Cost by {heading.lower()}, {found.currency}", columns, rows, total=totals)


def services_of(model: ModelCost, currency: str) -> page.Markup:
    """Return what each service cost for a model."""
    rows = [[service, cloud, *_three(amounts)] for cloud, service, amounts in model.services]
    return page.table(f"Services of {model.name}, {currency}", ["Service", "Cloud", *_MONEY], rows)


def versions_table(model: ModelCost, currency: str) -> page.Markup:
    """Return what each version of a model cost."""
    rows = []
    for version in model.versions:
        requests = "" if version.requests is None else grouped(version.requests)
        name = version.version or "all versions together"
        parts = [
            money(version.tagged.effective),
            money(version.split.effective),
            money(version.cost.effective),
        ]
        rows.append([name, requests, *parts])
    columns: list[Column | str] = [
        "Version",
        *(Column(name, number=True) for name in ("Requests", "Own", "Split by work", "Effective")),
    ]
    return page.table(f"Versions of {model.name}, {currency}", columns, rows)


def charges_table(found: CurrencyReport) -> page.Markup:
    """Return what is no usage."""

    def row(charge: Charge) -> list[str]:
        amounts = charge.amounts
        names = [charge.category, charge.service, charge.cloud, charge.model or ""]
        return [*names, money(amounts.effective), money(amounts.billed)]

    columns: list[Column | str] = ["Category", "Service", "Cloud", "Model", *_MONEY[:2]]
    whole = found.other
    totals = [["Total", "", "", "", money(whole.effective), money(whole.billed)]]
    rows = [row(charge) for charge in found.charges]
    return page.table(
        f"On the bill, and no usage, {found.currency}", columns, rows, total=totals, caption_hidden=True
    )


def untagged_table(found: CurrencyReport) -> page.Markup:
    """Return how much of each service is attributed to no model."""
    rows = [
        [
            *(service.service, service.cloud, money(service.untagged), money(service.whole)),
            *(percent(service.share), page.share_bar(service.share)),
        ]
        for service in found.untagged
    ]
    numbers = (Column(name, number=True) for name in ("Not attributed", "Whole", "Share"))
    columns: list[Column | str] = ["Service", "Cloud", *numbers, Column("Share, drawn", hidden=True)]
    return page.table(f"Usage that is attributed to no model, by service, {found.currency}", columns, rows)


def resources_table(found: CurrencyReport) -> page.Markup:
    """Return the resources that need tags, or nothing where none is known."""
    rows = [
        [
            resource.name or resource.resource_id or "a row without a resource",
            resource.resource_id or "",
            service.service,
            resource.missing,
            resource.model or "",
            money(resource.effective),
        ]
        for service in found.untagged
        for resource in service.resources
    ]
    if not rows:
        return page.Markup("")
    columns: list[Column | str] = [
        "Resource",
        "Id",
        "Service",
        "Tags that are missing",
        "Known by outputs as",
        Column("Effective", number=True),
    ]
    caption = f"Resources that need tags, of all days in the files, {found.currency}"
    named = sum(service.resource_count for service in found.untagged)
    of = f"{len(rows)} of {named}" if named > len(rows) else f"{len(rows)}"
    return page.folded(
        f"Resources that need tags ({of})", page.table(caption, columns, rows), opened=len(rows) <= 12
    )


def sources_table(report: Report) -> page.Markup:
    """Return the files."""
    rows = [
        [
            *(source.file, source.cloud, source.focus_version, grouped(source.rows)),
            *(str(source.first or ""), str(source.last or ""), grouped(source.counted), source.note or ""),
        ]
        for source in report.sources
    ]
    columns: list[Column | str] = [
        "File",
        "Cloud",
        "FOCUS version",
        Column("Rows", number=True),
        "From",
        "To",
    ]
    columns += [Column("Counted", number=True), "Why not all"]
    return page.table("The bills that were read", columns, rows)


def dirty_table(report: Report) -> page.Markup:
    """Return rows that could not be read as they should."""
    rows = [
        [dirty.file, dirty.reason, grouped(dirty.rows), "yes" if dirty.counted else "no", dirty.example or ""]
        for dirty in report.dirty
    ]
    return page.table(
        "Dirty rows", ["File", "Reason", Column("Rows", number=True), "Counted", "Example"], rows
    )


def _more(model: ModelCost, found: CurrencyReport) -> list[str]:
    return [_trend(model, found), ", ".join(model.owners), ", ".join(model.cost_centers)]


def _moneys(amounts: Sequence[Decimal]) -> list[str]:
    return [money(one) for one in amounts]


def _columns(own: Amounts, shared: Amounts, *, with_shared: bool) -> list[Decimal]:
    more = [shared.effective, own.effective + shared.effective] if with_shared else []
    return [own.effective, *more, own.billed, own.listed]


def _price(model: ModelCost) -> str:
    return small(model.counted.per_1000) if model.counted and model.counted.per_1000 is not None else ""


def _trend(model: ModelCost, found: CurrencyReport) -> page.Markup:
    span = [found.first.fromordinal(n) for n in range(found.first.toordinal(), found.last.toordinal() + 1)]
    values = [model.days.get(day, ZERO) for day in span]
    name = f"{model.name} by day: {money(values[0])} on the first, {money(values[-1])} on the last"
    return page.sparkline(values, name)


def _three(amounts: Amounts) -> list[str]:
    return [money(one) for one in amounts.all[:3]]


def _share(line: Line, whole: Amounts) -> list[str]:
    share = line.own.effective / whole.effective if whole.effective > 0 else ZERO
    return [percent(share), page.share_bar(share)]


def _left(columns: Sequence[Sequence[Decimal]]) -> list[Decimal]:
    return [rounding(column, sum(column, ZERO)) for column in columns]


def _blank(amount: Decimal) -> str:
    return money(amount) if amount else ""
