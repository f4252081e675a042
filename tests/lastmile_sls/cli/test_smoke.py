"""`lastmile smoke`, `status` and `logs` of a deployment on this machine, by a spec and by outputs."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.lastmile_sls.commands import Workspace
from tests.lastmile_sls.control.commands import Typist

CONTRACT = {
    "inputs": [{"name": "x", "datatype": "FP64", "shape": [-1, 2]}],
    "outputs": [{"name": "doubled", "datatype": "FP64", "shape": [-1, 2]}],
}
NAMES = [
    "ready",
    "model",
    "metadata of v1",
    "metadata of v2",
    "prediction",
    "prediction of v1",
    "prediction of v2",
    "wrong key",
    "no key",
    "job",
]


def test_the_life_of_a_deployment_seen_from_outside(
    work: Workspace, typist: Typist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands run in this process: each of them alone would take a second to start."""
    work.write_spec(queue={}, contract=CONTRACT)
    work.run("up")
    monkeypatch.chdir(work.folder)
    monkeypatch.setenv("LASTMILE_HOME", str(work.home))
    key, url = typist.run("key").out.strip(), typist.run("url").out.strip()
    report = tmp_path / "smoke.xml"
    told = typist.run("smoke", "--junit", str(report))
    lines = told.out.splitlines()
    assert (told.code, lines[0], lines[-1]) == (0, f"doubler-dev, local: {url}", "all checks passed")
    assert [line.split()[0] for line in lines[1:-1]] == ["ok"] * len(NAMES)
    assert [line[10:34].strip() for line in lines[1:-1]] == NAMES
    assert lines[7].endswith("it answered as certified, the largest difference 0.")
    (suite,) = ET.parse(report).getroot()
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("doubler-dev smoke", "10", "0")
    assert [case.get("name") for case in suite.iter("testcase")] == NAMES

    # The same endpoint, known by a stack's outputs alone: with another key, and with its own.
    outputs = {"deployment": "doubler-dev", "target": "aws", "url": url, "versions": ["v1", "v2"]}
    typist.write_outputs({**outputs, "key": "not-the-key"})
    failed = typist.ask("smoke", "--json", "--wait", "0")
    assert (failed.code, failed.json["passed"], failed.json["format"]) == (1, False, "lastmile.smoke/1")
    assert failed.json["checks"][-1]["status"] == "failed"
    typist.write_outputs({**outputs, "key": key})
    alone = typist.ask("smoke", "--json").json
    skipped = [check["name"] for check in alone["checks"] if check["status"] == "skipped"]
    assert skipped == ["prediction", "prediction of v1", "prediction of v2"]
    assert all(key not in text for text in (told.out, told.err, failed.out, failed.err, report.read_text()))

    assert typist.run("status", "--json").json["target"] == "local"
    nothing = typist.run("logs", "--errors", "--request-id", "nobody")
    assert (nothing.out, nothing.err.partition(" (")[0]) == ("", "nothing is logged yet")
    assert len(typist.run("logs", "--since", "1h", "--lines", "3").out.splitlines()) == 3

    os.kill(typist.run("status", "--json").json["host_pid"], signal.SIGKILL)
    down = typist.run("status", "--json")
    assert (down.code, down.json["ready"]) == (1, False)
    gone = typist.run("smoke", "--wait", "0")
    assert (gone.code, gone.out.splitlines()[-1]) == (1, "1 of 1 checks failed")


def test_a_key_that_the_outputs_hide_is_told(typist: Typist) -> None:
    outputs = {"deployment": "churn-dev", "target": "gcp", "url": "https://x.example", "key": "[secret]"}
    typist.write_outputs(outputs)
    told = typist.ask("smoke")
    assert (told.code, told.err.splitlines()[0]) == (
        1,
        "error: the outputs of churn-dev do not show its API key.",
    )
