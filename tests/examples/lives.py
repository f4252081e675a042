"""The whole life of an example on a cloud: previewed, made, made again, changed, and destroyed in both ways."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lastmile_sls.engine.interface import EngineName, Program
from lastmile_sls.engine.properties import comparable
from lastmile_sls.plan.document import Plan, Target
from tests.clouds.stacks import Stack, Told, assert_golden
from tests.clouds.wire import child, is_asset, is_internal
from tests.examples.projects import changed_plan, plan_for, replaced, rewrite_project, write_project

GOLDEN = Path(__file__).with_name("golden")
Changes = dict[str, list[str]]
"""By `verb Type name`: the inputs that an update changes; nothing of what is created or deleted."""
GOES_ALONG = {"azure-native:operationalinsights:Table"}
"""What the cloud deletes with what it is in, so that nobody has to ask for it."""


@dataclass(frozen=True)
class Life:
    """What happened, in this order; the destroy with data is of a copy of the stack that the other one destroys."""

    example: str
    cloud: Target
    plan: Plan
    program: Program
    preview: Told
    up: Told
    state: dict[str, Any]
    """In Pulumi's deployment format, secrets marked and in plain text."""
    exposing: list[str]
    """Files of the engine's that hold a key's value as it is."""
    again: Told
    update: Told
    """After a change of the models and of the memory."""
    retained: list[str]
    """What the engine says, before, that a destroy leaves standing, as `Type name`."""
    destroy: Told
    standing: list[str]
    """After it: types."""
    everything: Told
    """The destroy with data."""
    left: list[str]
    """After that: types."""

    def changes(self) -> Changes:
        """Return what the change of the spec changed."""
        before = {record.key: record.inputs for record in self.up.records}
        return {
            f"{call.verb} {_short(call.type)} {call.name}": sorted(
                differences(before.get((call.type, call.name), {}), call.inputs)
            )
            if call.verb == "update"
            else []
            for call in sorted(self.update.calls, key=lambda call: (call.verb, call.type, call.name))
        }


def live(
    kind: EngineName, example: str, cloud: Target, folder: Path, key: str, policy_pack: Path | None = None
) -> Life:
    """Live an example's life on an engine.

    Args:
        kind: The engine.
        example: Its folder's name.
        cloud: Where.
        folder: A new folder for the project, the stack, and the cloud that is played.
        key: The value of every API key, of which no trace may be left.
        policy_pack: Run on the first preview by the CLI.
    """
    plan = plan_for(example, cloud)
    stack = Stack(kind, write_project(plan, folder / "project"), folder / "home")
    preview, up = stack.preview(policy_pack), stack.up()
    state, exposing = stack.engine.export_state(stack.program), _files_with(key, folder)
    again = stack.up()
    rewrite_project(changed_plan(example, cloud), stack.program)
    update = stack.up()
    retained = [f"{_short(kept.type)} {kept.name}" for kept in stack.engine.retained(stack.program)]
    copy = _copy(stack, folder)
    destroy, everything = stack.destroy(), copy.destroy(data=True)
    return Life(
        example=example,
        cloud=cloud,
        plan=plan,
        program=stack.program,
        preview=preview,
        up=up,
        state=state,
        exposing=exposing,
        again=again,
        update=update,
        retained=sorted(retained),
        destroy=destroy,
        standing=_standing(stack),
        everything=everything,
        left=_standing(copy),
    )


def assert_sound(life: Life) -> None:
    """What holds of every example on every cloud and engine."""
    assert {operation for operation, _, _ in life.preview.planned} == {"create"}
    made = life.preview.result.changes["create"]
    assert life.preview.result.changes == {"create": made}
    assert life.preview.calls == []
    assert life.up.result.changes == {"create": made}
    assert sorted((call.type, call.name) for call in life.up.calls) == sorted(
        record.key for record in life.up.records if not record.type.startswith("pulumi:")
    )
    assert {call.verb for call in life.up.calls} == {"create"}
    assert life.again.result.changes == {"same": made}
    assert life.again.calls == []
    assert life.standing == sorted(kept.split()[0] for kept in life.retained)
    assert life.left == []
    assert {call.verb for call in life.everything.calls} == {"delete"}
    asked = [call for call in life.up.calls if call.type not in GOES_ALONG]
    assert len(life.everything.calls) == len(asked)


def assert_told(life: Life) -> None:
    """Compare what a preview tells the providers with the golden file of the example on the cloud."""
    name = f"{life.example}-{life.cloud}"
    assert_golden(name, life.preview.records, replaced(life.program), GOLDEN)


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Yield the path of every value that is another one, or that only one of the two has; a file is one value."""
    old, new = comparable(before), comparable(after)
    if isinstance(old, dict) and isinstance(new, dict) and not is_asset(before):
        for key in {*old, *new}:
            if not is_internal(key):
                yield from differences(old.get(key), new.get(key), child(path, key))
    elif isinstance(old, list) and isinstance(new, list):
        named_old, named_new = _by_name(old), _by_name(new)
        for key in {*named_old, *named_new}:
            yield from differences(named_old.get(key), named_new.get(key), f"{path}[{key}]")
    elif old != new:
        yield path


def _by_name(items: list[Any]) -> dict[Any, Any]:
    """Return a list's items by their names where they have any, else by their numbers."""
    return {
        item["name"] if isinstance(item, dict) and "name" in item else index: item
        for index, item in enumerate(items)
    }


def _copy(stack: Stack, folder: Path) -> Stack:
    """Return a stack that stands as another does, in a world that is as the other's."""
    for part in ("project", "home"):
        shutil.copytree(folder / part, folder / f"{part}-copy", symlinks=True)
    program = replace(stack.program, folder=folder / "project-copy")
    return Stack(stack.kind, program, folder / "home-copy")


def _standing(stack: Stack) -> list[str]:
    return sorted(_short(type_) for type_, _ in stack.world.standing())


def _files_with(text: str, folder: Path) -> list[str]:
    """Return the files below the home's folder, but for the played cloud's own, that hold a text."""
    files = [path for path in (folder / "home").rglob("*") if path.is_file() and "world" not in path.parts]
    return sorted(str(path.relative_to(folder)) for path in files if text in path.read_text(errors="replace"))


def _short(type_: str) -> str:
    return type_.rpartition(":")[2]
