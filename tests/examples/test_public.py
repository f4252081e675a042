"""An endpoint for anyone, on this machine as its README says."""

from __future__ import annotations

import json
import re
import shutil

from tests.examples.projects import FOLDER
from tests.lastmile_sls.commands import Workspace, ask

EXAMPLE = "public"


def test_it_does_what_its_readme_says(work: Workspace) -> None:
    shutil.copytree(
        FOLDER / EXAMPLE, work.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".lastmile")
    )
    spec = work.folder / "lastmile.yaml"
    text = spec.read_text(encoding="utf-8")
    spec.write_text(text + f"  local: {{port: {work.port}}}\n", encoding="utf-8")
    work.run("up")
    body = re.search(
        r"/infer\" -d '\n(.*?)'", (work.folder / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert body is not None
    url = work.run("url").stdout.strip()
    answer = ask(f"{url}/v2/models/daylight/infer", {}, json.loads(body[1]))
    assert answer.status == 200, answer.document
    assert answer.document["outputs"][0]["data"] == [18.49]
    assert "key" not in work.json("up")["outputs"]
    work.run("destroy", "--yes")
    assert "daylight-dev is not deployed" in work.fails("url")
