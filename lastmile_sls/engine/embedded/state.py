"""A stack's state: Pulumi's deployment format in one file, one writer at a time."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from lastmile_sls.engine.interface import EngineError, LockedError
from lastmile_sls.engine.properties import Properties, from_state, to_state
from lastmile_sls.files import make_private_folder, write_private

PendingType = Literal["creating", "updating", "deleting"]
STACK_TYPE = "pulumi:pulumi:Stack"

# Pulumi's name for each field, ours, and the value that is left out of the file.
_FIELDS: tuple[tuple[str, str, Any], ...] = (
    ("urn", "urn", None),
    ("custom", "custom", None),
    ("delete", "delete", False),
    ("id", "id", ""),
    ("type", "type", None),
    ("inputs", "inputs", {}),
    ("outputs", "outputs", {}),
    ("parent", "parent", ""),
    ("protect", "protect", False),
    ("dependencies", "dependencies", ()),
    ("provider", "provider", ""),
    ("propertyDependencies", "property_dependencies", {}),
    ("additionalSecretOutputs", "additional_secret_outputs", ()),
    ("customTimeouts", "custom_timeouts", {}),
    ("retainOnDelete", "retain_on_delete", False),
    ("deletedWith", "deleted_with", ""),
    ("created", "created", ""),
    ("modified", "modified", ""),
    ("replaceOnChanges", "replace_on_changes", ()),
)
# What the CLI notes about a resource and no decision of ours needs.
_IGNORED = frozenset({"sourcePosition", "stackTrace", "initErrors", "aliases", "ignoreChanges", "hideDiff"})


@dataclass(frozen=True)
class Resource:
    """One resource as the last run left it; properties in wire form, secrets marked."""

    urn: str
    custom: bool
    type: str
    id: str = ""
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)
    parent: str = ""
    protect: bool = False
    dependencies: tuple[str, ...] = ()
    provider: str = ""
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    additional_secret_outputs: tuple[str, ...] = ()
    custom_timeouts: dict[str, float] = field(default_factory=dict)
    """In seconds, by `create`, `update` and `delete`."""
    retain_on_delete: bool = False
    deleted_with: str = ""
    """The URN of what takes this resource with it when it is deleted."""
    replace_on_changes: tuple[str, ...] = ()
    delete: bool = False
    """It was replaced and is still to be deleted."""
    created: str = ""
    modified: str = ""

    @property
    def name(self) -> str:
        """The last part of the URN."""
        return self.urn.rsplit("::", 1)[-1]

    def to_json(self) -> dict[str, Any]:
        """Return the entry for the state file."""
        entry: dict[str, Any] = {}
        for key, attribute, default in _FIELDS:
            value = getattr(self, attribute)
            if default is None or value != default:
                entry[key] = list(value) if isinstance(value, tuple) else value
        return {**entry, **{k: to_state(entry[k]) for k in ("inputs", "outputs") if k in entry}}

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> Resource:
        """Read an entry of the state file. Raises EngineError for a field that we do not carry."""
        names = {key: attribute for key, attribute, _ in _FIELDS}
        foreign = [key for key in entry if key not in names and key not in _IGNORED]
        if foreign:
            raise EngineError(
                f"resource {entry.get('urn')} has {foreign[0]}, which the embedded engine does not carry.",
                "Work on this stack with the Pulumi CLI: lastmile up --engine pulumi",
            )
        values = {names[key]: value for key, value in entry.items() if key in names}
        for key, value in values.items():
            if key in ("inputs", "outputs"):
                values[key] = from_state(value)
            elif isinstance(value, list):
                values[key] = tuple(value)
        return cls(**values)


@dataclass(frozen=True)
class Pending:
    """An operation that a run began and, as far as the file knows, has not finished."""

    type: PendingType
    resource: Resource


@dataclass(frozen=True)
class Snapshot:
    """All of a stack's resources, each after what it depends on, and what was under way."""

    resources: tuple[Resource, ...] = ()
    pending: tuple[Pending, ...] = ()

    def current(self) -> dict[str, Resource]:
        """Return the live resources by URN, without those that only wait for deletion."""
        return {r.urn: r for r in self.resources if not r.delete}

    def without(self, resource: Resource) -> Snapshot:
        """Drop exactly this entry."""
        return replace(self, resources=tuple(r for r in self.resources if r is not resource))


