"""Carries steps out, each once: what is intended is written first, then it is done, then that it was.

The state in the deployment's store is written with compare-and-swap, so of two runs at once one wins, and what a run that
was killed has begun the next one finishes: each step's own place says whether it was done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lastmile_runtime.stores import Conflict, NotFound, StoreError
from lastmile_sls.budget import override, traffic
from lastmile_sls.budget.decide import Step
from lastmile_sls.budget.document import Limits, Spend, State, Taken, parse, render, told_of
from lastmile_sls.budget.period import Period
from lastmile_sls.errors import LastmileError
from lastmile_sls.traffic.live import Author, LiveTraffic

if TYPE_CHECKING:
    from lastmile_runtime.stores import Store

STATE = "budget/state.json"
HISTORY = "budget/history/"
_DEADLINE_S = 10.0


class Enforcer:
    """A deployment's budget at work."""

    def __init__(
        self, store: Store, live: LiveTraffic, who: str, warm: int, clock: Callable[[], datetime]
    ) -> None:
        """Act on a deployment.

        Args:
            store: Where its routing document lies.
            live: That document.
            who: Acts.
            warm: How many instances the spec keeps warm.
            clock: The time.
        """
        self._store = store
        self._live = live
        self._who = who
        self._warm = warm
        self._clock = clock
        self._state: State | None = None
        self._etag: str | None = None

    def state(self) -> State | None:
        """Return what was done as it is kept now; None when nothing ever was. Raises LastmileError."""
        try:
            found = self._store.get(STATE, deadline_s=_DEADLINE_S)
            assert found is not None
        except NotFound:
            self._state = self._etag = None
        except StoreError as error:
            raise _unusable(error) from error
        else:
            self._state, self._etag = parse(found.content), found.etag
        return self._state

    def history(self) -> list[dict[str, Any]]:
        """Return every step that was done or undone, the oldest first. Raises LastmileError."""
        try:
            found = [self._store.get(name, deadline_s=_DEADLINE_S) for name in self._store.list(HISTORY)]
        except StoreError as error:
            raise _unusable(error) from error
        records = [json.loads(one.content) for one in found if one is not None]
        return sorted(records, key=lambda record: (record["at"], Decimal(record["percent"])))

    def carry_out(
        self, steps: Sequence[Step], spend: Spend, limits: Limits, why: str = ""
    ) -> Iterator[Taken]:
        """Do the steps that were decided on the state as it was read last; return each when it is done.

        Args:
            steps: What is due.
            spend: Why.
            limits: Against which.
            why: Of what is undone; by default that the month is over.

        Raises LastmileError when somebody else was quicker, or the store does not answer; what was begun the next run
        finishes.
        """
        for step in steps:
            yield self._do(step, spend, limits) if step.kind == "do" else self._undo(step, why)

    def intended(self, step: Step, spend: Spend, limits: Limits) -> Taken:
        """Return a step as it is written before it is done."""
        if step.taken is not None:
            return step.taken
        threshold, percent = step.threshold, spend.percent_of(limits.amount)
        return Taken(
            key=threshold.key,
            id=f"{step.period}/{threshold.key}",
            action=threshold.action,
            stage="intended",
            percent=f"{threshold.percent:f}",
            spent_percent=f"{percent:.1f}",
            spend=told_of(spend),
            when=self._now(),
            who=self._who,
            why=why_of(spend, limits),
            requests_per_s=threshold.requests_per_s,
        )

    def preview(self, step: Step, spend: Spend, limits: Limits) -> str:
        """Return in words what a step would do. Raises LastmileError."""
        taken = self.intended(step, spend, limits)
        if step.kind == "undo":
            return "back to what it was, unless somebody has changed it since"
        match taken.action:
            case "alert":
                return "told once"
            case "drop_warm":
                return f"min_instances {self._warm} -> 0" if self._warm else "no instance is kept warm"
            case _:
                return traffic.preview(self._live.read(), taken)

    def _do(self, step: Step, spend: Spend, limits: Limits) -> Taken:
        taken = self.intended(step, spend, limits)
        if step.taken is None:
            self._save(self._of(step.period).with_step(taken))
        done = replace(taken, stage="done", note=self._act(taken))
        self._record(done, taken.id, {"event": "done", "at": taken.when})
        self._save(self._of(step.period).with_step(done))
        return done

    def _undo(self, step: Step, why: str) -> Taken:
        assert step.taken is not None
        taken = replace(step.taken, stage="undoing")
        if step.taken.stage != "undoing":
            self._save(self._of(step.period).with_step(taken))
        author = Author(self._who, why or f"the month {step.period} is over")
        undone = replace(taken, stage="undone", note=self._act_back(taken, author))
        facts = {"event": "undone", "at": self._now(), "undone_by": author.who, "undone_why": author.reason}
        self._record(undone, f"{taken.id}/undo", facts)
        self._save(self._of(step.period).with_step(undone))
        return undone

    def _act(self, taken: Taken) -> str:
        match taken.action:
            case "stop_shadows" | "throttle":
                return traffic.carry_out(self._live, taken)
            case "drop_warm":
                return override.drop_warm(self._store, taken, self._warm)
            case "alert":
                return "told"

    def _act_back(self, taken: Taken, author: Author) -> str:
        match taken.action:
            case "stop_shadows" | "throttle":
                return traffic.undo(self._live, taken, author)
            case "drop_warm":
                return override.undo(self._store, taken, self._warm)
            case "alert":
                return "nothing to undo"

    def _of(self, period: Period) -> State:
        """Return the state of a month: a new one when the last one's steps are all undone."""
        if self._state is None or self._state.period < period:
            return State(period)
        return self._state

    def _record(self, taken: Taken, id_: str, facts: dict[str, Any]) -> None:
        """Write a step to the audit trail, unless an earlier run has."""
        content = json.dumps({**asdict(taken), **facts}, indent=1, ensure_ascii=False) + "\n"
        try:
            self._store.put(f"{HISTORY}{id_.replace('/', '-')}.json", content.encode(), if_absent=True)
        except Conflict:
            return
        except StoreError as error:
            raise _unusable(error) from error

    def _save(self, state: State) -> None:
        try:
            self._etag = self._store.put(
                STATE, render(state), if_absent=self._etag is None, if_match=self._etag
            )
        except Conflict:
            raise LastmileError(
                "another run of `lastmile budget enforce` was quicker; this one did nothing more.",
                "See what it did: lastmile budget status",
            ) from None
        except StoreError as error:
            raise _unusable(error) from error
        self._state = state

    def _now(self) -> str:
        return self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def why_of(spend: Spend, limits: Limits) -> str:
    """Return in a line how much is spent, billed and estimated apart."""
    currency = spend.currency
    through = f" up to {spend.billed_through}" if spend.billed_through else ""
    return (
        f"{spend.percent_of(limits.amount):.1f} % of {limits.amount:f} {currency} spent in {spend.period}: "
        f"{spend.billed:.2f} billed{through}, {spend.estimated:.2f} estimated since"
    )


def _unusable(error: Exception) -> LastmileError:
    return LastmileError(
        f"the budget's state in the deployment's store cannot be used: {error}.",
        "Whatever was begun the next run finishes: run this again.",
    )
