"""The cost report in a real browser: what somebody wrote in a tag is shown and does nothing, and no page is too wide."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import date
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lastmile_sls.costs.report.document import Asked
from lastmile_sls.costs.report.html_page import render
from lastmile_sls.costs.report.make import make
from tests.lastmile_sls.costs.cubes import Row, connection
from tests.lastmile_sls.costs.report.reports import report
from tests.ports import free_port

pytestmark = pytest.mark.conformance
BROWSER = next(
    filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "google-chrome"))), None
)
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


def _browse(url: str, folder: Path) -> str:
    """Return the page as it is after what runs in it has run."""
    if BROWSER is None:
        pytest.skip("no Chromium is installed")
    command = [
        BROWSER,
        *("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"),
        *("--virtual-time-budget=4000", "--dump-dom", url),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "report.html").write_text(render(report("even", synthetic=True)))
    for width in (400, 1280):
        (tmp_path / f"{width}.html").write_text(RULER % width)
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", free_port()), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


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
    seen = _browse(page.as_uri(), tmp_path)
    title = re.search("<title>(.*?)</title>", seen)
    assert title is not None
    assert unescape(title[1]).startswith("What <img src=x onerror=")
    assert seen.count("<img") == 1
    assert seen.count("<script") == 1
    for harm in HARM:
        assert unescape(seen).count(harm) > 5, harm


@pytest.mark.parametrize("width", [400, 1280])
def test_a_page_is_as_wide_as_its_window_and_shows_one_of_each_chart(
    served: str, tmp_path: Path, width: int
) -> None:
    seen = _browse(f"{served}/{width}.html", tmp_path)
    told = re.search('<pre id="told">(.*?)</pre>', seen)
    assert told is not None
    assert told[1] == "[0,2,true]"
