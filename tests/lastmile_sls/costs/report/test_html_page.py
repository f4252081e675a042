"""The page for finance: what it says, that it adds up, and that nothing in a bill becomes a part of it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape
from xml.etree import ElementTree

import pytest

from lastmile_sls.costs.report.document import Asked
from lastmile_sls.costs.report.html_page import render
from lastmile_sls.costs.report.make import make
from tests.lastmile_sls.costs.cubes import Row, connection
from tests.lastmile_sls.costs.report.reports import EVIL, report


@pytest.fixture(scope="module")
def page() -> ElementTree.Element:
    return _tree(render(report("even", synthetic=True)))


def _tree(html: str) -> ElementTree.Element:
    """Return the page as a tree: what it is made of is well-formed, but for `meta` and what has no value."""
    body = html.removeprefix("<!doctype html>\n")
    return ElementTree.fromstring(re.sub(r"<meta[^>]*>", "", body).replace("<details open>", "<details>"))


def _table(page: ElementTree.Element, caption: str) -> list[list[str]]:
    table = next(one for one in page.iter("table") if one.findtext("caption") == caption)
    return [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]


def test_what_it_says_first(page: ElementTree.Element) -> None:
    assert page.findtext(".//h1") == "What models cost, 1 to 16 October 2026"
    assert page.findtext(".//aside") == (
        "Synthetic example. Every number on this page is made up, to show what a report looks like; nothing was billed."
    )
    warnings = ["".join(one.itertext()) for one in page.iterfind(".//p[@class='warning']")]
    assert warnings == [
        "two exports overlap on 3 days; the later one counts",
        "2 rows could not be read as they should: see the files below.",
        "The bills are in USD, EUR. Each has its own part of this page; they are never added up.",
    ]
    facts = [(one.findtext("dt"), one.find("dd").text) for one in page.iterfind(".//dl/div")]  # type: ignore[union-attr] # a fact has a value
    assert facts[:3] == [
        ("Usage in USD", "246.08"),
        ("Billed", "200.00"),
        ("Attributed to no model", "9.8 %"),
    ]
    assert [item.text for item in page.iterfind(".//nav//a")] == [
        *("By model, USD", "By day, USD", "By service and owner, USD", "Purchases, taxes, credits, USD"),
        *("Not attributed, USD", "What stands out, USD"),
        *(
            "By model, EUR",
            "By day, EUR",
            "By service and owner, EUR",
            "Not attributed, EUR",
            "What stands out, EUR",
        ),
        *("Which files", "How it was calculated"),
    ]


def test_every_link_leads_somewhere_and_every_name_is_once(page: ElementTree.Element) -> None:
    ids = [one.get("id") for one in page.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    links = {str(one.get("href")).removeprefix("#") for one in page.iter("a")}
    named = {name for one in page.iter() for name in (one.get("aria-labelledby") or "").split()}
    assert links | named <= set(ids)


def test_the_table_of_models_adds_up(page: ElementTree.Element) -> None:
    head, *rows = _table(page, "Cost by model, USD")
    assert head == [
        *(
            "Model",
            "Environment",
            "Effective",
            "Shared",
            "With shared",
            "Billed",
            "List",
            "1 000 predictions",
        ),
        *("Cost by day", "Owner", "Cost centre"),
    ]
    assert rows == [
        ["churn", "prod", "190.08", "12.00", "202.08", "144.00", "192.00", "1.251", "", "team-a", "cc-1"],
        [EVIL, "prod", "32.00", "0.00", "32.00", "32.00", "32.00", "", "", "@SUM(A1)", "+1"],
        ["tiny", "", "<0.01", "12.00", "12.00", "<0.01", "<0.01", "", "", "", ""],
        ["(not attributed)", "", "24.00", "-24.00", "0.00", "24.00", "24.00", *[""] * 4],
        ["Total", "", "246.08", "0.00", "246.08", "200.00", "248.00", *[""] * 4],
    ]


def test_versions_services_and_other_charges_have_tables(page: ElementTree.Element) -> None:
    assert _table(page, "Versions of churn (prod), USD")[1:] == [
        ["v1", "12\u00a0000", "0.00", "15.01", "15.01"],
        ["v2", "4\u00a0000", "0.00", "5.00", "5.00"],
        ["all versions together", "", "170.06", "0.00", "170.06"],
    ]
    assert _table(page, "On the bill, and no usage, USD")[1:] == [
        ["Tax", "AWS Lambda", "aws", "", "14.20", "14.20"],
        ["Credit", "AWS Lambda", "aws", "", "-25.00", "-25.00"],
        ["Total", "", "", "", "-10.80", "-10.80"],
    ]
    assert _table(page, "Cost by service, USD")[1][:5] == [
        "AWS Lambda",
        "190.08",
        "144.00",
        "192.00",
        "77.2 %",
    ]
    assert _table(page, "Resources that need tags, of all days in the files, USD")[1:] == [
        ["notes", "arn:aws:s3:::notes", "Amazon S3", "model, owner", "", "23.00"],
        ["a row without a resource", "", "Amazon S3", "model", "", "1.00"],
    ]
    assert _table(page, "Dirty rows")[1:] == [["aws.csv", "BilledCost is no number", "2", "no", "<b>abc</b>"]]
    assert _table(page, "The bills that were read")[1] == [
        *("aws.csv", "aws", "1.2", "51", "2026-10-01", "2026-10-16", "51", ""),
    ]


def test_what_somebody_wrote_in_a_tag_is_text() -> None:
    html = render(report())
    assert "<img" not in html
    assert "<script" not in html
    assert EVIL in unescape(html)
    assert "Synthetic" not in html
    assert "lastmile usage writes them" in render(report(counts=False))


def test_rounding_is_said_where_shown_parts_do_not_add_up() -> None:
    rows = [Row(date(2026, 10, 1), "0.333", model) for model in ("a", "b", "c")]
    page = _tree(render(make(connection(rows), Asked())))
    assert _table(page, "Cost by model, USD")[-2:] == [
        ["Total", "", "1.00", "1.00", "1.00", "", "", ""],
        ["Rounding, in the total", "", "0.01", "0.01", "0.01", "", "", ""],
    ]


def test_a_year_is_drawn_by_month_and_many_models_as_others() -> None:
    first = date(2026, 1, 1)
    rows = [Row(first + timedelta(days=30 * n), str(m + 1), f"model-{m}") for n in range(6) for m in range(9)]
    page = _tree(render(make(connection(rows), Asked())))
    assert _table(page, "Effective cost by month, USD: USD")[:2] == [
        ["month", *(f"model-{m}" for m in range(8, 2, -1)), "3 others"],
        ["2026-01", *(f"{cost}.00 USD" for cost in (18, 16, 14, 12, 10, 8, 12))],
    ]
