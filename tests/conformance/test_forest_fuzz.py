"""Twenty seconds of libFuzzer over the evaluator, with AddressSanitizer and UndefinedBehaviorSanitizer on."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.conformance

NATIVE = Path(__file__).parents[2] / "native"
SECONDS = 20


@pytest.mark.skipif(not shutil.which("clang"), reason="needs clang with libFuzzer and its sanitizers")
def test_no_bytes_break_the_evaluator(tmp_path: Path) -> None:
    fuzzer, found = tmp_path / "fuzzer", tmp_path / "found"
    subprocess.run(
        [sys.executable, str(NATIVE / "build.py"), "--fuzzer", "--output", str(fuzzer)], check=True
    )
    found.mkdir()
    options = [
        f"-max_total_time={SECONDS}",
        "-max_len=4096",
        "-print_final_stats=1",
        f"-artifact_prefix={tmp_path}/",
    ]
    run = subprocess.run(
        [str(fuzzer), *options, str(found), str(NATIVE / "fuzz" / "corpus")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    executed = re.search(r"stat::number_of_executed_units: *(\d+)", run.stderr)
    assert executed is not None
    assert int(executed[1]) > 10_000