class StateFile:
    """The file of one stack. Every write replaces it whole; the one before a run is kept as `.bak`."""

    def __init__(self, path: Path, project: str, stack: str) -> None:
        self.path = path
        self._prefix = f"urn:pulumi:{stack}::{project}::"

    def exists(self) -> bool:
        """Whether there is a stack."""
        return self.path.exists()

    def read(self) -> Snapshot:
        """Return the stack, empty when there is none. Raises EngineError when the file is not ours to use."""
        try:
            content = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return Snapshot()
        except (OSError, UnicodeDecodeError) as error:
            raise self._unusable(str(error)) from error
        try:
            document = json.loads(content)
        except ValueError as error:
            raise self._unusable(f"it is not JSON ({error})") from error
        return self.parse(document)

    def parse(self, document: Any) -> Snapshot:
        """Check and convert a document in Pulumi's deployment format."""
        if not isinstance(document, dict) or document.get("version") != 3:
            raise self._unusable("it is not a Pulumi deployment of version 3")
        try:
            deployment = document["deployment"]
            snapshot = Snapshot(
                tuple(Resource.from_json(entry) for entry in deployment.get("resources") or ()),
                tuple(
                    Pending(operation["type"], Resource.from_json(operation["resource"]))
                    for operation in deployment.get("pending_operations") or ()
                ),
            )
        except KeyError as error:
            if error.args == ("plaintext",):
                raise self._unusable("its secrets are encrypted by another engine") from error
            raise self._unusable(f"{error} is missing") from error
        except (TypeError, AttributeError, ValueError) as error:
            raise self._unusable(str(error)) from error
        for resource in snapshot.resources:
            if not resource.urn.startswith(self._prefix):
                raise self._unusable(f"it belongs to another stack ({resource.urn})")
        return snapshot

    def write(self, snapshot: Snapshot) -> None:
        """Replace the file. Raises LastmileError when the disk is full; the old file then stands."""
        write_private(self.path, (json.dumps(render(snapshot), indent=4) + "\n").encode())

    def keep_backup(self) -> None:
        """Keep the state as it was before a run beside the file."""
        if self.path.exists():
            write_private(self.path.with_suffix(".json.bak"), self.path.read_bytes())

    def remove(self) -> None:
        """Forget the stack."""
        for path in (self.path, self.path.with_suffix(".json.bak")):
            path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the stack for one run; the kernel lets go of it when the process dies, however it dies."""
        make_private_folder(self.path.parent)
        with (self.path.with_suffix(".lock")).open("a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                holder = lock.read().strip() or "another process"
                raise LockedError(
                    f"another run of this stack is in progress ({holder}).",
                    "Wait until it ends, or stop it; an interrupted run is taken up by the next.",
                ) from None
            lock.truncate(0)
            lock.write(f"pid {os.getpid()} since {now()}")
            lock.flush()
            yield

    def _unusable(self, reason: str) -> EngineError:
        return EngineError(
            f"{self.path} is not the state of this stack: {reason}.",
            f"The state before the last run is {self.path.name}.bak, if it is there: put it back, "
            "or move both files away to begin anew (what was deployed is found and adopted).",
        )


def render(snapshot: Snapshot) -> dict[str, Any]:
    """Return the snapshot in Pulumi's deployment format, version 3, as `pulumi stack import` reads it."""
    deployment: dict[str, Any] = {
        "manifest": {"time": now(), "magic": "", "version": ""},
        "resources": [resource.to_json() for resource in snapshot.resources],
    }
    if snapshot.pending:
        deployment["pending_operations"] = [
            {"resource": pending.resource.to_json(), "type": pending.type} for pending in snapshot.pending
        ]
    return {"version": 3, "deployment": deployment}


def now() -> str:
    """Return the time as Pulumi writes it: UTC, ISO 8601."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
