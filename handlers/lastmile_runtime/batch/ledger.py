"""What is known of a file that is being scored, in its folder below the output: how far it is, and when it is done.

    NAME/part-00000-1a2b3c4d.csv            predictions, one object per part
    NAME/_errors/part-00000-1a2b3c4d.jsonl  rows without, and why
    NAME/_SUCCESS                           all of it is there: which file (its etag), how many rows, predicted by what
    NAME/_FAILED                            why the file of that etag cannot be scored
    NAME/_work/                             while it goes on: plan.json, and a note for each part that is kept

The eight digits are of a hash of the file's etag, the version that predicts, and the parts' size: a file that was
changed has parts of its own beside the former ones', which go when its own are all there. One plan stands at a time, and
a part's note is written last, so whatever dies in between is done again with the same outcome.
"""

from __future__ import annotations

import time
from hashlib import sha256

from lastmile_runtime import jsons
from lastmile_runtime.stores import Conflict, NotFound

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lastmile_runtime.stores import Store

    Plan = dict[str, Any]
    """Of the file `etag`, `size` (bytes), `length` (see `pieces.Reader`) and `columns`; `version`, `piece_bytes` and `tag`
    (the eight digits); `outputs`, of a row, with empty values; `began_at` and `sent_at` (seconds since 1970); `parts`,
    None until the file is cut to its end."""

SUCCESS, FAILED, PLAN = "_SUCCESS", "_FAILED", "_work/plan.json"
_DEADLINE_S = 10.0


def tag_of(etag: str, version: str, piece_bytes: int) -> str:
    """Return the eight digits in the names of a file's parts."""
    return sha256(f"{etag}\0{version}\0{piece_bytes}".encode()).hexdigest()[:8]


def is_same(plan: Plan, etag: str, version: str) -> bool:
    """Tell whether a plan is for this content of the file, and this version."""
    return bool(plan["etag"] == etag and plan["version"] == version)


