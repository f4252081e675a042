"""A Pulumi project for engine tests: the same constant program on both engines, scripted by a list of things."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lastmile_sls.engine.interface import Program

REPOSITORY = Path(__file__).parents[3]
PROGRAM = """
import json
import pathlib

import pulumi


class Thing(pulumi.CustomResource):
    def __init__(self, name, props, opts):
        super().__init__("checking:index:Thing", name, {**props, "mark": None}, opts)


class Group(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("checking:index:Group", name, {}, None)


group = Group("group")
made = {}
for thing in json.loads(pathlib.Path("things.json").read_text()):
    options = {key: thing[key] for key in ("protect", "ignore_changes", "retain_on_delete",
               "delete_before_replace", "additional_secret_outputs", "aliases", "replace_on_changes") if key in thing}
    if "deleted_with" in thing:
        options["deleted_with"] = made[thing["deleted_with"]]
    if "custom_timeouts" in thing:
        options["custom_timeouts"] = pulumi.CustomTimeouts(**thing["custom_timeouts"])
    options["depends_on"] = [made[name] for name in thing.get("depends_on", ())]
    props = {key: thing[key] for key in ("value", "place", "tags", "forceDestroy") if key in thing}
    if "archive" in thing:
        props["code"] = pulumi.FileArchive(thing["archive"])
    if "of" in thing:
        props["value"] = made[thing["of"]].mark
    if "secret" in thing:
        props["secret"] = pulumi.Output.secret(thing["secret"])
    made[thing["name"]] = Thing(thing["name"], props, pulumi.ResourceOptions(parent=group, **options))
group.register_outputs({})
for name, thing in made.items():
    pulumi.export(name, thing.mark)
pulumi.export("config", pulumi.Config().get("setting"))
pulumi.export("hidden", pulumi.Output.secret("hush-hush"))
"""


@dataclass(frozen=True)
class World:
    """A project's folder and the folder of what its provider has made."""

    folder: Path
    things_made: Path

    def program(self, config: Mapping[str, str] | None = None) -> Program:
        return Program(self.folder, "world", "test", config or {})

    def want(self, *things: Mapping[str, Any]) -> None:
        """Make the program ask for exactly these things."""
        (self.folder / "things.json").write_text(json.dumps(things))

    def calls(self) -> list[str]:
        """Return what the provider was made to do, in order, and forget it."""
        log = self.things_made / "calls.log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    def standing(self) -> list[str]:
        return sorted(path.stem for path in self.things_made.glob("*.json"))


def make_world(folder: Path) -> World:
    project, things = folder / "project", folder / "things"
    (project / "bin").mkdir(parents=True)
    things.mkdir()
    plugin = project / "bin" / "pulumi-resource-checking"
    plugin.write_text(
        f"#!/bin/sh\ncd {REPOSITORY} && exec {sys.executable} -m tests.lastmile_sls.engine.checking_provider\n"
    )
    plugin.chmod(0o755)
    (project / "__main__.py").write_text(PROGRAM)
    (project / "Pulumi.yaml").write_text(
        yaml.safe_dump(
            {
                "name": "world",
                "runtime": {"name": "python", "options": {"virtualenv": sys.prefix}},
                "plugins": {"providers": [{"name": "checking", "path": "bin"}]},
            }
        )
    )
    return World(project, things)
