"""The cost report in a real browser: what somebody wrote in a tag is shown and does nothing, no page is too wide,
and anybody can read it."""

from __future__ import annotations

import re
from datetime import date
from html import unescape
from pathlib import Path

import pytest

from lastmile_sls.costs.report.document import Asked
from lastmile_sls.costs.report.html_page import render
from lastmile_sls.costs.report.make import make
from tests.conformance.browser import browse, require_accessible, served, told
from tests.lastmile_sls.costs.cubes import Row, connection
from tests.lastmile_sls.costs.report.reports import report

pytestmark = pytest.mark.conformance
HARM = (
    '<img src=x onerror="document.title=1">',
    "</style><script>document.title=2</script>",
    '"><svg onload="document.title=3">',
    "</title><script>document.title=4</script>",
    "javascript:document.title=5",
)
# A page beside the report, of the same origin, measures it: the report itself runs nothing.
RULER = """<!doctype html>
<body style="margin:0">
<iframe src="report.html" style="border:0;width:%dpx;height:900px"></iframe>
<pre id="told"></pre><script>
onload = () => {
  const page = document.querySelector("iframe").contentDocument;
  const seen = [...page.querySelectorAll("svg.chart")].filter(one => getComputedStyle(one).display !== "none");
  const root = page.documentElement, areDrawn = seen.every(one => one.getBBox().width > 0);
  document.querySelector("#told").textContent = JSON.stringify([root.scrollWidth - root.clientWidth, seen.length, areDrawn]);
};
</script>"""


def test_what_is_in_a_tag_is_shown_and_does_nothing(tmp_path: Path) -> None:
    rows = [
        Row(
            date(2026, 10, 1),
            "1",
            harm,
            harm,
            harm,
            environment=harm,
            version=harm,
            owner=harm,
            cost_center=harm,
        )
        for harm in HARM
    ]
    made = render(make(connection(rows), Asked(models=HARM), warnings=HARM))
    # Were something to slip through, the page's own policy would stop it.
    html = made.replace(
        "</body>", "<script>document.title=6</script><img src=x onerror='document.title=7'></body>"
    )
    page = tmp_path / "report.html"
    page.write_text(html)
    seen = browse(page.as_uri(), tmp_path)
    title = re.search("<title>(.*?)</title>", seen)
    assert title is not None
    assert unescape(title[1]).startswith("What <img src=x onerror=")
    assert seen.count("<img") == 1
    assert seen.count("<script") == 1
    for harm in HARM:
        assert unescape(seen).count(harm) > 5, harm


def test_a_page_is_as_wide_as_its_window_and_shows_one_of_each_chart(tmp_path: Path) -> None:
    page = render(report("even", synthetic=True))
    (tmp_path / "report.html").write_text(page)
    with served(tmp_path) as address:
        for width in (400, 1280):
            (tmp_path / f"{width}.html").write_text(RULER % width)
            assert told(f"{address}/{width}.html", tmp_path) == [0, 2, True], width
    require_accessible(page, tmp_path)
