"""Which steps are due: from the spend, the limits, what was done before and the clock. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from lastmile_sls.budget.document import Action, Limits, Spend, State, Taken, Threshold
from lastmile_sls.budget.period import Period
from lastmile_sls.errors import LastmileError


@dataclass(frozen=True)
class Step:
    """Something to do, or to undo."""

    kind: Literal["do", "undo"]
    period: Period
    """Whose it is."""
    threshold: Threshold
    taken: Taken | None = None
    """What is known of it: a run that was interrupted, or what is to be undone."""

    @property
    def action(self) -> Action:
        """What is done, or undone."""
        return self.threshold.action

    @property
    def is_resumed(self) -> bool:
        """Whether an earlier run began it."""
        return self.taken is not None and self.taken.stage in ("intended", "undoing")


def decide(spend: Spend, limits: Limits, state: State | None, now: datetime) -> list[Step]:
    """Return what is to be done, in order.

    When the month has turned, what the last one did is undone first, the newest before the others. Then what an earlier
    run has begun is finished, and what is due and was not done in this month is done, the lowest threshold first.

    Args:
        spend: Of the month of `now`.
        limits: Of the spec.
        state: What was done; None when nothing ever was.
        now: The time.

    Raises LastmileError when the state is of a later month than the clock says.
    """
    period = Period.of(now)
    if spend.period != period:
        raise ValueError(f"the spend is of {spend.period}, but now is {period}")
    if state is not None and state.period > period:
        raise LastmileError(
            f"the budget's state is of {state.period}, but this machine's clock says {period}.",
            "Set the clock right, then run this again.",
        )
    steps: list[Step] = []
    done: dict[str, Taken] = {}
    if state is not None and state.period < period:
        steps += undo_all(state)
    elif state is not None:
        done = {taken.key: taken for taken in state.taken}
        steps += [
            Step("do" if taken.stage == "intended" else "undo", period, taken.threshold, taken)
            for taken in state.taken
            if taken.stage in ("intended", "undoing")
        ]
    return steps + [
        Step("do", period, threshold)
        for threshold in due(spend.percent_of(limits.amount), limits)
        if threshold.key not in done
    ]


def due(percent: Decimal, limits: Limits) -> list[Threshold]:
    """Return the thresholds that so much of the limit has reached, the lowest first."""
    return [threshold for threshold in limits.thresholds if percent >= threshold.percent]


def undo_all(state: State) -> list[Step]:
    """Return what undoes a month's steps, the newest first; alerts were told, and that stays so."""
    return [
        Step("undo", state.period, taken.threshold, taken)
        for taken in reversed(state.taken)
        if taken.stands and taken.action != "alert"
    ]
