"""Some seconds of coverage-guided fuzzing for each reader of model files, and what an earlier run found once more."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS, import_first

pytestmark = pytest.mark.conformance

FUZZ = Path(__file__).parents[1] / "fuzz"
CORPUS = FUZZ / "corpus"
SECONDS = 2


def test_every_reader_has_a_corpus() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == set(TARGETS)
    assert sum(file.stat().st_size for file in CORPUS.rglob("*") if file.is_file()) < 300_000


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_breaks_nothing_and_real_models_are_accepted(tmp_path: Path, name: str) -> None:
    target = TARGETS[name]
    import_first(name)
    for beside, content in target.extra.items():
        (tmp_path / beside).write_bytes(content)
    accepted = {
        file.name for file in sorted((CORPUS / name).iterdir()) if target.check(file.read_bytes(), tmp_path)
    }
    assert accepted >= {file.name for file in (CORPUS / name).glob("seed-*")}


@pytest.mark.skipif(find_spec("atheris") is None, reason="needs atheris: pip install 'atheris>=3'")
@pytest.mark.parametrize("name", TARGETS)
def test_no_bytes_break_a_reader(tmp_path: Path, name: str) -> None:
    (found := tmp_path / "found").mkdir()
    command = [
        sys.executable,
        str(FUZZ / "fuzz_readers.py"),
        name,
        f"-max_total_time={SECONDS}",
        "-print_final_stats=1",
        f"-artifact_prefix={tmp_path}/",
        str(found),
        str(CORPUS / name),
    ]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    run = subprocess.run(
        command, capture_output=True, text=True, errors="replace", env=environment, check=False
    )
    assert run.returncode == 0, run.stderr[-4000:]
    executed = re.search(r"stat::number_of_executed_units: *(\d+)", run.stderr)
    assert executed is not None
    assert int(executed[1]) > len([*(CORPUS / name).iterdir()]) + 20
