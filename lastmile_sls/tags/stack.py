"""Finds what is checked: a spec, and its stack on a cloud by the engine's state, an export of it, or its outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lastmile_sls.cloud_stack import CloudStack, read_outputs
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.document import Target
from lastmile_sls.spec.model import Spec
from lastmile_sls.tags.deployed import of_outputs, of_state, stack_outputs, target_of
from lastmile_sls.tags.document import Deployed

_EXPORT = "Write it with: pulumi stack export --file state.json"


@dataclass(frozen=True)
class Asked:
    """What the user names."""

    spec_path: Path
    target: Target
    environment: str | None = None
    state: Path | None = None
    """From `pulumi stack export`."""
    outputs: Path | None = None
    """From `pulumi stack output --json`."""


@dataclass(frozen=True)
class Standing:
    """A stack, with the resources of it that take tags."""

    spec: Spec
    stack: CloudStack
    resources: tuple[Deployed, ...]
    folder: str
    """The Pulumi project's, for people; empty where there is none here."""
    environ: Mapping[str, str] = field(repr=False)
    notes: tuple[str, ...] = ()


def find(asked: Asked, environ: Mapping[str, str]) -> Standing:
    """Return the stack of a spec.

    Raises LastmileError for this machine, for a stack that is not there or another's, and for files that cannot be read.
    """
    from lastmile_sls.build.prepare import find_program
    from lastmile_sls.spec.load import load

    spec = load(asked.spec_path, asked.environment)
    notes: tuple[str, ...] = ()
    if asked.outputs is not None:
        wanted = None if asked.target == "local" else asked.target
        stack = read_outputs(asked.outputs, wanted, environ, spec)
        resources, notes = of_outputs(stack.outputs, stack.target), (_few(stack),)
    else:
        state = _read(asked.state) if asked.state else _engines(asked, environ)
        resources = of_state(state)
        stack = _stack(spec, asked, state, resources, environ)
    _require(spec, stack, resources)
    program = find_program(asked.spec_path, stack.target, asked.environment)
    folder = str(program.folder) if program.folder.is_dir() else ""
    return Standing(spec, stack, resources, folder, environ, notes)


def _engines(asked: Asked, environ: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the state of a spec's stack, as the Pulumi CLI has it."""
    from lastmile_sls import deploy
    from lastmile_sls.build.prepare import find_program

    if asked.target == "local":
        raise LastmileError(
            "target is local, and on this machine nothing carries tags that a bill is told apart by.",
            "Name the cloud: --target aws, gcp or azure",
        )
    program = find_program(asked.spec_path, asked.target, asked.environment)
    engine = deploy.get_engine("pulumi", environ)
    if not engine.exists(program):
        raise LastmileError(
            f"{program.project} ({program.stack}) is not deployed.",
            f"Deploy it: lastmile up --target {asked.target}\n"
            f"Or check a stack of another machine: {_EXPORT.removeprefix('Write it with: ')}, then --state state.json",
        )
    return engine.export_state(program)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LastmileError(f"{path} cannot be read: {error.strerror or error}.", _EXPORT) from error
    except ValueError as error:
        raise LastmileError(f"{path} is not JSON: {error}.", _EXPORT) from error
    deployment = state.get("deployment") if isinstance(state, dict) else None
    if not isinstance(deployment, dict):
        raise LastmileError(f"{path} holds no stack's state: deployment is not an object in it.", _EXPORT)
    return {"deployment": deployment}


def _stack(
    spec: Spec,
    asked: Asked,
    state: Mapping[str, Any],
    resources: tuple[Deployed, ...],
    environ: Mapping[str, str],
) -> CloudStack:
    outputs = {"deployment": _name(spec), **stack_outputs(state)}
    target = outputs.get("target") or target_of(resources) or asked.target
    if target == "local":
        raise LastmileError(
            f"{asked.state} is of a stack on no cloud: it has no resource that takes tags.", _EXPORT
        )
    if asked.target not in ("local", target):
        raise LastmileError(
            f"{asked.state} is of a stack on {target}, but --target is {asked.target}.", f"--target {target}"
        )
    return CloudStack(spec, target, outputs, environ)


def _require(spec: Spec, stack: CloudStack, resources: tuple[Deployed, ...]) -> None:
    """Raise LastmileError for another deployment than the spec's, and for nothing to check."""
    if stack.deployment != _name(spec):
        raise LastmileError(
            f"the stack is of {stack.deployment}, but the spec is of {_name(spec)}.",
            "Name the other file, or the spec's environment: --environment NAME",
        )
    if not resources:
        raise LastmileError(
            f"the stack of {stack.deployment} has no resource that takes tags.",
            f"Deploy it: lastmile up --target {stack.target}",
        )


def _few(stack: CloudStack) -> str:
    return (
        f"only what the outputs name was looked at; all of {stack.deployment}: leave --outputs out, or give --state FILE "
        "from `pulumi stack export`"
    )


def _name(spec: Spec) -> str:
    return f"{spec.name}-{spec.environment}"
