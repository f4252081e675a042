"""What clouds tell of a deployment, in the same words whichever it is, and who is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, Protocol

from lastmile_sls.control.usage import Counted
from lastmile_sls.plan.document import Target
from lastmile_sls.queue_view import QueueStatus, QueueView

State = Literal["ready", "updating", "failed", "missing"]
ScheduleMode = Literal["on", "paused", "missing"]
AlarmMode = Literal["ok", "alarm", "no data", "missing"]
Level = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class FunctionState:
    """A function as its cloud sees it; None is what that cloud does not say."""

    name: str
    """In the plan."""
    id: str
    """In the cloud."""
    state: State
    why: str | None = None
    """The cloud's own reason."""
    version: str | None = None
    """The published version or revision that answers."""
    bundle: str | None = None
    """The digest of what answers, `sha256:...`."""
    memory_mb: int | None = None
    min_instances: int | None = None
    max_instances: int | None = None
    changed_at: str | None = None
    """When it was changed last, UTC."""
    errors_last_hour: int | None = None


@dataclass(frozen=True)
class ScheduleState:
    """The clock that sends to the queue."""

    id: str
    state: ScheduleMode
    expression: str | None = None
    """As the cloud writes it."""
    next_at: str | None = None
    last_at: str | None = None
    last_error: str | None = None


@dataclass(frozen=True)
class AlarmState:
    """What an alarm says."""

    signal: str
    id: str
    state: AlarmMode
    why: str | None = None
    since: str | None = None


@dataclass(frozen=True)
class CloudStatus:
    """A deployment as it is now."""

    deployment: str
    target: Target
    ready: bool
    """Whether every function is, and the clock is there."""
    url: str
    auth: str | None
    """`key`, or None: the spec's endpoint.auth says it."""
    region: str | None
    account: str | None
    traffic: Mapping[str, Any] | None
    """The routing document; None with one version."""
    versions: tuple[str, ...]
    functions: tuple[FunctionState, ...]
    queues: dict[str, QueueStatus]
    schedule: ScheduleState | None
    alarms: tuple[AlarmState, ...]
    dashboard: str | None


@dataclass(frozen=True)
class Event:
    """An event of a function's log."""

    id: str
    """What tells it from every other event of this log."""
    at: datetime
    function: str
    level: Level
    facts: Mapping[str, Any]
    """The runtime's own names: status, duration_ms, version, method, path, error, request_id; empty for a plain line."""
    text: str
    """A plain line; empty for an event of the runtime's."""
    raw: Any
    """As the cloud has it: an object, or a line."""
    is_platform: bool = False
    """Whether it is the platform's own note that an invocation began or ended."""


@dataclass(frozen=True)
class Query:
    """Which events are meant."""

    since: datetime | timedelta
    """From then on, by the cloud's clock; a span: before its now."""
    lines: int
    """The newest so many."""
    errors: bool = False
    request_id: str | None = None
    platform: bool = False
    """With the platform's own notes that invocations began and ended."""


class LogSource(Protocol):
    """A function's log; every method raises LastmileError with the way out."""

    late_s: float
    """By how much an event may come after others that happened later."""

    def read(self, query: Query) -> list[Event]:
        """Return the newest events, oldest first."""


class Control(Protocol):
    """A deployment's cloud; every method raises LastmileError with the way out."""

    def functions(self) -> tuple[FunctionState, ...]:
        """Return what is known of each function; one that is gone is `missing`."""

    def schedule(self) -> ScheduleState | None:
        """Return the clock; None where there is none."""

    def alarms(self) -> tuple[AlarmState, ...]:
        """Return what each alarm says."""

    def queue(self) -> QueueView | None:
        """Return the queue; None where there is none."""

    def log(self, function: str) -> LogSource:
        """Return a function's log, by its name in the plan."""

    def usage(self, since: date) -> tuple[Counted, ...]:
        """Return each version's requests from a day on."""
