"""What both engines share: the program they host, the events they report, the result they return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from lastmile_sls.errors import LastmileError

Operation = Literal["create", "update", "replace", "delete", "same"]
EngineName = Literal["embedded", "pulumi"]
EventKind = Literal["planned", "started", "done", "failed", "log"]


class EngineError(LastmileError):
    """An engine could not do what was asked; what was done until then is in the stack's state."""


class LockedError(EngineError):
    """Another run holds the stack."""


@dataclass(frozen=True)
class Program:
    """A Pulumi project on disk and the stack to run it for."""

    folder: Path
    """Holds `Pulumi.yaml` and `__main__.py`."""
    project: str
    stack: str
    config: Mapping[str, str] = field(default_factory=dict)
    """Stack configuration by full key (`project:key`)."""
    secret_config: frozenset[str] = frozenset()
    """The keys of `config` whose values are secrets."""


@dataclass(frozen=True)
class Event:
    """One thing that an engine did, is about to do, or wants to say."""

    kind: EventKind
    operation: Operation | None = None
    type: str = ""
    name: str = ""
    urn: str = ""
    message: str = ""
    changed: tuple[str, ...] = ()
    """The input properties that an update or a replacement changes."""
    inputs: Mapping[str, Any] | None = None
    """Of a planned step, what its provider would be given, as people may see it: `Secret` and `UNKNOWN` within."""


@dataclass(frozen=True)
class Standing:
    """A resource of a stack that exists outside the stack's state: in a cloud, or on this machine."""

    type: str
    name: str
    id: str
    urn: str


@dataclass(frozen=True)
class Result:
    """How a run ended."""

    changes: Mapping[Operation, int]
    outputs: Mapping[str, Any]
    """The stack's outputs; a secret is a `Secret`, an output unknown before creation is `UNKNOWN`."""

    @property
    def changed(self) -> bool:
        """Whether anything but `same` was done or is planned."""
        return any(count for operation, count in self.changes.items() if operation != "same")


class Unknown:
    """A value that exists only after creation."""

    def __repr__(self) -> str:
        return "[known after creation]"


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that is never printed; `reveal` gives it to whoever must have it."""

    _value: Any

    def reveal(self) -> Any:
        """Return the value itself."""
        return self._value

    def __repr__(self) -> str:
        return "[secret]"


OnEvent = Callable[[Event], None]


class Engine(Protocol):
    """A host for a Pulumi program."""

    @property
    def name(self) -> EngineName:
        """Which of the two it is."""
        ...

    def preview(self, program: Program, on_event: OnEvent) -> Result:
        """Say what `up` would do; change nothing."""
        ...

    def up(self, program: Program, on_event: OnEvent) -> Result:
        """Make the stack what the program says."""
        ...

    def destroy(self, program: Program, on_event: OnEvent, *, data: bool = False) -> Result:
        """Delete every resource of the stack, and the stack.

        What the program retains on deletion is left standing and forgotten, unless `data` says that it goes too, with
        all that is in it.
        """
        ...

    def resources(self, program: Program) -> tuple[Standing, ...]:
        """Return the resources that stand, in the order in which they were made; none when there is no stack."""
        ...

    def retained(self, program: Program) -> tuple[Standing, ...]:
        """Return those of them that a destroy without `data` leaves standing."""
        ...

    def exists(self, program: Program) -> bool:
        """Whether this engine has a stack with resources for the program."""
        ...

    def outputs(self, program: Program) -> Mapping[str, Any]:
        """Return the stack's outputs as of the last run; `{}` when there is none."""
        ...

    def export_state(self, program: Program) -> dict[str, Any]:
        """Return the stack in Pulumi's deployment format, its secrets in plain text: keep it private."""
        ...

    def adopt_state(self, program: Program, state: dict[str, Any]) -> None:
        """Take over a stack that another engine exported."""
        ...

    def forget(self, program: Program) -> None:
        """Drop the stack without touching its resources, because another engine has taken it over."""
        ...
