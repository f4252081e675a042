"""Translates the CLI's engine events into ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pulumi.automation.events import EngineEvent, OpType, PolicyEvent, StepEventMetadata

from lastmile_sls.engine.interface import Event, EventKind, Operation
from lastmile_sls.engine.properties import shown

# A replacement comes as three steps; the one called `replace` stands for all of them.
_OPERATIONS: dict[str, Operation] = {
    OpType.CREATE: "create",
    OpType.UPDATE: "update",
    OpType.DELETE: "delete",
    OpType.REPLACE: "replace",
    OpType.SAME: "same",
}
_DEFAULT_PROVIDER = "::default"
_SAYS_NOTHING = ("update failed", "preview failed")


def translate(event: EngineEvent, *, preview: bool) -> Event | None:
    """Return our event for one of the CLI's; None for those that say nothing new."""
    if event.resource_pre_event:
        kind: EventKind = "planned" if preview else "started"
        return _step(kind, event.resource_pre_event.metadata)
    if event.res_outputs_event and not preview:
        return _step("done", event.res_outputs_event.metadata)
    if event.res_op_failed_event:
        return _step("failed", event.res_op_failed_event.metadata)
    if event.diagnostic_event and event.diagnostic_event.severity != "debug":
        diagnostic = event.diagnostic_event
        if diagnostic.severity in ("error", "info#err"):
            return None  # it comes again, whole, when the command fails
        return Event("log", urn=diagnostic.urn or "", message=_plain(diagnostic.message).rstrip())
    return _policy(event.policy_event) if event.policy_event else None


def _policy(found: PolicyEvent) -> Event:
    """Return what a policy pack has found; the run that it stops ends with its name alone."""
    told = f"{found.policy_name} ({found.enforcement_level}): {_plain(found.message).strip()}"
    return Event("log", urn=found.resource_urn or "", message=told)


def changes(counts: Mapping[OpType, int] | Mapping[str, int]) -> dict[Operation, int]:
    """Return the CLI's summary in our operations."""
    named = {getattr(op, "value", op): count for op, count in counts.items()}
    return {_OPERATIONS[OpType(op)]: n for op, n in named.items() if OpType(op) in _OPERATIONS}


def errors(events: Iterable[EngineEvent]) -> str:
    """Return the text of what went wrong, without the repetition that the CLI's own display has."""
    texts: list[str] = []
    seen = list(events)
    stopping = [
        e.policy_event for e in seen if e.policy_event and e.policy_event.enforcement_level == "mandatory"
    ]
    for pack in sorted({policy.policy_pack_name for policy in stopping}):
        names = sorted({policy.policy_name for policy in stopping if policy.policy_pack_name == pack})
        texts.append(f"the policy pack {pack} refuses it: {', '.join(names)}.")
    for event in seen:
        diagnostic = event.diagnostic_event
        if diagnostic and diagnostic.severity == "error":
            text = _plain(diagnostic.message).strip()
            if text and text not in texts and text not in _SAYS_NOTHING:
                texts.append(text)
    return "\n".join(texts)


def _step(kind: EventKind, metadata: StepEventMetadata) -> Event | None:
    operation = _OPERATIONS.get(metadata.op)
    if operation is None or (
        metadata.type.startswith("pulumi:providers:") and _DEFAULT_PROVIDER in metadata.urn
    ):
        return None
    return Event(
        kind=kind,
        operation=operation,
        type=metadata.type,
        name=metadata.urn.rsplit("::", 1)[-1],
        urn=metadata.urn,
        changed=tuple(metadata.keys or metadata.diffs or ()),
        inputs=shown(metadata.new.inputs or {}) if kind == "planned" and metadata.new else None,
    )


def _plain(message: str) -> str:
    """Strip the CLI's colour markup, `<{%reset%}>`."""
    while (start := message.find("<{%")) >= 0 and (end := message.find("%}>", start)) >= 0:
        message = message[:start] + message[end + 3 :]
    return message