class Ledger:
    """One file's folder. Every method raises StoreError."""

    def __init__(self, output: Store, name: str, suffix: str, clock: Callable[[], float] = time.time) -> None:
        """Take the store of the output, the file's name there, and what its parts' names end in."""
        self.name = name
        self._store = output
        self._suffix = suffix
        self._clock = clock

    def outcome(self, etag: str) -> tuple[str, dict[str, Any]] | None:
        """Return `_SUCCESS` or `_FAILED` and what it says of the file of that etag; None while there is neither."""
        for name in (SUCCESS, FAILED):
            document = self._read(name)[0]
            if document is not None and document.get("etag") == etag:
                return name, document
        return None

    def plan(self) -> Plan | None:
        """Return the plan that stands."""
        return self._read(PLAN)[0]

    def begin(self, plan: Plan) -> Plan:
        """Have a plan stand in the place of one for another file or version; return the one that stands then."""
        found, etag = self._read(PLAN)
        if found is not None and is_same(found, plan["etag"], plan["version"]):
            return found
        try:
            self._write(PLAN, plan, etag)
        except Conflict:
            return self._read(PLAN)[0] or plan
        return plan

    def note(self, tag: str, **facts: Any) -> None:
        """Add to the plan, unless another one stands; somebody else's note of the same is as good."""
        while True:
            found, etag = self._read(PLAN)
            if found is None or found["tag"] != tag:
                return
            try:
                self._write(PLAN, {**found, **facts}, etag)
            except Conflict:
                continue
            return

    def has(self, tag: str, number: int) -> bool:
        """Tell whether a part is kept."""
        try:
            self._store.head(self._path(_note_of(tag, number)))
        except NotFound:
            return False
        return True

    def keep(self, tag: str, number: int, content: bytes, errors: bytes, facts: dict[str, Any]) -> None:
        """Keep a part: its predictions, its errors if there are any, then the note that it is."""
        part = f"part-{number:05d}-{tag}"
        self._put_once(f"{part}{self._suffix}", content)
        if errors:
            self._put_once(f"_errors/{part}.jsonl", errors)
        self._put_once(_note_of(tag, number), jsons.dumps(facts).encode())

    def kept(self, tag: str) -> set[int]:
        """Return the numbers of the parts that are kept."""
        return {int(name.removeprefix("_work/").partition("-")[0]) for name in self._notes(tag)}

    def finish(self, tag: str, after: int, digest: str) -> tuple[dict[str, Any], bool] | None:
        """Say that a file is done if each of its parts is kept; return what is said, and whether this said it.

        Args:
            tag: The plan's.
            after: The part that was kept just now; the one after it is looked for first, because it is often missing.
            digest: The bundle's.

        Returns None while a part is missing, or when another plan stands.
        """
        plan = (
            self.plan()
        )  # anew: only now is it certain that whoever cuts the file will see this part, or we its end
        if plan is None or plan["tag"] != tag or plan["parts"] is None:
            return None
        parts = plan["parts"]
        if not self.has(tag, (after + 1) % parts):
            return None
        notes = self._notes(tag)
        if len(notes) < parts:
            return None
        facts = [self._read(name)[0] or {} for name in notes]
        rows, failed = (sum(int(fact.get(name, 0)) for fact in facts) for name in ("rows", "failed"))
        document = {
            "etag": plan["etag"], "rows": rows, "predicted": rows - failed, "failed": failed, "parts": parts,
            "version": plan["version"], "digest": digest, "began_at": _told(plan["began_at"]),
            "finished_at": _told(self._clock()), "tag": tag,
        }  # fmt: skip
        return document, self._conclude(SUCCESS, document)

    def fail(self, etag: str, reason: str) -> bool:
        """Say why a file cannot be scored, and plan no more of it; False when that was said before."""
        document = {"etag": etag, "reason": reason, "finished_at": _told(self._clock())}
        said = self._conclude(FAILED, document)
        plan = self.plan()
        if plan is not None and plan["etag"] == etag:
            self._store.delete(self._path(PLAN))
        return said

    def sweep(self, tag: str) -> None:
        """Delete what is left of the work on a file that is done, and of what it was before; nothing of later work."""
        listed = [path.removeprefix(f"{self.name}/") for path in self._store.list(f"{self.name}/")]
        # Read after the list: what was begun since then is not in it.
        success, plan = self._read(SUCCESS)[0], self.plan()
        if success is None or success["tag"] != tag or (plan is not None and plan["tag"] != tag):
            return
        for name in listed:
            former = name.removeprefix("_errors/").startswith("part-") and f"-{tag}." not in name
            if former or name == FAILED or (name.startswith("_work/") and name != PLAN):
                self._store.delete(self._path(name))
        if plan is not None:
            self._store.delete(self._path(PLAN))

    def _conclude(self, name: str, document: dict[str, Any]) -> bool:
        """Write an outcome in place of another etag's; False when this etag's is there."""
        while True:
            found, etag = self._read(name)
            if found is not None and found.get("etag") == document["etag"]:
                return False
            try:
                self._write(name, document, etag)
            except Conflict:
                continue
            return True

    def _notes(self, tag: str) -> list[str]:
        listed = self._store.list(self._path("_work/"))
        names = [path.removeprefix(f"{self.name}/") for path in listed]
        return [name for name in names if name.endswith(f"-{tag}.json")]

    def _read(self, name: str) -> tuple[dict[str, Any] | None, str | None]:
        """Return a document and its etag, None for both when there is none."""
        try:
            found = self._store.get(self._path(name), deadline_s=_DEADLINE_S)
        except NotFound:
            return None, None
        assert found is not None
        return jsons.loads(found.content), found.etag

    def _write(self, name: str, document: dict[str, Any], etag: str | None) -> None:
        content = jsons.dumps(document).encode()
        self._store.put(self._path(name), content, if_absent=etag is None, if_match=etag)

    def _put_once(self, name: str, content: bytes) -> None:
        try:
            self._store.put(self._path(name), content, if_absent=True)
        except Conflict:
            return  # who wrote it before wrote the same: same rows, same version

    def _path(self, name: str) -> str:
        return f"{self.name}/{name}"


def _note_of(tag: str, number: int) -> str:
    return f"_work/{number:05d}-{tag}.json"


def _told(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
