"""What the report says in words, on the page and on the terminal alike. Pure."""

from __future__ import annotations

from datetime import timedelta

from lastmile_sls.costs.anomalies import Anomaly
from lastmile_sls.costs.forecast import Forecast, NoForecast
from lastmile_sls.costs.report.document import Change, CurrencyReport, Report
from lastmile_sls.costs.report.shares import RULES
from lastmile_sls.costs.report.versions import RULE as VERSIONS_RULE
from lastmile_sls.costs.report.words import count, day, days, money, month, percent, signed

SYNTHETIC = "Synthetic example: nothing here was ever billed."
NOT_ATTRIBUTED = "(not attributed)"
_METHOD = (
    (
        "Effective cost is what showback uses: commitments and savings are spread over what used them. Billed cost is "
        "what the invoices have, list cost what the same would have cost without any discount (FOCUS EffectiveCost, "
        "BilledCost, ListCost)."
    ),
    (
        "Usage alone is told by model; purchases, taxes, credits and adjustments stand apart, because no model's "
        "requests cause them."
    ),
    "A row belongs to the model that its tags name, or else to the deployment that has its resource.",
    (
        "Sums are exact decimals, as the bills have them. They are shown to the cent; where rounded parts do not add "
        "up to the rounded total, a row says by how much. JSON and CSV have every digit."
    ),
    "Amounts of different currencies are never added up or converted.",
    (
        "A forecast adds up, for each day to come, what its weekday cost on average in the last 56 days at most; it "
        "needs 14. Its interval holds when days differ from their weekday's mean as they did so far, each by itself."
    ),
    (
        "A day stands out when a service costs a model far more than the median of the same weekdays: a modified "
        "z-score above 3.5, with a spread of at least 15 % of the median, and at least 1 % of an average day's "
        "whole cost."
    ),
)


def subtitle(report: Report) -> str:
    """Say of which files and clouds it is."""
    clouds = ", ".join(sorted({source.cloud for source in report.sources}))
    rows = sum(source.rows for source in report.sources)
    return f"{count(len(report.sources), 'file')} of {clouds or 'no cloud'}, {count(rows, 'row')}"


def title(report: Report) -> str:
    """Say what it is."""
    of, where = ", ".join(report.asked.models), ", ".join(report.asked.environments)
    span = days(report.first, report.last)
    return f"What {of or 'models'}{f' in {where}' if where else ''} cost, {span}"


def change(found: Change, currency: str) -> str:
    """Compare a month with the one before it."""
    before = month((found.month - timedelta(days=1)).replace(day=1))
    span = "" if found.whole else f" (the first {count(found.days, 'day')} of both)"
    than = f"{money(found.before)} {currency} in {before}{span}"
    if found.percent is None:
        return f"{money(found.now)} {currency} in {month(found.month)}, after {than}"
    return f"{signed(found.percent)}: {money(found.now)} {currency} in {month(found.month)}, after {than}"


def forecast(found: Forecast | NoForecast, currency: str) -> str:
    """Say what a month will have cost, and how sure that is."""
    if isinstance(found, NoForecast):
        return f"No forecast: {found.why}."
    left_out = f"; {day(found.left_out)} is left out, its bill looks incomplete" if found.left_out else ""
    return (
        f"{month(found.month)} will cost {money(found.expected)} {currency}, between {money(found.low)} and "
        f"{money(found.high)} in 80 of 100 such months (by weekday means of {count(found.from_days, 'day')}{left_out})."
    )


def anomaly(found: Anomaly, currency: str) -> str:
    """Say what stood out, and why."""
    of = (
        f"{found.model} ({found.environment or 'no environment'})"
        if found.model
        else "what is not attributed"
    )
    than = f"the {count(found.compared, 'other day')} seen"
    if found.weekdays:
        than = f"the other {found.compared} {found.day:%A}s"
    times = f" ({found.cost / found.usual:.1f} times)" if found.usual > 0 else ""
    return (
        f"{day(found.day)}: {found.service} ({found.cloud}) of {of} cost {money(found.cost)} {currency}, where "
        f"{money(found.usual)} is the median of {than}{times}."
    )


def not_attributed(found: CurrencyReport) -> str:
    """Say how much of the usage no model is known for."""
    if not found.unattributed.effective:
        return "All of the usage is attributed to a model."
    return (
        f"{money(found.unattributed.effective)} {found.currency}, {percent(found.untagged_share)} of the usage, is "
        "attributed to no model."
    )


def method(report: Report) -> list[str]:
    """Say how it was calculated."""
    told = [*_METHOD, RULES[report.asked.share], VERSIONS_RULE]
    if report.has_counts:
        told.append(
            "The price of 1 000 predictions is a model's own effective cost on the days on which requests were counted, "
            "divided by those requests; cost that is shared is not in it."
        )
    return told
