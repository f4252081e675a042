"""A chart is drawn twice, named for the ear, and has its values beside it."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from lastmile_sls import page

DAYS = [date(2026, 10, day) for day in (1, 2, 3)]
COST = [Decimal("1.5"), Decimal(0), Decimal("2.25")]
CREDIT = [Decimal(0), Decimal(-1), Decimal(0)]


def _bars() -> page.Markup:
    series = [
        page.Series("<b>", list(zip(DAYS, COST, strict=True))),
        page.Series("credit", list(zip(DAYS, CREDIT, strict=True))),
    ]
    return page.bar_chart(
        "Cost", "By day.", series, page.Axis("day"), page.Axis("USD", show=lambda v: f"{v} USD")
    )


def test_bars_are_drawn_for_two_widths_and_say_what_they_are() -> None:
    figure = ElementTree.fromstring(_bars())
    drawings = figure.findall("svg")
    assert [drawing.get("class") for drawing in drawings] == ["chart broad", "chart narrow"]
    for drawing, kind in zip(drawings, ("broad", "narrow"), strict=True):
        assert drawing.get("role") == "img"
        assert drawing.get("aria-labelledby") == f"cost-{kind}-title cost-{kind}-desc"
        assert (drawing.findtext("title"), drawing.findtext("desc")) == ("Cost", "By day.")
        told = [found.text for found in drawing.iterfind(".//rect/title")]
        assert told == ["<b>, 2026-10-01: 1.5 USD", "credit, 2026-10-02: -1 USD", "<b>, 2026-10-03: 2.25 USD"]
        bars = {str(bar.findtext("title"))[:6]: bar for bar in drawing.iterfind(".//rect")}
        assert float(bars["credit"].get("y", "")) > float(bars["<b>, 2"].get("y", ""))


def test_the_values_stand_in_a_table_beside_it() -> None:
    table = _bars().partition("The values as a table</summary>")[2]
    assert re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", table) == [
        *("day", "&lt;b&gt;", "credit"),
        *("2026-10-01", "1.5 USD", "0 USD"),
        *("2026-10-02", "0 USD", "-1 USD"),
        *("2026-10-03", "2.25 USD", "0 USD"),
    ]


def test_lines_cross_where_a_mark_says() -> None:
    points = [(Decimal(10) ** power, Decimal(10) ** (power - 3)) for power in range(3, 7)]
    flat = [(Decimal(1000), Decimal(10)), (Decimal(1_000_000), Decimal(10))]
    series = [page.Series("aws", points), page.Series("gcp", flat)]
    mark = page.Mark(Decimal(10_000), Decimal(10), "they cross at 10 000")
    figure = ElementTree.fromstring(
        page.line_chart(
            "Price", "", series, page.Axis("requests", log=True), page.Axis("USD", log=True), marks=[mark]
        )
    )
    broad = figure.find("svg")
    assert broad is not None
    assert [path.get("d", "")[:9] for path in broad.iterfind("path")] == ["M68.0 292", "M68.0 204"]
    circle = broad.find(".//circle[@class='mark']")
    assert circle is not None
    assert (circle.get("cx"), circle.get("cy")) == ("370.67", "204.67")
    assert [found.text for found in broad.iterfind("g/text") if found.text][:4] == ["1", "10", "100", "1k"]
    assert [item.text for item in figure.iterfind("ol/li")] == ["they cross at 10 000"]


def test_a_chart_of_what_cannot_be_drawn_is_refused() -> None:
    day, usd = page.Axis("day"), page.Axis("USD")
    with pytest.raises(ValueError, match="a chart has no points"):
        page.line_chart("", "", [page.Series("a", [])], day, usd)
    with pytest.raises(ValueError, match="a chart has 9 series, and 8 colours can be told apart"):
        page.line_chart("", "", [page.Series("a", [(1, 1)])] * 9, day, usd)
    with pytest.raises(ValueError, match="the series of a bar chart have different x"):
        page.bar_chart("", "", [page.Series("a", [(1, 1)]), page.Series("b", [(2, 1)])], day, usd)
    with pytest.raises(ValueError, match="a bar begins at 0, which a logarithmic axis does not have"):
        page.bar_chart("", "", [page.Series("a", [(1, 1)])], day, page.Axis("USD", log=True))


def test_small_pictures_for_a_cell() -> None:
    assert page.share_bar(Decimal("0.25")).count('width="30"') == 1
    assert page.share_bar(Decimal(3)).count('width="120"') == 2
    assert page.sparkline([0, 5, 10], 'up "to" 10') == (
        '<svg class="spark" viewBox="0 0 110 22" role="img" aria-label="up &quot;to&quot; 10">'
        '<polyline points="1.0,20.0 55.0,11.0 109.0,2.0" class="line l0"></polyline></svg>'
    )
    assert "nan" not in page.sparkline([], "nothing")
