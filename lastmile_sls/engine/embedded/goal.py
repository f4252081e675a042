"""What the program wants of one resource, and the decision what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pulumi.runtime.proto import provider_pb2 as wire

from lastmile_sls.engine.embedded import property_paths
from lastmile_sls.engine.embedded.state import Resource, Snapshot
from lastmile_sls.engine.interface import EngineError, Operation
from lastmile_sls.engine.properties import comparable


@dataclass(frozen=True)
class Goal:
    """What the program wants a resource to be."""

    resource: Resource
    """Without id and outputs."""
    version: str = ""
    """The version of the default provider, when the program names one."""
    delete_before_replace: bool | None = None
    ignore_changes: tuple[str, ...] = ()
    """Paths to parts of the inputs."""
    aliases: tuple[str, ...] = ()
    """The URNs that the resource may have had before."""


@dataclass(frozen=True)
class Step:
    """The decision for one resource."""

    operation: Operation
    changed: tuple[str, ...] = ()
    delete_first: bool = False


def decide(
    goal: Goal, wanted: Resource, old: Resource, diff: wire.DiffResponse, *, interrupted: bool
) -> Step:
    """Return the step for a resource that is there, from what its provider says of the difference.

    `interrupted` repeats an update of which nobody knows how far it went.
    """
    some = diff.changes == wire.DiffResponse.DIFF_SOME or (
        diff.changes == wire.DiffResponse.DIFF_UNKNOWN and comparable(old.inputs) != comparable(wanted.inputs)
    )
    forced = [p for p in wanted.replace_on_changes if property_paths.differs(old.inputs, wanted.inputs, p)]
    if diff.replaces or (some and forced):
        first = goal.delete_before_replace
        return Step(
            "replace",
            tuple(dict.fromkeys((*diff.replaces, *forced))),
            diff.deleteBeforeReplace if first is None else first,
        )
    if some:
        return Step("update", tuple(diff.diffs))
    if interrupted:
        return Step("update", ("an interrupted update",))
    return Step("same")


def renamed(snapshot: Snapshot, goal: Goal, settled: frozenset[str]) -> Snapshot:
    """Give the resource that an alias names its new URN, so that it is the one that the goal is held against.

    Raises EngineError when it has children, whose URNs would have to follow.
    """
    current = snapshot.current()
    old = next((current[urn] for urn in goal.aliases if urn in current and urn not in settled), None)
    if old is None or goal.resource.urn in current:
        return snapshot
    if any(resource.parent == old.urn for resource in current.values()):
        raise EngineError(
            f"the program renames {old.urn}, which has children; the embedded engine does not carry that.",
            "Run it with the Pulumi CLI: lastmile up --engine pulumi --take-over",
        )
    new = replace(old, urn=goal.resource.urn, type=goal.resource.type, parent=goal.resource.parent)
    return replace(snapshot, resources=tuple(new if r is old else r for r in snapshot.resources))
