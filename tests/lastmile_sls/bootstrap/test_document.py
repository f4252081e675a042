from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lastmile_sls.bootstrap.document import read, render
from tests.lastmile_sls.bootstrap.plans import EVERYTHING, bootstrap_plan


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    plan = bootstrap_plan("azure", **EVERYTHING["azure"])
    path = tmp_path / "plan.json"
    path.write_text(render(plan), encoding="utf-8")
    assert read(path) == plan
    assert render(plan) == render(bootstrap_plan("azure", **EVERYTHING["azure"]))


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text('{"format": "lastmile.plan/3"}')
    with pytest.raises(
        ValueError, match=r"'lastmile\.plan/3', but this version reads 'lastmile\.bootstrap/1'"
    ):
        read(path)


def test_the_program_reads_a_plan_with_the_standard_library_alone() -> None:
    check = "import sys, lastmile_sls.bootstrap.document; print({'pydantic', 'yaml', 'pulumi'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
