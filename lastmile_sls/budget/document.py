"""A month's spend, the shares of its limit at which something is done, and what was done: `budget/state.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, get_args

from lastmile_sls.budget.period import Period
from lastmile_sls.errors import LastmileError

if TYPE_CHECKING:
    from datetime import date

    from lastmile_sls.spec.operations import Budget

FORMAT = "lastmile.budget/1"
Action = Literal["stop_shadows", "throttle", "drop_warm", "alert"]
Stage = Literal["intended", "done", "undoing", "undone"]
"""Written before anything is done, and after it; the same for undoing it."""
NOTHING = Decimal(0)


@dataclass(frozen=True)
class Threshold:
    """What is done when so much of the limit is spent."""

    action: Action
    percent: Decimal
    requests_per_s: float | None = None
    """Of a throttle."""

    @property
    def key(self) -> str:
        """What tells it from the others of a month."""
        return f"alert-{self.percent:f}" if self.action == "alert" else self.action.replace("_", "-")


@dataclass(frozen=True)
class Limits:
    """What a month may cost, and what is done on the way there."""

    amount: Decimal
    currency: str
    thresholds: tuple[Threshold, ...]
    """The lowest first; of the same percent the action before the alert."""

    @classmethod
    def nothing(cls) -> Limits:
        """Return that there are none: what is undone needs none."""
        return cls(Decimal(1), "", ())


@dataclass(frozen=True)
class Spend:
    """What a month has cost so far: what was billed, and an estimate of what came since, which are never mixed up."""

    period: Period
    currency: str
    billed: Decimal
    billed_through: date | None
    """The last day of which anything was billed; None when nothing of the month was."""
    requests: int = 0
    """Answered since then, as far as telemetry says."""
    usage: Decimal = NOTHING
    """Estimate of what these cost."""
    baseline: Decimal = NOTHING
    """Estimate of what it has cost since then whether anybody called or not."""
    warnings: tuple[str, ...] = ()

    @classmethod
    def nothing(cls, period: Period) -> Spend:
        """Return that nothing was asked: what is undone by hand needs no reason in money."""
        return cls(period, "", NOTHING, None)

    @property
    def estimated(self) -> Decimal:
        """What is not billed yet."""
        return self.usage + self.baseline

    @property
    def total(self) -> Decimal:
        """Both."""
        return self.billed + self.estimated

    def percent_of(self, limit: Decimal) -> Decimal:
        """Return how much of a limit is spent."""
        return self.total / limit * 100


@dataclass(frozen=True)
class Taken:
    """A step that was taken, or is on the way."""

    key: str
    id: str
    """`2026-11/stop-shadows`; what it did elsewhere carries it."""
    action: Action
    stage: Stage
    percent: str
    """The threshold's."""
    spent_percent: str
    """What was spent when it was intended."""
    spend: Mapping[str, str]
    when: str
    who: str
    why: str
    requests_per_s: float | None = None
    note: str = ""
    """What came of it, in words."""

    @property
    def threshold(self) -> Threshold:
        """What it was taken at."""
        return Threshold(self.action, Decimal(self.percent), self.requests_per_s)

    @property
    def stands(self) -> bool:
        """Whether there is something to undo, as far as is known."""
        return self.stage != "undone"


@dataclass(frozen=True)
class State:
    """What was done in a month."""

    period: Period
    taken: tuple[Taken, ...] = field(default=())
    """In the order in which it was."""

    def find(self, key: str) -> Taken | None:
        """Return a step; None when it was not taken."""
        return next((taken for taken in self.taken if taken.key == key), None)

    def with_step(self, step: Taken) -> State:
        """Return the state with a step in the place of the one of its key, else at the end."""
        if self.find(step.key) is None:
            return replace(self, taken=(*self.taken, step))
        return replace(self, taken=tuple(step if one.key == step.key else one for one in self.taken))


def limits_of(budget: Budget) -> Limits:
    """Return a spec's limits."""
    found = [Threshold("alert", _exact(percent)) for percent in budget.alerts_percent]
    if actions := budget.actions:
        if actions.stop_shadows_percent is not None:
            found.append(Threshold("stop_shadows", _exact(actions.stop_shadows_percent)))
        if actions.throttle is not None:
            throttle = actions.throttle
            found.append(Threshold("throttle", _exact(throttle.percent), throttle.requests_per_s))
        if actions.drop_warm_percent is not None:
            found.append(Threshold("drop_warm", _exact(actions.drop_warm_percent)))
    ordered = sorted(found, key=lambda one: (one.percent, one.action == "alert"))
    return Limits(_exact(budget.monthly_limit), budget.currency, tuple(ordered))


def render(state: State) -> bytes:
    """Return a state as it is kept."""
    document = {"format": FORMAT, "period": str(state.period), "steps": [asdict(one) for one in state.taken]}
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def parse(content: bytes) -> State:
    """Return a state that was kept. Raises LastmileError for what is none."""
    try:
        return _state(json.loads(content))
    except (ValueError, KeyError, TypeError) as error:
        raise LastmileError(
            f"budget/state.json cannot be read: {error}.",
            "It says what is to be undone when the month is over. Bring back an older version of the object, or look at "
            "`lastmile traffic history`, mend the traffic by hand and delete it.",
        ) from error


def _state(document: Mapping[str, Any]) -> State:
    if document["format"] != FORMAT:
        raise ValueError(f"its format is {document['format']!r}, but this version reads {FORMAT!r}")
    return State(Period.read(document["period"]), tuple(_taken(entry) for entry in document["steps"]))


def _taken(entry: Mapping[str, Any]) -> Taken:
    taken = Taken(**entry)
    for value, allowed in ((taken.action, get_args(Action)), (taken.stage, get_args(Stage))):
        if value not in allowed:
            raise ValueError(f"a step has {value!r}, but must have one of {', '.join(allowed)}")
    return taken


def told_of(spend: Spend) -> dict[str, str]:
    """Return a spend as a step keeps it."""
    return {
        "currency": spend.currency,
        "billed": amount(spend.billed),
        "billed_through": str(spend.billed_through or ""),
        "estimated": amount(spend.estimated),
        "total": amount(spend.total),
    }


def amount(value: Decimal) -> str:
    """Return all of a number as decimal text, without the zeros behind it."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _exact(number: float) -> Decimal:
    """Return a number of the spec as it is written there."""
    return Decimal(str(number)).normalize() + NOTHING
