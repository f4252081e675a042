"""The documentation page in a real browser: opened with a key, it lists the paths, answers, and shows no key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lastmile_sls.local.resources.key import digest
from tests.conformance.browser import browse
from tests.lastmile_runtime.adapters.process import FunctionProcess, container, copy_runtime
from tests.lastmile_runtime.bundles import MODEL, python_bundle
from tests.ports import free_port

pytestmark = pytest.mark.conformance
KEY = "k3y-that-is-secret"
# Opens an operation and sends its example. It is part of the page's own script, because the page allows no other.
SEND = """
const wait = setInterval(() => {
  const found = [...document.querySelectorAll("details.operation")].find(one => one.textContent.includes("%s"));
  if (!found) return;
  clearInterval(wait);
  found.open = true;
  setTimeout(() => found.querySelector("button").click(), 100);
}, 50);
</script>"""


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    number = free_port()
    folder = tmp_path / "bundle"
    copy_runtime(folder)
    page = folder / "lastmile_runtime/docs.html"
    path = f"/v2/models/{MODEL}/infer"
    page.write_text(page.read_text().replace("</script>", SEND % path))
    auth = json.dumps({"keys": [digest(KEY)]})
    function: FunctionProcess
    with container(folder, python_bundle(folder), PORT=str(number), LASTMILE_AUTH=auth) as function:
        function.wait_until_it_listens()
        yield number


def test_the_page_opened_with_a_key_lists_and_answers(port: int, tmp_path: Path) -> None:
    page = browse(f"http://x:{KEY}@127.0.0.1:{port}/docs", tmp_path)
    assert f'<h1 id="title">{MODEL}' in page
    for path in (f"/v2/models/{MODEL}/infer", "/invocations", f"/v1/models/{MODEL}:predict"):
        assert path in page
    assert "200 OK in " in page
    assert "x-model-version: v1" in page
    assert KEY not in page


def test_without_a_key_nothing_is_told(port: int, tmp_path: Path) -> None:
    page = browse(f"http://127.0.0.1:{port}/docs", tmp_path)
    assert "/infer" not in page
