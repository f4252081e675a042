"""How far each file of an input folder is, for whoever looks from outside."""

from __future__ import annotations

from dataclasses import dataclass

from lastmile_runtime.batch.formats import SUFFIXES, is_of
from lastmile_runtime.batch.ledger import SUCCESS, Ledger
from lastmile_runtime.stores import NotFound, StoreError, check_path

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any, Literal

    from lastmile_runtime.stores import Store

    State = Literal["waiting", "under way", "done", "failed"]


@dataclass(frozen=True)
class FileState:
    """A file, and what became of what it holds now."""

    name: str
    state: State
    """Waiting: nothing has begun. Failed: it cannot be scored as it is."""
    parts: int | None = None
    """How many there are; None until that is known."""
    kept: int | None = None
    """How many of them are done."""
    rows: int | None = None
    """How many it has; known once it is done."""
    failed: int | None = None
    """How many of those have no predictions; the errors file says why."""
    reason: str | None = None
    """Why it cannot be scored."""
    finished_at: str | None = None


def file_states(input_: Store, output: Store, kind: str) -> list[FileState]:
    """Return the state of each file of a format, by name; one that is deleted meanwhile is left out. Raises StoreError."""
    found = []
    for name in input_.list(""):
        if not is_of(kind, name) or not _can_be_named(name):
            continue
        try:
            etag = input_.head(name).etag
        except NotFound:
            continue
        found.append(_state(Ledger(output, name, SUFFIXES[kind][0]), etag))
    return found


def _state(ledger: Ledger, etag: str) -> FileState:
    outcome = ledger.outcome(etag)
    if outcome is not None:
        return _finished(ledger.name, *outcome)
    plan = ledger.plan()
    if plan is None or plan["etag"] != etag:
        return FileState(ledger.name, "waiting")
    return FileState(ledger.name, "under way", plan["parts"], len(ledger.kept(plan["tag"])))


def _finished(name: str, marker: str, said: dict[str, Any]) -> FileState:
    if marker != SUCCESS:
        return FileState(name, "failed", reason=said["reason"], finished_at=said["finished_at"])
    parts = said["parts"]
    return FileState(
        name, "done", parts, parts, said["rows"], said["failed"], finished_at=said["finished_at"]
    )


def _can_be_named(name: str) -> bool:
    try:
        check_path(name)
    except StoreError:
        return False
    return True
