"""Runs a Pulumi program on either engine, checking providers in the clouds' places, and tells what those were told."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from lastmile_sls.engine.embedded.engine import EmbeddedEngine
from lastmile_sls.engine.interface import Engine, EngineName, Event, Program, Result
from lastmile_sls.engine.properties import UNKNOWN_SENTINEL, is_secret
from lastmile_sls.engine.pulumi_cli.engine import PulumiCliEngine
from tests.clouds.played import PlayedLastmile
from tests.clouds.provider import MISSING, CloudProvider
from tests.clouds.sdk_types import PACKAGES
from tests.clouds.wire import SHOWN_FILE, SHOWN_SECRET, SHOWN_UNKNOWN, Record, is_asset, is_internal
from tests.clouds.world import VARIABLE, Call, World

REPOSITORY = Path(__file__).parents[2]
GOLDEN = Path(__file__).with_name("golden")
"""One file for each example and cloud: what every resource is told."""
_WRITE = "LASTMILE_GOLDEN"
_THIS_MONTH = re.compile(r'("startDate": )"\d{4}-\d\d-01T00:00:00Z"')
"""When a new budget of Azure's begins, whose golden file must be the same next month."""


@dataclass(frozen=True)
class Told:
    """What one run told the providers, and how it ended."""

    result: Result
    records: list[Record]
    """Every resource of the stack, by type and name."""
    calls: list[Call]
    """What was created, updated and deleted, in order."""
    planned: list[tuple[str, str, str]]
    """Operation, type and name of each step that a preview announces."""
    said: frozenset[tuple[str, str]] = frozenset()
    """URN and text of what the engine, or a policy pack, said beside its steps."""


@dataclass(frozen=True)
class Cycle:
    """A stack's life: preview, up, the same up again, destroy."""

    preview: Told
    up: Told
    again: Told
    destroy: Told


class Stack:
    """A project's folder on one engine, in a world of its own."""

    def __init__(self, kind: EngineName, program: Program, home: Path) -> None:
        """Make the providers' world below `home`, and give the project the plugins that play the clouds."""
        self.kind = kind
        self.program = program
        self.world = World(home / "world")
        self.world.folder.mkdir(parents=True, exist_ok=True)
        self._home = home
        self._environ = {VARIABLE: str(self.world.folder), "LASTMILE_HOME": str(home / "lastmile")}
        self.engine = self._engine()

    def preview(self, policy_pack: Path | None = None) -> Told:
        """Preview the stack; the CLI runs a policy pack on it where one is named."""
        packs = {} if policy_pack is None else {"PULUMI_OPTION_POLICY_PACK": str(policy_pack)}
        with mock.patch.dict(os.environ, packs):
            return self._run(self.engine.preview)

    def up(self) -> Told:
        """Bring the stack up. Fails for an output of the stack that rests on one that the tables do not have."""
        told = self._run(self.engine.up)
        assert MISSING not in repr(told.result.outputs), told.result.outputs
        return told

    def destroy(self, *, data: bool = False) -> Told:
        return self._run(lambda program, on_event: self.engine.destroy(program, on_event, data=data))

    def cycle(self) -> Cycle:
        """Run through a stack's life; the caller says what must hold of it."""
        return Cycle(self.preview(), self.up(), self.up(), self.destroy())

    def _engine(self) -> Engine:
        if self.kind == "embedded":
            factories: dict[str, Any] = {
                package: lambda package=package: CloudProvider(package, self.world) for package in PACKAGES
            }
            factories["lastmile"] = lambda: PlayedLastmile("embedded", self.world)
            return EmbeddedEngine(self._home / "stacks", factories)
        install_plugins(self.program.folder, self._home / "plugins")
        # A user's own backend settings must not reach the tests.
        environ = {k: v for k, v in os.environ.items() if not k.startswith("PULUMI_")}
        return PulumiCliEngine(self._home / "pulumi", {**environ, **self._environ})

    def _run(self, verb: Callable[[Program, Callable[[Event], None]], Result]) -> Told:
        planned: list[tuple[str, str, str]] = []
        said: set[tuple[str, str]] = set()

        def hear(event: Event) -> None:
            if event.kind == "log":
                said.add((event.urn, event.message))
            if event.kind == "planned" and event.operation:
                planned.append((event.operation, event.type, event.name))

        self.world.forget()
        with self._environment():
            result = verb(self.program, hear)
        done = self.world.calls("create", "update", "delete")
        return Told(result, self.world.records(), done, sorted(planned), frozenset(said))

    @contextmanager
    def _environment(self) -> Iterator[None]:
        with mock.patch.dict(os.environ, self._environ):
            yield


