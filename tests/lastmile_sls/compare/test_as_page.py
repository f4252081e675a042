"""The comparison as a page: it says what it is, names its picture for the ear, and nothing in it runs."""

from __future__ import annotations

from dataclasses import replace

from lastmile_sls.compare.as_page import page_of
from lastmile_sls.compare.compare import compare
from lastmile_sls.plan.document import Target
from lastmile_sls.targets.compare import Cell, Row
from tests.lastmile_sls.compare import priced

HARM = '<img src=x onerror="alert(1)">'


def test_the_page() -> None:
    spec = priced.spec()
    offers = priced.offers(spec)
    offers[2] = replace(offers[2], plan=None, why=f"a bundle cannot be built: {HARM}")
    cells: dict[Target, Cell] = {
        "aws": Cell("at most 30 s", fits=False),
        "gcp": Cell(""),
        "azure": Cell(HARM),
    }
    rows = [Row("timeout", HARM, cells)]
    page = page_of(compare(offers, priced.question(spec, priced.shape()), rows), priced.TODAY)
    assert HARM not in page
    assert page.count("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;") >= 4
    assert "<script" not in page
    plain = page.replace("\u00a0", " ")
    for told in (
        "<h1>Where to run churn-dev</h1>",
        "1 000 000 requests a month, compared on 30 November 2026",
        "churn-dev is a trained model that answers requests over HTTPS.",
        "Amazon Web Services (aws), Google Cloud (gcp) and Microsoft Azure (azure)",
        "<dd>gcp, 256 MB<small>Google Cloud, somewhere</small></dd>",
        "<dd>4.50 USD<small>1 000 000 requests</small></dd>",
        "1 333 334 requests, 5.67 USD a month: gcp is cheaper below, aws from there on. The cheapest of all changes here.",
        "This traffic on gcp with 256 MB: 4.50 USD a month.",
        "✗ at most 30 s, which is not enough",
        "v2 was not measured: its model does not say what it takes",
        "https://x, 2026-11-30",
    ):
        assert told in plain, told
    assert 'role="img"' in page
    for heading in (
        "What to take",
        "What a month costs",
        "Targets and sizes",
        "What each target allows",
        "Cold start",
        "How this was computed",
    ):
        assert f">{heading}</h2>" in page


def test_a_page_without_a_price_says_so_first() -> None:
    spec = priced.spec()
    question = priced.question(spec, priced.shape(), priced.unpriced_on("aws", "gcp", "azure"))
    page = page_of(compare(priced.offers(spec), question, ()), priced.TODAY)
    assert "No target can be recommended: none that carries this spec has a price." in page
    assert "What a month costs" not in page
    assert "lastmile prices refresh --target gcp --region somewhere" in page
