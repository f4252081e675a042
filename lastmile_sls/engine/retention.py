"""What a destroy leaves and what it takes, read from and written into a stack in Pulumi's deployment format."""

from __future__ import annotations

from typing import Any

from lastmile_sls.engine.interface import Standing

_PROVIDER_TYPE = "pulumi:providers:"
# What makes a cloud delete a thing with all that is in it; a resource that has the property keeps it in its state.
_WITH_CONTENT = ("forceDestroy", "forceDelete")
# Types whose providers read the property from the state at a delete and leave it out there when it is not set
# (pulumi_aws 7.51, pulumi_gcp 10.2, 2026-11-29).
_WITH_CONTENT_BY_TYPE = {
    "aws:s3/bucket:Bucket": "forceDestroy",
    "aws:ecr/repository:Repository": "forceDelete",
    "gcp:storage/bucket:Bucket": "forceDestroy",
}


def standing(state: dict[str, Any]) -> tuple[Standing, ...]:
    """Return the stack's resources that exist outside its state, in the order in which they were made."""
    return tuple(_standing(entry) for entry in _resources(state) if _is_real(entry))


def retained(state: dict[str, Any]) -> tuple[Standing, ...]:
    """Return those of them that a destroy leaves standing: what is retained, and what only goes with such a resource."""
    kept = {entry["urn"] for entry in _resources(state) if entry.get("retainOnDelete")}
    return tuple(
        _standing(entry)
        for entry in _resources(state)
        if _is_real(entry) and (entry.get("retainOnDelete") or entry.get("deletedWith") in kept)
    )


def unretained(state: dict[str, Any]) -> dict[str, Any]:
    """Return the stack so that a destroy leaves nothing standing: nothing is retained, and what has content goes with it.

    Doing it again changes nothing, so a destroy that was interrupted can be repeated.
    """
    deployment = {**state["deployment"], "resources": [_unretained(entry) for entry in _resources(state)]}
    if pending := deployment.get("pending_operations"):
        deployment["pending_operations"] = [{**p, "resource": _unretained(p["resource"])} for p in pending]
    return {**state, "deployment": deployment}


def _unretained(entry: dict[str, Any]) -> dict[str, Any]:
    entry = {key: value for key, value in entry.items() if key != "retainOnDelete"}
    if not _is_real(entry):
        return entry
    held = {*entry.get("inputs", {}), *entry.get("outputs", {})}
    names = [name for name in _WITH_CONTENT if name in held]
    always = _WITH_CONTENT_BY_TYPE.get(entry["type"])
    forced = dict.fromkeys([*names, always] if always else names, True)
    if not forced:
        return entry
    return {**entry, **{part: {**entry.get(part, {}), **forced} for part in ("inputs", "outputs")}}


def _standing(entry: dict[str, Any]) -> Standing:
    return Standing(entry["type"], entry["urn"].rsplit("::", 1)[-1], entry.get("id", ""), entry["urn"])


def _is_real(entry: dict[str, Any]) -> bool:
    return bool(
        entry.get("custom") and not entry.get("external") and not entry["type"].startswith(_PROVIDER_TYPE)
    )


def _resources(state: dict[str, Any]) -> list[dict[str, Any]]:
    return state["deployment"].get("resources") or []
