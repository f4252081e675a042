"""The example whose model no zip can carry: refused as one with the exact text, and answered for on this machine."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest

from tests.examples.projects import FOLDER
from tests.lastmile_sls.commands import Workspace, ask

pytestmark = pytest.mark.conformance
REFUSED = re.compile(
    r"error: the bundle of predict: unpacked size is 3\d\d\.\d MB, but may be 250 MB: beyond it, Lambda does not make the "
    r"function \(https://docs\.aws\.amazon\.com/lambda/latest/dg/gettingstarted-limits\.html\)\.\n"
    r"hint: Write targets\.aws\.package: image, or leave requirements out\.\n"
)


@pytest.fixture
def trained(work: Workspace) -> Workspace:
    """The example's folder with its table, as its README makes it."""
    ignored = shutil.ignore_patterns(".lastmile", "models")
    shutil.copytree(FOLDER / "image-sized", work.folder, dirs_exist_ok=True, ignore=ignored)
    subprocess.run([sys.executable, "make_vectors.py"], cwd=work.folder, check=True, capture_output=True)
    return work


def write_spec(work: Workspace, before: str, after: str) -> None:
    path = work.folder / "lastmile.yaml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def test_lambda_takes_no_zip_of_it(trained: Workspace) -> None:
    write_spec(trained, "package: image # a zip may have", "package: zip # a zip may have")
    write_spec(trained, "    base_image: public.ecr.aws/lambda/python:3.13\n", "")
    told = trained.fails("build", "--target", "aws")
    assert REFUSED.search(told), told
    assert not (trained.folder / ".lastmile" / "dev-aws" / "plan.json").exists()


def test_it_answers_on_this_machine(trained: Workspace) -> None:
    write_spec(trained, "targets:\n", f"targets:\n  local: {{port: {trained.port}}}\n")
    readme = (trained.folder / "README.md").read_text(encoding="utf-8")
    body = re.search(r" -d '\n(.*?)'", readme, re.DOTALL)
    assert body is not None
    trained.run("up")
    url, key = trained.run("url").stdout.strip(), trained.run("key").stdout.strip()
    answer = ask(f"{url}/v2/models/word-vectors/infer", {"x-api-key": key}, json.loads(body[1]))
    assert answer.status == 200, answer.document
    (vector,) = answer.document["outputs"]
    assert vector["shape"] == [1, 1000]
    assert ask(f"{url}/v2/models/word-vectors/infer", {}, json.loads(body[1])).status == 401
    trained.run("destroy", "--yes")
