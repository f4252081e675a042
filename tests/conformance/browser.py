"""Pages in a headless Chromium: as their scripts leave them, as wide as a window, as accessible as axe-core says."""

from __future__ import annotations

import contextlib
import functools
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port

BROWSER = next(
    filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "google-chrome"))), None
)
AXE = Path(__file__).with_name("node") / "node_modules/axe-core/axe.min.js"
# Opens what is folded, and looks at all of it; contrast it cannot see where nothing is painted.
_JUDGE = """<script>%s</script><script>
document.querySelectorAll("details").forEach(one => one.open = true);
axe.run().then(found => {
  const told = document.createElement("pre");
  told.id = "told";
  told.textContent = JSON.stringify([found.passes.length, found.violations.map(one => one.id + ": " + one.nodes[0].html)]);
  document.body.append(told);
});
</script></body>"""


def browse(url: str, folder: Path) -> str:
    """Return the page as it is after its scripts have run; the browser keeps its profile in the folder."""
    if BROWSER is None:
        pytest.skip("no Chromium is installed")
    command = [
        BROWSER,
        *("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"),
        *("--virtual-time-budget=8000", "--dump-dom", url),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(url: str, folder: Path) -> Any:
    """Return what a page that measures another one has written into `<pre id="told">`, as JSON."""
    found = re.search('<pre id="told">(.*?)</pre>', browse(url, folder), re.DOTALL)
    assert found is not None
    return json.loads(unescape(found[1]))


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder's files on loopback; yield the address."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", free_port()), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def require_accessible(page: str, folder: Path) -> None:
    """Assert that axe-core finds nothing wrong with a page, whose own policy would let no script look at it."""
    if not AXE.exists():
        pytest.skip(f"{AXE.parent} is not there (make conformance puts it there)")
    script = AXE.read_text(encoding="utf-8").replace("</script", "<\\/script")
    open_page = re.sub(r"<meta http-equiv=[^>]*Content-Security-Policy[^>]*>", "", page, flags=re.IGNORECASE)
    assert open_page != page
    file = folder / "judged.html"
    file.write_text(open_page.replace("</body>", _JUDGE.replace("%s", script)), encoding="utf-8")
    passed, violations = told(file.as_uri(), folder)
    assert violations == []
    assert passed > 20
