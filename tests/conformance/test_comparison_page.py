"""The comparison in a real browser: nothing in it runs, and it is no wider than a telephone; its picture is there,
and anybody can read it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lastmile_sls.compare.as_page import page_of
from lastmile_sls.compare.compare import compare
from lastmile_sls.targets.compare import rows
from tests.conformance.browser import require_accessible, served, told
from tests.lastmile_sls.compare import priced

pytestmark = pytest.mark.conformance
HARM = '</style><script>document.title=1</script><img src=x onerror="document.title=2">'
# A page beside it, of the same origin, measures it: the comparison itself runs nothing.
RULER = """<!doctype html><body style="margin:0">
<iframe src="page.html" style="border:0;width:400px;height:900px"></iframe><pre id="told"></pre><script>
onload = () => {
  const page = document.querySelector("iframe").contentDocument, root = page.documentElement;
  const seen = [...page.querySelectorAll("svg.chart")].filter(one => getComputedStyle(one).display !== "none");
  const named = seen.map(one => one.getAttribute("aria-labelledby").split(" ")[0]);
  const unnamed = [...page.querySelectorAll("table")].filter(one => !one.caption || !one.querySelector("th[scope=col]"));
  document.querySelector("#told").textContent = JSON.stringify(
    [page.title, root.scrollWidth - root.clientWidth, page.getElementById(named[0]).textContent, unnamed.length,
     page.querySelectorAll("img").length]);
};
</script>"""


def test_it_runs_nothing_and_fits(tmp_path: Path) -> None:
    spec = priced.spec()
    offers = priced.offers(spec)
    offers[2] = replace(offers[2], plan=None, why=HARM)
    fits = [offer.fit for offer in offers]
    found = compare(
        offers,
        priced.question(spec, priced.shape()),
        rows(spec, fits, dict.fromkeys(("aws", "gcp", "azure"), tmp_path)),
    )
    page = page_of(found, priced.TODAY)
    # Were something to slip through, the page's own policy would stop it.
    (tmp_path / "page.html").write_text(page.replace("</body>", "<script>document.title=3</script></body>"))
    (tmp_path / "ruler.html").write_text(RULER)
    with served(tmp_path) as address:
        assert told(f"{address}/ruler.html", tmp_path) == [
            "Where to run churn-dev",
            0,
            "The price of a month by how many requests it has",
            0,
            0,
        ]
    require_accessible(page, tmp_path)
