"""Reads what a program's SDK sends for one resource; what we do not carry is refused by the name users know."""

from __future__ import annotations

import re
from typing import Any

from lastmile_sls.engine.embedded import property_paths
from lastmile_sls.engine.embedded.assets import with_hashes
from lastmile_sls.engine.embedded.goal import Goal
from lastmile_sls.engine.embedded.refusal import refusal
from lastmile_sls.engine.embedded.state import STACK_TYPE, Resource
from lastmile_sls.engine.interface import EngineError, Program
from lastmile_sls.engine.properties import from_struct

# Request fields that change what a registration means and that we do not carry, by the name users know.
_REFUSED_OPTIONS = {
    "importId": "import_",
    "remote": "a component that a plugin constructs",
    "replace_with": "replace_with",
    "replacement_trigger": "replacement_trigger",
    "transforms": "transforms",
    "state_migrations": "state_migrations",
    "packageRef": "a parameterized package",
    "envVarMappings": "env_var_mappings",
}
# Go's units of time (https://pkg.go.dev/time#ParseDuration, 2026-11-29), in which the SDK gives timeouts.
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|ns)")


def read_goal(request: Any, program: Program) -> Goal:
    """Return what a RegisterResourceRequest asks for. Raises EngineError for what we do not carry."""
    _refuse_options(request)
    what = f"{request.type} {request.name}"
    resource = Resource(
        urn=f"urn:pulumi:{program.stack}::{program.project}::"
        f"{_qualified_type(request.parent, request.type)}::{request.name}",
        custom=request.custom,
        type=request.type,
        inputs=with_hashes(what, from_struct(request.object), program.folder),
        parent=request.parent,
        protect=request.protect,
        dependencies=tuple(request.dependencies),
        provider=request.provider,
        property_dependencies={k: list(v.urns) for k, v in request.propertyDependencies.items()},
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        retain_on_delete=request.retainOnDelete,
        deleted_with=request.deletedWith,
        custom_timeouts={
            f.name: seconds(what, f.name, text) for f, text in request.customTimeouts.ListFields() if text
        },
        replace_on_changes=tuple(request.replaceOnChanges),
    )
    return Goal(
        resource,
        request.version,
        request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        tuple(request.ignoreChanges),
        tuple(_alias(request, alias, program) for alias in request.aliases),
    )


def seconds(what: str, field: str, duration: str) -> float:
    """Return a timeout such as `1h30m` in seconds. Raises EngineError when it is none."""
    parts = _DURATION.findall(duration)
    if "".join(number + unit for number, unit in parts) != duration or not parts:
        raise EngineError(
            f"custom_timeouts.{field} of {what} is {duration!r}, which is not a time.",
            "Write it like 30s, 10m or 1h30m.",
        )
    total = sum((float(number) * _SECONDS[unit] for number, unit in parts), 0.0)
    return int(total) if total.is_integer() else total


def _alias(request: Any, alias: Any, program: Program) -> str:
    """Return the URN that an alias stands for: what it does not say is as the resource has it."""
    if alias.urn:
        return str(alias.urn)
    spec = alias.spec
    parent = "" if spec.noParent else spec.parentUrn or request.parent
    stack, project = spec.stack or program.stack, spec.project or program.project
    qualified = _qualified_type(parent, spec.type or request.type)
    return f"urn:pulumi:{stack}::{project}::{qualified}::{spec.name or request.name}"


def _qualified_type(parent: str, type_token: str) -> str:
    parent_type = parent.split("::")[2] if parent else ""
    return f"{parent_type}${type_token}" if parent_type not in ("", STACK_TYPE) else type_token


def _refuse_options(request: Any) -> None:
    given = {field.name for field, _ in request.ListFields()}
    for field, name in _REFUSED_OPTIONS.items():
        if field in given:
            raise refusal(f"{name} on {request.type} {request.name}")
    if "hooks" in given and request.hooks.ByteSize():
        raise refusal(f"hooks on {request.type} {request.name}")
    for path in (*request.ignoreChanges, *request.replaceOnChanges):
        property_paths.parse(path)