def record_preview(program: Program, home: Path, kind: EngineName = "embedded") -> list[Record]:
    """Return what a preview tells the providers of each resource."""
    return Stack(kind, program, home).preview().records


def run(kind: EngineName, program: Program, home: Path) -> Cycle:
    """Run through a stack's life on an engine: preview, up, up again, destroy."""
    return Stack(kind, program, home).cycle()


def write_project(
    folder: Path, main: str, name: str = "clouds", config: Mapping[str, str] | None = None
) -> Program:
    """Write a Pulumi project whose program is the given text."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"name": name, "runtime": {"name": "python", "options": {"virtualenv": sys.prefix}}}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    (folder / "__main__.py").write_text(main, encoding="utf-8")
    return Program(folder, name, "test", config or {})


def install_plugins(project: Path, folder: Path) -> None:
    """Make the plugins that play the packages, and name them in the project's Pulumi.yaml in the real ones' place."""
    folder.mkdir(parents=True, exist_ok=True)
    commands = {package: f"tests.clouds.provider {package}" for package in PACKAGES}
    for package, command in {**commands, "lastmile": "tests.clouds.played"}.items():
        plugin = folder / f"pulumi-resource-{package}"
        plugin.write_text(f"#!/bin/sh\ncd {REPOSITORY} && exec {sys.executable} -m {command}\n")
        plugin.chmod(0o755)
    path = project / "Pulumi.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    plugins = settings.setdefault("plugins", {})
    others = [p for p in plugins.get("providers", ()) if p["name"] not in (*PACKAGES, "lastmile")]
    played = [{"name": name, "path": str(folder)} for name in (*PACKAGES, "lastmile")]
    plugins["providers"] = others + played
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")


# -- golden files ---------------------------------------------------------------------------------


def golden(records: list[Record], replaced: Mapping[str, str] | None = None) -> str:
    """Return what the resources were told as stable JSON: secrets and unknowns veiled, files by their names.

    `replaced` names texts that differ from run to run or machine to machine, a digest or a folder, and what to write
    instead; it applies inside of longer texts too.
    """
    shown = [
        {"type": record.type, "name": record.name, "inputs": _veiled(record.inputs)}
        for record in sorted(records, key=_order)
    ]
    text = json.dumps(shown, indent=2, sort_keys=True, ensure_ascii=False)
    for found, instead in (replaced or {}).items():
        text = text.replace(json.dumps(found)[1:-1], json.dumps(instead)[1:-1])
    return _THIS_MONTH.sub(r'\1"[this month]"', text) + "\n"


def _order(record: Record) -> tuple[str, ...]:
    """Sort by type and name, and two providers of one package, which are configured in any order, by their inputs."""
    return (*record.key, record.parent, json.dumps(record.inputs, sort_keys=True))


def _veiled(value: Any) -> Any:
    if is_secret(value):
        return SHOWN_SECRET
    if value == UNKNOWN_SENTINEL:
        return SHOWN_UNKNOWN
    if is_asset(value):
        return f"{SHOWN_FILE}{Path(str(value.get('path') or value.get('uri') or '')).name}]"
    if isinstance(value, dict):
        return {key: _veiled(item) for key, item in value.items() if not is_internal(key)}
    return [_veiled(item) for item in value] if isinstance(value, list) else value


def assert_golden(
    name: str, records: list[Record], replaced: Mapping[str, str] | None = None, folder: Path = GOLDEN
) -> None:
    """Compare with FOLDER/NAME.json; with LASTMILE_GOLDEN=write in the environment, write it instead."""
    path = folder / f"{name}.json"
    text = golden(records, replaced)
    if os.environ.get(_WRITE) == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{path} is not there. Write it: {_WRITE}=write pytest ..., then read what it says."
    assert text == path.read_text(encoding="utf-8"), (
        f"{path} says otherwise. If the change is meant: {_WRITE}=write pytest ..."
    )


def read_golden(path: Path) -> list[Record]:
    """Return the records of a golden file."""
    return [Record(r["type"], r["name"], r["inputs"]) for r in json.loads(path.read_text(encoding="utf-8"))]
