"""A deployment with two shadows and two warm instances, a month of it, and a store in which a run can be killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lastmile_runtime.stores import Conflict, Head, NotFound, Object
from lastmile_sls.budget.decide import decide
from lastmile_sls.budget.document import Limits, Spend, Taken, limits_of
from lastmile_sls.budget.enforce import Enforcer
from lastmile_sls.budget.period import Period
from lastmile_sls.spec.operations import Budget
from lastmile_sls.traffic.live import Author, LiveTraffic

if TYPE_CHECKING:
    from lastmile_runtime.stores import Store

VERSIONS = ["v1", "v2", "v3"]
SHADOWS = [{"version": "v2", "percent": 10_000}, {"version": "v3", "percent": 2550}]
START: dict[str, Any] = {
    "champion": "v1",
    "weights": {"v1": 9000, "v2": 1000, "v3": 0},
    "shadows": SHADOWS,
    "sticky": {"header": "x-user-id"},
    "rules": [],
    "salt": "churn-dev",
    "max_age_s": 5.0,
}
BUDGET = Budget(
    monthly_limit=250.0,
    alerts_percent=(50.0, 100.0),
    actions={
        "stop_shadows_percent": 80.0,
        "throttle": {"percent": 90.0, "requests_per_s": 5.0},
        "drop_warm_percent": 95.0,
    },
)
LIMITS = limits_of(BUDGET)
ANN = Author("ann@laptop", "")
WARM = 2


class MemoryStore:
    """A store that is as good as any other, and writes nothing to disk."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, str]] = {}
        self._writes = 0

    def get(self, path: str, etag: str | None = None, deadline_s: float | None = None) -> Object | None:
        if path not in self.objects:
            raise NotFound(f"there is no {path}.")
        content, found = self.objects[path]
        return None if found == etag else Object(content, found)

    def put(self, path: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None) -> str:
        there = self.objects.get(path)
        if (if_absent and there) or (if_match is not None and (there is None or there[1] != if_match)):
            raise Conflict(path)
        self._writes += 1
        self.objects[path] = (content, str(self._writes))
        return str(self._writes)

    def delete(self, path: str) -> None:
        self.objects.pop(path, None)

    def list(self, prefix: str) -> list[str]:
        return sorted(path for path in self.objects if path.startswith(prefix))

    def head(self, path: str) -> Head:
        content, etag = self.objects[path]
        return Head(etag, len(content))

    def stream(self, path: str, start: int, end: int) -> Iterator[memoryview]:
        yield memoryview(self.objects[path][0])[start:end]


class Killed(BaseException):
    """The process ends here."""


class DyingStore:
    """A store in which the process is killed at a write: before it, or just after it."""

    def __init__(self, store: Store, dies_at: int | None = None, *, after: bool = False) -> None:
        self.store = store
        self.writes = 0
        self._dies_at = dies_at
        self._after = after

    def put(self, path: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None) -> str:
        with _Kill(self):
            return self.store.put(path, content, if_absent=if_absent, if_match=if_match)

    def delete(self, path: str) -> None:
        with _Kill(self):
            self.store.delete(path)

    def get(self, path: str, etag: str | None = None, deadline_s: float | None = None) -> Object | None:
        return self.store.get(path, etag, deadline_s)

    def list(self, prefix: str) -> list[str]:
        return self.store.list(prefix)

    def head(self, path: str) -> Head:
        return self.store.head(path)

    def stream(self, path: str, start: int, end: int) -> Iterator[memoryview]:
        return self.store.stream(path, start, end)

    def reach(self, *, done: bool) -> None:
        if not done:
            self.writes += 1
        if self.writes == self._dies_at and done is self._after:
            raise Killed


class _Kill:
    def __init__(self, store: DyingStore) -> None:
        self._store = store

    def __enter__(self) -> None:
        self._store.reach(done=False)

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not Killed:
            self._store.reach(done=True)


class Month:
    """A deployment whose budget is enforced again and again."""

    def __init__(self, store: Store, document: dict[str, Any] | None = None) -> None:
        self.store = store
        self.now = datetime(2026, 11, 1, tzinfo=UTC)
        if "routing.json" not in store.list(""):
            store.put("routing.json", json.dumps(document or START).encode())

    def at(self, day: int, month: int = 11, hour: int = 6) -> Month:
        self.now = datetime(2026, month, day, hour, tzinfo=UTC)
        return self

    def live(self, store: Store | None = None) -> LiveTraffic:
        return LiveTraffic(store or self.store, "routing.json", VERSIONS, lambda: self.now)

    def enforcer(self, store: Store | None = None, who: str = "cron@runner") -> Enforcer:
        return Enforcer(store or self.store, self.live(store), who, WARM, lambda: self.now)

    def spend(self, billed: str, estimated: str = "0") -> Spend:
        period = Period.of(self.now)
        day = self.now.date() if Decimal(billed) else None
        return Spend(period, "USD", Decimal(billed), day, usage=Decimal(estimated))

    def enforce(
        self, billed: str, estimated: str = "0", store: Store | None = None, limits: Limits = LIMITS
    ) -> list[Taken]:
        """Run it once, and return what was done."""
        enforcer, spend = self.enforcer(store), self.spend(billed, estimated)
        steps = decide(spend, limits, enforcer.state(), self.now)
        return list(enforcer.carry_out(steps, spend, limits))

    def routing(self) -> dict[str, Any]:
        return self.live().read()

    def audit(self) -> list[tuple[str, str, str]]:
        return [(r["event"], r["key"], r["note"]) for r in self.enforcer().history()]

    def steps_in_history(self) -> list[str]:
        return [record["step"] for record in self.live().history() if "step" in record]

    def has_override(self) -> bool:
        return "budget/override.json" in self.store.list("budget/")
