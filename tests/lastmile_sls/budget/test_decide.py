"""What is due, by the spend, the limits, what was done and the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_sls.budget.decide import decide, due, undo_all
from lastmile_sls.budget.document import Limits, Spend, Stage, State, Taken, Threshold, parse, render
from lastmile_sls.budget.period import Period
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.budget.months import LIMITS

NOVEMBER = Period(2026, 11)
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def spend(total: str, period: Period = NOVEMBER) -> Spend:
    return Spend(period, "USD", Decimal(total), None)


def taken(threshold: Threshold, stage: Stage = "done", period: Period = NOVEMBER) -> Taken:
    id_ = f"{period}/{threshold.key}"
    return Taken(
        *(threshold.key, id_, threshold.action, stage, f"{threshold.percent:f}", "81.0", {}),
        *("2026-11-20T00:00:00Z", "ann", "why", threshold.requests_per_s),
    )


def told(steps: object) -> list[str]:
    return [f"{step.kind} {step.threshold.key}" for step in steps]  # type: ignore[attr-defined] # Steps


def test_thresholds_are_in_order_and_the_action_comes_before_the_alert_of_its_percent() -> None:
    assert [(one.key, f"{one.percent:f}") for one in LIMITS.thresholds] == [
        ("alert-50", "50"),
        ("stop-shadows", "80"),
        ("throttle", "90"),
        ("drop-warm", "95"),
        ("alert-100", "100"),
    ]
    assert told(decide(spend("199.99"), LIMITS, None, NOW)) == ["do alert-50"]
    assert told(decide(spend("200"), LIMITS, None, NOW)) == ["do alert-50", "do stop-shadows"]
    same = replace(LIMITS, thresholds=LIMITS.thresholds[1:2])
    assert told(decide(spend("200"), same, State(NOVEMBER), NOW)) == ["do stop-shadows"]


def test_what_was_begun_is_finished_before_anything_else() -> None:
    _, shadows, throttle, *_ = LIMITS.thresholds
    state = State(NOVEMBER, (taken(shadows, "undoing"), taken(throttle, "intended")))
    steps = decide(spend("126"), LIMITS, state, NOW)
    assert told(steps) == ["undo stop-shadows", "do throttle", "do alert-50"]
    assert [step.is_resumed for step in steps] == [True, True, False]


def test_what_was_released_by_hand_is_not_done_again_in_its_month_but_in_the_next() -> None:
    _, shadows, *_ = LIMITS.thresholds
    state = State(NOVEMBER, (taken(LIMITS.thresholds[0]), taken(shadows, "undone")))
    assert decide(spend("210"), LIMITS, state, NOW) == []
    december = Period(2026, 12)
    now = datetime(2026, 12, 1, tzinfo=UTC)
    assert told(decide(spend("210", december), LIMITS, state, now)) == ["do alert-50", "do stop-shadows"]


def test_a_turn_undoes_the_newest_first_whatever_became_of_it() -> None:
    alert, shadows, throttle, warm, _ = LIMITS.thresholds
    stages: list[tuple[Threshold, Stage]] = [(shadows, "done"), (throttle, "undoing"), (warm, "intended")]
    state = State(NOVEMBER, (taken(alert), *(taken(one, stage) for one, stage in stages)))
    now = datetime(2026, 12, 1, tzinfo=UTC)
    steps = decide(spend("0", Period(2026, 12)), LIMITS, state, now)
    assert told(steps) == ["undo drop-warm", "undo throttle", "undo stop-shadows"]
    assert {step.period for step in steps} == {NOVEMBER}
    assert steps == undo_all(state)


def test_a_clock_that_went_back_does_nothing() -> None:
    with pytest.raises(LastmileError) as refused:
        decide(spend("300"), LIMITS, State(Period(2026, 12)), NOW)
    assert refused.value.message == (
        "the budget's state is of 2026-12, but this machine's clock says 2026-11."
    )
    with pytest.raises(ValueError, match=r"^the spend is of 2026-12, but now is 2026-11$"):
        decide(spend("300", Period(2026, 12)), LIMITS, None, NOW)


@given(st.lists(st.decimals(0, 400, places=2), max_size=12))
def test_each_threshold_once_however_the_spend_goes(totals: list[Decimal]) -> None:
    state = State(NOVEMBER)
    seen: list[str] = []
    for total in totals:
        for step in decide(spend(str(total)), LIMITS, state, NOW):
            state = state.with_step(taken(step.threshold))
            seen.append(step.threshold.key)
    highest = max(totals, default=Decimal(0))
    assert sorted(seen) == sorted(one.key for one in due(highest / LIMITS.amount * 100, LIMITS))


def test_a_state_is_read_as_it_was_written() -> None:
    state = State(NOVEMBER, tuple(taken(one) for one in LIMITS.thresholds))
    assert parse(render(state)) == state
    broken = render(state).replace(b'"done"', b'"later"')
    with pytest.raises(LastmileError, match=r"^budget/state\.json cannot be read: a step has 'later', but"):
        parse(broken)


def test_months() -> None:
    december = Period.of(datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert (str(december), str(december.start), str(december.end)) == ("2026-12", "2026-12-01", "2027-01-01")
    assert NOVEMBER < december == Period.read("2026-12")
    assert NOVEMBER.passed_since(NOVEMBER.start, NOW).days == 19
    assert NOVEMBER.passed_since(NOVEMBER.start, datetime(2027, 1, 1, tzinfo=UTC)).days == 30
    assert NOVEMBER.passed_since(NOVEMBER.end, NOW).days == 0


def test_limits_are_as_exact_as_they_are_written() -> None:
    limits = Limits(Decimal("0.1"), "USD", (Threshold("stop_shadows", Decimal("33.3")),))
    assert decide(spend("0.0332"), limits, None, NOW) == []
    assert told(decide(spend("0.0333"), limits, None, NOW)) == ["do stop-shadows"]
