"""How long a version takes here, on a bundle that is really built."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lastmile_sls.build.prepare import prepare
from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.duration import Measured, measure
from tests.lastmile_sls.commands import Workspace, workspace

QUICK = """
class Doubler:
    def predict(self, inputs):
        return {"doubled": [2 * value for value in inputs["x"]]}
"""
SLOW = """
import time
class Doubler:
    def predict(self, inputs):
        time.sleep(0.003)
        return {"doubled": [2 * value for value in inputs["x"]]}
"""
MUTE = "class Doubler:\n    def predict(self, inputs):\n        raise RuntimeError('no model is here')\n"
CONTRACT = {
    "inputs": [{"name": "x", "datatype": "FP64"}],
    "outputs": [{"name": "doubled", "datatype": "FP64"}],
}


def measured(work: Workspace, told: list[str] | None = None) -> Measured:
    spec = work.folder / "lastmile.yaml"
    prepared = prepare(spec, "local", work.environ())
    return measure(prepared, spec, work.environ(), (told if told is not None else []).append)


def test_each_version_is_asked_many_times_and_never_again(tmp_path: Path) -> None:
    with workspace(tmp_path) as work:
        (work.folder / "doubler.py").write_text(QUICK)
        (work.folder / "tripler.py").write_text(SLOW)
        work.write_spec(contract=CONTRACT)
        told: list[str] = []
        found = measured(work, told)
        assert told[-1] == "measuring predict"
        assert set(found.versions) == {"v1", "v2"}
        quick, slow = found.versions["v1"], found.versions["v2"]
        assert quick.count >= 20
        assert slow.warm > 3 > quick.warm > 0
        assert quick.first > quick.warm
        assert found.bundle == "local"
        assert "Python" in found.machine
        again: list[str] = []
        assert measured(work, again) == found
        assert "measuring predict" not in again
        kept = json.loads((work.folder / ".lastmile" / "durations.json").read_text())
        assert kept["format"] == "lastmile.durations/1"
        (work.folder / ".lastmile" / "durations.json").write_text(
            '{"format": "lastmile.durations/1", "bundles": 5}'
        )
        assert set(measured(work).versions) == {"v1", "v2"}


def test_what_cannot_be_asked_is_to_be_said(tmp_path: Path) -> None:
    with workspace(tmp_path) as work:
        (work.folder / "doubler.py").write_text(MUTE)
        version = {"id": "v1", "artifact": "doubler.py", "framework": "python", "entry": "Doubler"}
        work.write_spec(contract=CONTRACT, versions=[version], traffic=None)
        with pytest.raises(LastmileError) as caught:
            measured(work)
        assert caught.value.message.startswith("how long v1 takes cannot be measured here: ")
        assert "no model is here" in caught.value.message
        assert caught.value.hint == "Say it: --duration v1=MS"
