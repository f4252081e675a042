"""A router's bundle is measured although its other functions are not there."""

from __future__ import annotations

from pathlib import Path

from lastmile_runtime.manifest import Version
from lastmile_sls.certification.first_answer import FirstAnswer, measure_all
from tests.lastmile_runtime.adapters.process import copy_runtime
from tests.lastmile_runtime.bundles import DOUBLER, MODEL, python_version, write_bundle


def test_a_version_beside_one_of_another_function(tmp_path: Path) -> None:
    copy_runtime(tmp_path)
    own = python_version()
    remote = Version("v2", "remote", "", remote={"function": "predict-v2", "digest": "sha256:ab"})
    pinned = write_bundle(tmp_path, [own, remote], {own.artifact: DOUBLER})
    found = measure_all(tmp_path, pinned, MODEL, ())
    assert set(found) == {"v1"}
    assert isinstance(found["v1"], FirstAnswer)
    assert found["v1"].memory_bytes > 1 << 20
