from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from lastmile_sls.bootstrap.document import read
from lastmile_sls.bootstrap.project import folder_of, last_plan, move_state, program_of, remember
from lastmile_sls.engine.interface import Engine, Program
from lastmile_sls.errors import LastmileError
from lastmile_sls.program.write import write_bootstrap
from tests.lastmile_sls.bootstrap.plans import bootstrap_plan

PLAN = bootstrap_plan("aws")


class Backend:
    """An engine that keeps stacks in a dict."""

    def __init__(self, stacks: Mapping[str, dict[str, Any]]) -> None:
        self.name = "pulumi"
        self.stacks = dict(stacks)

    def exists(self, program: Program) -> bool:
        return program.stack in self.stacks

    def export_state(self, program: Program) -> dict[str, Any]:
        return self.stacks[program.stack]

    def adopt_state(self, program: Program, state: dict[str, Any]) -> None:
        self.stacks[program.stack] = state

    def forget(self, program: Program) -> None:
        del self.stacks[program.stack]


def move(folder: Path, source: Backend, destination: Backend, **changes: Any) -> None:
    plan: Any = {**PLAN, **changes}
    move_state(plan, folder, cast("Engine", source), cast("Engine", destination), folder.parent)


def test_the_state_is_moved_and_the_project_names_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    program = write_bootstrap(PLAN, folder)
    assert program == program_of(folder, "aws-123456789012")
    source, destination = Backend({program.stack: {"version": 3}}), Backend({})
    move(folder, source, destination)
    assert (source.stacks, destination.stacks) == ({}, {program.stack: {"version": 3}})
    assert read(folder / "plan.json")["backend"] == PLAN["state"]["url"]
    assert last_plan(folder) == read(folder / "plan.json")
    assert yaml.safe_load((folder / "Pulumi.yaml").read_text())["backend"] == {"url": PLAN["state"]["url"]}
    move(folder, source, destination)  # interrupted before the project was written, say
    with pytest.raises(LastmileError, match=r"the state of aws-123456789012 is in s3://.* already\."):
        move(folder, source, destination, backend=PLAN["state"]["url"])


def test_there_must_be_a_state(tmp_path: Path) -> None:
    with pytest.raises(LastmileError) as caught:
        move(tmp_path, Backend({}), Backend({}))
    assert caught.value.message == (
        "there is no stack aws-123456789012 of lastmile-bootstrap: nothing to move."
    )
    assert caught.value.hint == "Bootstrap the account first: leave --move-state out."


def test_the_last_run_is_found_again(tmp_path: Path) -> None:
    folder = folder_of({"LASTMILE_HOME": str(tmp_path)}, "aws-1")
    assert folder == tmp_path / "bootstrap" / "aws-1"
    assert last_plan(folder) is None
    write_bootstrap(PLAN, folder)
    assert last_plan(folder) is None  # a preview asked it, no more
    remember(PLAN, folder)
    assert last_plan(folder) == PLAN
    (folder / "last.json").write_text("{}")
    with pytest.raises(LastmileError, match=r"the last run's plan cannot be read: .* has the format None"):
        last_plan(folder)
