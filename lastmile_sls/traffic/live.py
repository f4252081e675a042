"""The live routing document in its store: read, changed with compare-and-swap, and its history kept.

The document says itself who changed it last, so no change is without its record, whatever is killed when. The record
is also kept as `history/<revision>.json` beside it: by whoever made the change, else by whoever makes the next one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lastmile_runtime.stores import Conflict, NotFound, StoreError
from lastmile_sls.errors import LastmileError
from lastmile_sls.traffic.change import Document

if TYPE_CHECKING:
    from lastmile_runtime.stores import Store

_ROUTE = ("champion", "weights", "buckets", "shadows", "sticky", "rules", "salt", "throttle")
"""What a rollback brings back."""
_DEADLINE_S = 10.0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Author:
    """Who makes a change, and why."""

    who: str
    reason: str


class LiveTraffic:
    """The routing document of one deployment."""

    def __init__(
        self, store: Store, path: str, versions: list[str], clock: Callable[[], datetime] = _now
    ) -> None:
        self.versions = versions
        """What is deployed."""
        self.store = store
        """Where it lies; what else is about the running deployment lies beside it."""
        self._path = path
        self._clock = clock

    def read(self) -> Document:
        """Return the document as it is now. Raises LastmileError when there is none, or it cannot be read."""
        return self._read()[0]

    def history(self) -> list[dict[str, Any]]:
        """Return every change, the oldest first: revision, when, who, action, reason, from, to."""
        document = self.read()
        try:
            names = sorted(self.store.list("history/"))
            records = [self._record(name) for name in names]
        except StoreError as error:
            raise _unusable(self._path, error) from error
        last = document.get("changed")
        if last and not any(record["revision"] == last["revision"] for record in records):
            records.append(last)
        return records

    def change(
        self, action: str, author: Author, apply: Callable[[Document], Document], step: str | None = None
    ) -> dict[str, Any]:
        """Change the document and return the change's record, which has the id of the `step` that it is, if it is one.

        Raises LastmileError, with nothing changed, when `apply` does, or when somebody else changed it meanwhile.
        """
        before, etag = self._read()
        after = apply(before)
        facts = {"action": action, **({"step": step} if step else {})}
        return self._write(before, etag, after, facts, author)

    def roll_back(self, author: Author, revision: int | None = None) -> dict[str, Any]:
        """Bring the traffic back as it was at a revision; by default as before the last change.

        A rollback after a rollback goes one change further back. Raises LastmileError when there is nothing to go
        back to.
        """
        before, etag = self._read()
        wanted = self._earlier(before) if revision is None else revision
        found = self._at(before, wanted)
        facts = {"action": f"rollback to revision {wanted}", "restored": wanted}
        return self._write(before, etag, {**before, **found}, facts, author)

    def _earlier(self, document: Document) -> int:
        last: Document = document.get("changed") or {}
        revision: int = last["restored"] if "restored" in last else document.get("revision", 0)
        return revision - 1

    def _at(self, document: Document, revision: int) -> Document:
        """Return the routing of a revision: what the change after it began with."""
        current = document.get("revision", 0)
        if not 0 <= revision < current:
            rule = f"it must be 0 to {current - 1}" if current else "nothing was changed yet"
            raise LastmileError(
                f"there is no revision {revision} to go back to: {rule}.", "lastmile traffic history"
            )
        for record in self.history():
            if record["revision"] == revision + 1:
                found: Document = record["from"]
                return found
        raise LastmileError(
            f"the record of revision {revision + 1} is gone.", "Set the weights: lastmile traffic set"
        )

    def _read(self) -> tuple[Document, str]:
        try:
            found = self.store.get(self._path, deadline_s=_DEADLINE_S)
            assert found is not None
            document = json.loads(found.content)
        except NotFound:
            raise LastmileError(f"the routing document {self._path} is gone.", "Run `lastmile up`.") from None
        except (StoreError, ValueError) as error:
            raise _unusable(self._path, error) from error
        if not isinstance(document, dict):
            raise _unusable(self._path, ValueError("it is not an object"))
        return document, found.etag

    def _write(
        self, before: Document, etag: str, after: Document, facts: dict[str, Any], author: Author
    ) -> dict[str, Any]:
        from lastmile_runtime.errors import BundleError
        from lastmile_sls.traffic.change import check

        record = {
            "revision": before.get("revision", 0) + 1,
            "when": self._clock().isoformat(timespec="seconds"),
            "who": author.who,
            **facts,
            "reason": author.reason,
            "from": _route(before),
            "to": _route(after),
        }
        if record["from"] == record["to"]:
            raise LastmileError("nothing would change: the traffic is so already.")
        try:
            check(after, self.versions)
        except BundleError as error:
            raise LastmileError(f"functions would not take the document: {error}") from error
        try:
            self._keep(before.get("changed"))
            content = {**after, "revision": record["revision"], "changed": record}
            self.store.put(self._path, _render(content), if_match=etag)
            self._keep(record)
        except Conflict:
            raise self._lost(before) from None
        except StoreError as error:
            raise _unusable(self._path, error) from error
        return record

    def _lost(self, before: Document) -> LastmileError:
        last = self.read().get("changed") or {}
        by = (
            f" by {last['who']} ({last['action']})"
            if last.get("revision", 0) > before.get("revision", 0)
            else ""
        )
        return LastmileError(
            f"the traffic was changed meanwhile{by}; nothing was done.",
            "Look at it, then decide: lastmile traffic show",
        )

    def _keep(self, record: dict[str, Any] | None) -> None:
        """Write a change's record to the history, unless it is there."""
        if record is None:
            return
        try:
            self.store.put(f"history/{record['revision']:08d}.json", _render(record), if_absent=True)
        except Conflict:
            return

    def _record(self, name: str) -> dict[str, Any]:
        found = self.store.get(name, deadline_s=_DEADLINE_S)
        assert found is not None
        record: dict[str, Any] = json.loads(found.content)
        return record


def _route(document: Document) -> Document:
    return {name: document.get(name) for name in _ROUTE}


def _render(document: Any) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _unusable(path: str, error: Exception) -> LastmileError:
    return LastmileError(
        f"the routing document {path} cannot be used: {error}.",
        "Functions go on with the last good one they read.",
    )
