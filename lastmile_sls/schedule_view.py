"""What a deployment's schedule has done and will do, in the same words on this machine and in every cloud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from lastmile_runtime.batch.progress import FileState

_SHOWN = {"waiting": " ", "under way": "…", "done": "✓", "failed": "✗"}


@dataclass(frozen=True)
class ScheduleStatus:
    """A schedule, and the files of its input."""

    schedule: str
    """Its name in the plan."""
    cron: str
    input: str
    """The stores' URLs."""
    output: str
    format: str
    next_at: str | None
    """When it is due next, UTC; None when it never is."""
    last_at: str | None
    """When its message was last sent; None: never, or the cloud does not say it."""
    files: tuple[FileState, ...]


class ScheduleView(Protocol):
    """A deployment's schedule, seen from outside; every method raises LastmileError with the way out."""

    def status(self) -> ScheduleStatus:
        """Return what it has done and will do."""

    def run(self) -> None:
        """Have its message sent now."""

    def is_idle(self) -> bool:
        """Tell whether nothing waits in the queue, and nobody works on anything of it."""


def counts_of(files: Sequence[FileState]) -> dict[str, int]:
    """Return how many files are in which state."""
    return {state: sum(file.state == state for file in files) for state in _SHOWN}


def status_document(status: ScheduleStatus) -> dict[str, Any]:
    """Return a status for `--json`."""
    counts = {name.replace(" ", "_"): count for name, count in counts_of(status.files).items()}
    return {**asdict(status), "files": [asdict(file) for file in status.files], "counts": counts}


def status_lines(status: ScheduleStatus) -> list[str]:
    """Return a status for people."""
    counts = [f"{count} {state}" for state, count in counts_of(status.files).items() if count]
    return [
        f"schedule {status.schedule}",
        f"  next       {status.next_at or 'never'}  (cron {status.cron}, UTC)",
        f"  last       {status.last_at or 'not yet'}",
        f"  input      {status.input}  ({status.format})",
        f"  output     {status.output}",
        f"  files      {', '.join(counts) or 'none'}",
        *(f"    {file_line(file)}" for file in status.files),
    ]


def file_line(file: FileState) -> str:
    """Return a file's state in a line."""
    match file.state:
        case "done":
            told = f"{file.rows} rows" + (f", {file.failed} of them in _errors" if file.failed else "")
        case "failed":
            told = str(file.reason)
        case "under way":
            told = f"{file.kept} of {file.parts or '?'} parts"
        case state:
            told = state
    return f"{_SHOWN[file.state]} {file.name}  {told}"
