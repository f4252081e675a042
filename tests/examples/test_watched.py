"""A deployment that is watched: on this machine it answers, and nobody is told, as its README says."""

from __future__ import annotations

import shutil

from tests.examples.projects import FOLDER
from tests.lastmile_sls.commands import Workspace

EXAMPLE = "watched"


def test_it_does_what_its_readme_says(work: Workspace) -> None:
    shutil.copytree(
        FOLDER / EXAMPLE, work.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".lastmile")
    )
    spec = work.folder / "lastmile.yaml"
    text = spec.read_text(encoding="utf-8")
    spec.write_text(text + f"  local: {{port: {work.port}}}\n", encoding="utf-8")
    work.run("up")
    smoke = work.json("smoke")
    assert smoke["passed"] is True
    notes = work.run("fit").stdout
    assert "this machine tells nobody: see lastmile status, and /metrics" in notes
    work.run("destroy", "--yes")
