"""An endpoint for anyone: on the clouds, and on this machine as its README says."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from lastmile_sls.plan.document import Target
from tests.examples.conftest import Lived
from tests.examples.expected import ALIAS, DELIVERED, SERVICE, WEB_APP, ZIP_ON_LAMBDA
from tests.examples.lives import Changes, assert_sound, assert_told
from tests.examples.projects import CLOUDS, FOLDER
from tests.lastmile_sls.commands import Workspace, ask

EXAMPLE = "public"
CHANGES: dict[Target, Changes] = {
    "aws": {
        "update Alias daylight-dev-predict-live": ALIAS,
        "update Function daylight-dev-predict": ZIP_ON_LAMBDA,
    },
    "gcp": {
        "update Image daylight-dev-predict-image": DELIVERED,
        "update Service daylight-dev-predict": SERVICE,
    },
    "azure": {
        "update Package daylight-dev-predict-package": DELIVERED,
        "update Release daylight-dev-predict-release": DELIVERED,
        "update WebApp daylight-dev-predict": WEB_APP,
    },
}
"""What a change of the models and of the memory changes."""


@pytest.mark.parametrize("cloud", CLOUDS)
def test_its_life(lived: Lived, cloud: Target) -> None:
    life = lived(EXAMPLE, cloud)
    assert_sound(life)
    assert life.changes() == CHANGES[cloud]
    assert life.retained == []


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_each_resource_is_told(lived: Lived, cloud: Target) -> None:
    assert_told(lived(EXAMPLE, cloud))


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
