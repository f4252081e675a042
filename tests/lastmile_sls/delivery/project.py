"""A Pulumi project for both engines whose program makes the deliveries that a list names."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lastmile_sls.engine.interface import Engine, Event, Program, Result

PROGRAM = """
import json
import pathlib

import pulumi

from lastmile_infra import delivery

for thing in json.loads(pathlib.Path("things.json").read_text()):
    kind = thing.pop("type")
    made = getattr(delivery, kind)(thing.pop("name"), **thing)
    for name in ("value", "digest", "location", "reference", "deployment"):
        if name in vars(made):
            pulumi.export(f"{kind}.{name}", getattr(made, name))
"""


@dataclass(frozen=True)
class Project:
    """The project, and the engine that runs it."""

    folder: Path
    engine: Engine

    @property
    def program(self) -> Program:
        return Program(self.folder, "own", "dev")

    def want(self, *things: dict[str, Any]) -> None:
        """Make the program ask for exactly these things."""
        (self.folder / "things.json").write_text(json.dumps(things))

    def preview(self) -> Result:
        return self.engine.preview(self.program, ignore)

    def up(self) -> Result:
        return self.engine.up(self.program, ignore)

    def destroy(self) -> Result:
        return self.engine.destroy(self.program, ignore)

    def state(self) -> str:
        """Return what the engine keeps, as it lies on disk."""
        kept = [path for path in self.folder.parent.rglob("*.json") if path.parent.name == "own"]
        return "\n".join(path.read_text() for path in kept)


def ignore(event: Event) -> None:
    return None


def make_project(folder: Path, engine: Engine) -> Project:
    folder.mkdir()
    document = {
        "name": "own",
        "runtime": {"name": "python", "options": {"virtualenv": sys.prefix}},
        "plugins": {"providers": [{"name": "lastmile", "path": str(Path(sys.executable).parent)}]},
    }
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(document))
    (folder / "__main__.py").write_text(PROGRAM)
    return Project(folder, engine)
