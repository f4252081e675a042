"""Running uv: found beside this Python, its words without secrets, what stopped it in ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import uv

import lastmile_sls
from lastmile_sls.bundle.dependencies.uv_process import (
    LONGEST_REASON,
    Run,
    find_uv,
    reason,
    refusal,
    run_uv,
    shortened,
    without_secrets,
)
from tests.lastmile_sls.bundle.dependencies.wheels import environ

ROOT = Path(lastmile_sls.__file__).parents[1]
RUN = """
from lastmile_sls.bundle.dependencies.uv_process import run_uv
from lastmile_sls.errors import LastmileError
try:
    run_uv(["pip", "list"])
except LastmileError as error:
    print(error)
"""


def told_without_packages(folder: Path) -> str:
    """Return what somebody is told whose Python has no packages but those of a folder."""
    command = [sys.executable, "-S", "-c", RUN]
    variables = environ(folder / "home", PYTHONPATH=f"{folder}:{ROOT}")
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout


def test_uv_is_the_one_that_was_installed_with_lastmile(tmp_path: Path) -> None:
    assert Path(find_uv()).name == "uv"
    assert run_uv(["pip", "list"], environ(tmp_path / "home", PATH="")).succeeded


@pytest.mark.parametrize("there", ["nothing", "the package without its program"])
def test_a_uv_that_is_not_there(tmp_path: Path, there: str) -> None:
    if there != "nothing":
        shutil.copytree(Path(uv.__file__).parent, tmp_path / "uv")
    assert told_without_packages(tmp_path) == (
        f"uv, which chooses and installs packages, is not where {sys.executable} has its programs.\n"
        "Install it there: python -m pip install --force-reinstall uv\n"
    )


def test_a_uv_that_cannot_be_run(tmp_path: Path) -> None:
    shutil.copytree(Path(uv.__file__).parent, tmp_path / "uv")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/uv").write_text("no program")
    assert told_without_packages(tmp_path) == "uv could not be run: Permission denied.\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fetch https://me:hunter2@x.example/a", "fetch https://x.example/a"),
        ("`https://token@x.example`", "`https://x.example`"),
        ("https://x.example/a.whl?sig=abc) failed", "https://x.example/a.whl) failed"),
        ("no secret: a@b, x == 1", "no secret: a@b, x == 1"),
    ],
)
def test_secrets_are_left_out(text: str, told: str) -> None:
    assert without_secrets(text) == told


def test_why_it_failed_is_one_line_of_causes() -> None:
    told = (
        "warning: old\nerror: Failed to download `a==1`\n  cause: Invalid zip file\n         in two lines\n"
        "  cause: truncated\n\nhint: try\n  again\n"
    )
    assert reason(told) == "Failed to download `a==1`: Invalid zip file in two lines: truncated"
    assert reason("panicked\nat the end\n") == "at the end"
    assert reason("") == "it said nothing"
    assert refusal(Run(False, told), "testing").message == f"uv failed at testing: {reason(told)}"


def test_a_long_reason_is_cut() -> None:
    assert shortened("a" * LONGEST_REASON) == "a" * LONGEST_REASON
    assert shortened("a" * (LONGEST_REASON + 1)) == "a" * (LONGEST_REASON - 3) + "..."
