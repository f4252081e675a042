"""One run over a stack: decides each resource's step, carries it out, journals it in the state file.

The order of every change is: note it as pending, do it, note its result. A run that is killed between
any two of these is taken up by the next one: what was being created is created again (a provider with
deterministic ids adopts what it finds), what was being updated is updated again, what was being deleted
is deleted again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pulumi.runtime.proto import provider_pb2 as wire

from lastmile_sls.engine.embedded import calls
from lastmile_sls.engine.embedded.goal import Goal, Step, decide, renamed
from lastmile_sls.engine.embedded.property_paths import kept
from lastmile_sls.engine.embedded.providers import (
    PROVIDER_TYPE,
    Providers,
    default_urn,
    new_entry,
    package_of,
)
from lastmile_sls.engine.embedded.refusal import refusal
from lastmile_sls.engine.embedded.state import (
    STACK_TYPE,
    Pending,
    PendingType,
    Resource,
    Snapshot,
    StateFile,
    now,
)
from lastmile_sls.engine.interface import EngineError, Event, OnEvent, Operation, Result
from lastmile_sls.engine.properties import (
    Properties,
    is_unknown,
    reveal,
    shown,
    with_secrets,
)


class Deployment:
    """The state of a run. Not thread-safe: the monitor calls it under one lock."""

    def __init__(self, file: StateFile, providers: Providers, *, preview: bool, on_event: OnEvent) -> None:
        self._file = file
        self._providers = providers
        self._preview = preview
        self._on_event = on_event
        self._snapshot = file.read()
        self._interrupted = {p.resource.urn: p for p in self._snapshot.pending}
        self._seen: dict[str, Resource] = {}
        self._changes: Counter[Operation] = Counter()

    # -- what the program asks for ------------------------------------------------------------

    def register(self, goal: Goal) -> Resource:
        """Bring one resource to its goal and return it; raise EngineError when that fails."""
        wanted = goal.resource
        if wanted.urn in self._seen:
            raise EngineError(f"two resources have the URN {wanted.urn}.", "Give one of them another name.")
        self._snapshot = renamed(self._snapshot, goal, frozenset(self._seen))
        if not wanted.custom:
            return self._register_component(wanted)
        if wanted.type.startswith(PROVIDER_TYPE):
            return self._register_provider(wanted)
        if not wanted.provider:
            prefix = "::".join(wanted.urn.split("::")[:2]) + "::"
            reference = self._default_provider(prefix, package_of(wanted.type), goal.version)
            goal = replace(goal, resource=replace(wanted, provider=reference))
        return self._register_custom(goal)

    def invoke(
        self, prefix: str, token: str, arguments: Properties, *, provider: str, version: str
    ) -> wire.InvokeResponse:
        """Ask a provider's function; without a provider named, the default one of its package.

        Raises EngineError for a package that has no provider here, and for a function that the provider has not.
        """
        if not self._providers.carries(package_of(token)):
            raise refusal(f"the function {token}")
        reference = provider or self._default_provider(prefix, package_of(token), version)
        return calls.invoke(self._provider_of(reference), token, arguments, preview=self._preview)

    def register_outputs(self, urn: str, outputs: Properties) -> None:
        """Set a component's outputs."""
        self._settle(replace(self._seen[urn], outputs=outputs))

    def finish(self) -> Result:
        """Delete what the program no longer has, newest first, and return how the run ended."""
        if not self._preview:
            self._write(self._ordered())
        self._complete_interrupted_creations()
        self._delete_all([r for r in self._snapshot.resources if r.delete or r.urn not in self._seen])
        return self.result()

    def destroy(self) -> Result:
        """Delete every resource, newest first."""
        self._complete_interrupted_creations()
        self._delete_all(self._snapshot.resources)
        return self.result()

    def result(self) -> Result:
        """Return the changes so far and the stack's outputs."""
        return Result(dict(self._changes), stack_outputs(self._seen.values()))

    # -- kinds of resources -------------------------------------------------------------------

    def _register_component(self, wanted: Resource) -> Resource:
        old = self._snapshot.current().get(wanted.urn)
        operation: Operation = "same" if old else "create"
        resource = replace(
            wanted,
            outputs=old.outputs if old else wanted.inputs,
            created=old.created if old else now(),
            modified=old.modified if old else now(),
        )
        self._report("done", resource, Step(operation))
        return self._settle(resource)

    def _register_provider(self, wanted: Resource) -> Resource:
        self._providers.require(wanted.type.removeprefix(PROVIDER_TYPE))
        old = self._snapshot.current().get(wanted.urn)
        if old:
            entry = replace(wanted, id=old.id, outputs=wanted.inputs, created=old.created, modified=now())
            same = reveal(old.inputs) == reveal(wanted.inputs)
            self._report("done", entry, Step("same" if same else "update"))
        else:
            entry = new_entry(wanted.urn, wanted.inputs)
            entry = replace(entry, parent=wanted.parent, dependencies=wanted.dependencies)
            self._report("done", entry, Step("create"))
        return self._settle(entry)

    def _default_provider(self, prefix: str, package: str, version: str) -> str:
        """Return the reference of a package's default provider; `prefix` is how the stack's URNs begin."""
        self._providers.require(package)
        urn = default_urn(prefix, package, version)
        inputs = self._providers.default_inputs(package, version)
        entry = self._seen.get(urn) or self._snapshot.current().get(urn) or new_entry(urn, inputs)
        if urn not in self._seen:
            entry = self._settle(replace(entry, inputs=inputs, outputs=inputs))
        return f"{entry.urn}::{entry.id}"

    def _register_custom(self, goal: Goal) -> Resource:
        old = self._resume(goal.resource.urn)
        provider = self._provider(goal.resource)
        inputs = goal.resource.inputs
        if old:
            inputs = kept(goal.resource.name, inputs, old.inputs, goal.ignore_changes)
        wanted = replace(goal.resource, inputs=calls.check(provider, goal.resource, old, inputs))
        step = self._decide(provider, wanted, old, goal)
        match step.operation, old:
            case "create", _:
                resource = self._create(provider, wanted, step)
            case "update", Resource():
                resource = self._update(provider, wanted, old, step)
            case "replace", Resource():
                resource = self._replace(provider, wanted, old, step)
            case "same", Resource():
                resource = replace(
                    wanted,
                    id=old.id,
                    outputs=old.outputs,
                    created=old.created,
                    modified=old.modified,
                )
                self._report("done", resource, step)
            case _:
                raise AssertionError(step)
        return self._settle(resource)

    # -- decisions ----------------------------------------------------------------------------

    def _resume(self, urn: str) -> Resource | None:
        """Return the resource as it is now, after finishing a deletion that was interrupted."""
        old = self._snapshot.current().get(urn)
        interrupted = self._interrupted.get(urn)
        if old and interrupted and interrupted.type == "deleting" and not self._preview:
            self._delete(old)
            return None
        return old

    def _decide(self, provider: Any, wanted: Resource, old: Resource | None, goal: Goal) -> Step:
        if old is None:
            return Step("create")
        diff = calls.diff(provider, wanted, old, goal.ignore_changes)
        return decide(goal, wanted, old, diff, interrupted=wanted.urn in self._interrupted)

    # -- steps --------------------------------------------------------------------------------

    def _create(self, provider: Any, wanted: Resource, step: Step) -> Resource:
        self._begin("creating", wanted, step)
        try:
            resource = calls.create(provider, wanted, preview=self._preview)
        except Exception as error:
            raise self._failed(wanted, step, error) from error
        return self._done(resource, step)

    def _update(self, provider: Any, wanted: Resource, old: Resource, step: Step) -> Resource:
        self._begin("updating", replace(wanted, id=old.id), step)
        try:
            resource = calls.update(provider, wanted, old, preview=self._preview)
        except Exception as error:
            raise self._failed(wanted, step, error) from error
        return self._done(resource, step)

    def _replace(self, provider: Any, wanted: Resource, old: Resource, step: Step) -> Resource:
        if old.protect:
            raise protected(old)
        if step.delete_first:
            self._delete(old, count=False)
            return self._create(provider, wanted, step)
        if not self._preview:
            condemned = replace(old, delete=True)
            self._write(
                replace(
                    self._snapshot,
                    resources=tuple(condemned if r is old else r for r in self._snapshot.resources),
                )
            )
        return self._create(provider, wanted, step)

    def _delete(
        self, resource: Resource, *, count: bool = True, deleted: frozenset[str] = frozenset()
    ) -> None:
        """Delete one resource; `deleted` are the URNs of all that go with it in this run."""
        step = Step("delete")
        real = resource.custom and not resource.type.startswith(PROVIDER_TYPE)
        if real and count:
            self._begin("deleting", resource, step)
        goes_along = resource.retain_on_delete or resource.deleted_with in deleted
        if real and not goes_along and not self._preview:
            try:
                calls.delete(self._provider(resource), resource)
            except Exception as error:
                raise self._failed(resource, step, error) from error
        self._forget(resource)
        if count and not _is_default_provider(resource):
            self._report("done", resource, step)

    def _delete_all(self, resources: Iterable[Resource]) -> None:
        doomed = list(resources)
        for resource in doomed:
            if resource.protect:
                raise protected(resource)
        deleted = frozenset(resource.urn for resource in doomed)
        for resource in reversed(doomed):
            self._delete(resource, count=not resource.delete, deleted=deleted)

    def _complete_interrupted_creations(self) -> None:
        """Adopt what a killed run may have left of resources that the program no longer has, so that they are deleted."""
        if self._preview:
            return
        for pending in list(self._interrupted.values()):
            resource = pending.resource
            if pending.type == "creating" and resource.urn not in self._seen:
                created = self._create(self._provider(resource), resource, Step("create"))
                snapshot = self._cleared(resource.urn)
                self._write(replace(snapshot, resources=(*snapshot.resources, created)))

    # -- bookkeeping --------------------------------------------------------------------------

    def _provider(self, resource: Resource) -> Any:
        return self._provider_of(resource.provider)

    def _provider_of(self, reference: str) -> Any:
        urn = reference.rpartition("::")[0]
        entry = self._seen.get(urn) or self._snapshot.current().get(urn)
        return self._providers.get(reference, entry.inputs if entry else {})

    def _settle(self, resource: Resource) -> Resource:
        """Note the resource in the state, and that nothing is pending for it any more.

        What the program has registered stands first, in its order, so that each resource follows what it depends on.
        """
        known = self._snapshot.current().get(resource.urn) == resource
        self._seen[resource.urn] = resource
        if not self._preview and not (known and not self._snapshot.pending):
            self._write(self._ordered(resource.urn))
        return resource

    def _ordered(self, urn: str = "") -> Snapshot:
        snapshot = self._cleared(urn)
        rest = (r for r in snapshot.resources if r.delete or r.urn not in self._seen)
        return replace(snapshot, resources=(*self._seen.values(), *rest))

    def _forget(self, resource: Resource) -> None:
        if not self._preview:
            self._write(self._cleared(resource.urn).without(resource))

    def _cleared(self, urn: str) -> Snapshot:
        self._interrupted.pop(urn, None)
        pending = tuple(p for p in self._snapshot.pending if p.resource.urn != urn)
        return replace(self._snapshot, pending=pending)

    def _begin(self, pending: PendingType, resource: Resource, step: Step) -> None:
        self._report("started", resource, step)
        if not self._preview:
            cleared = self._cleared(resource.urn)
            self._write(replace(cleared, pending=(*cleared.pending, Pending(pending, resource))))

    def _write(self, snapshot: Snapshot) -> None:
        self._file.write(snapshot)
        self._snapshot = snapshot

    def _done(self, resource: Resource, step: Step) -> Resource:
        resource = replace(
            resource, outputs=with_secrets(resource.outputs, resource.additional_secret_outputs)
        )
        if not self._preview and is_unknown(resource.outputs):
            raise EngineError(f"the provider of {resource.urn} left outputs unknown after {step.operation}.")
        self._report("done", resource, step)
        return resource

    def _failed(self, resource: Resource, step: Step, error: Exception) -> EngineError:
        self._report("failed", resource, step, str(error))
        if isinstance(error, EngineError):
            return error
        message = getattr(error, "message", None) or f"{type(error).__name__}: {error}"
        return EngineError(message, getattr(error, "hint", ""))

    def _report(self, kind: Any, resource: Resource, step: Step, message: str = "") -> None:
        planned = self._preview and kind == "done"
        if kind == "done":
            self._changes[step.operation] += 1
        self._on_event(
            Event(
                kind="planned" if planned else kind,
                operation=step.operation,
                type=resource.type,
                name=resource.name,
                urn=resource.urn,
                message=message,
                changed=step.changed,
                inputs=shown(resource.inputs) if planned and step.operation != "delete" else None,
            )
        )


def _is_default_provider(resource: Resource) -> bool:
    return resource.type.startswith(PROVIDER_TYPE) and resource.name.split("_")[0] == "default"


def protected(resource: Resource) -> EngineError:
    """Return the refusal to delete a protected resource."""
    return EngineError(
        f"{resource.type} {resource.name} is protected and would be deleted.",
        "Take `protect` from its options in the program, run up, then try again.",
    )


def stack_outputs(resources: Iterable[Resource]) -> dict[str, Any]:
    """Return the outputs of the stack among the resources, as people see them."""
    for resource in resources:
        if resource.type == STACK_TYPE:
            outputs: dict[str, Any] = shown(resource.outputs)
            return outputs
    return {}
