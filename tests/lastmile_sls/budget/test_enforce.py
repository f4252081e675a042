"""A budget through a month: each threshold once, undone at its turn, whatever is killed when."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.stores import open_store
from lastmile_sls.budget import override
from lastmile_sls.budget.decide import decide
from lastmile_sls.budget.document import Taken
from lastmile_sls.errors import LastmileError
from lastmile_sls.traffic.change import promote, set_shadow, set_throttle, set_weights
from tests.lastmile_sls.budget.months import (
    ANN,
    LIMITS,
    SHADOWS,
    START,
    VERSIONS,
    DyingStore,
    Killed,
    MemoryStore,
    Month,
)


@pytest.fixture
def month(tmp_path: Path) -> Month:
    return Month(open_store(tmp_path.as_uri()))


def keys(taken: list[Taken]) -> list[str]:
    return [f"{one.stage} {one.key}" for one in taken]


def walk_through(month: Month) -> None:
    """A month: nothing, an alert, then each step, once; and the next month, in which all is as it was."""
    assert month.at(2).enforce("20", "4.9") == []
    assert keys(month.at(9).enforce("100", "25")) == ["done alert-50"]
    (stopped,) = month.at(16).enforce("180", "23.10")
    assert (stopped.key, stopped.spent_percent) == ("stop-shadows", "81.2")
    assert stopped.note == "shadows v2 100 %, v3 25.5 % -> no shadows, revision 1"
    assert stopped.why == (
        "81.2 % of 250 USD spent in 2026-11: 180.00 billed up to 2026-11-16, 23.10 estimated since"
    )
    assert month.routing()["shadows"] == []
    assert month.at(16, hour=7).enforce("180", "24") == []
    assert month.enforce("100") == []  # a bill that was mended brings nothing back before the turn
    (throttled,) = month.at(20).enforce("200", "26")
    assert throttled.note == "no throttle -> throttled to 5 requests/s of each instance, revision 2"
    assert month.routing()["throttle"] == {"requests_per_s": 5.0}
    assert keys(month.at(22).enforce("240")) == ["done drop-warm"]
    found = override.read(month.store)
    assert found is not None
    assert found.told(2) == (
        "min_instances is 0 instead of 2: budget override since 2026-11-22T06:00:00Z (96.0 % spent)"
    )
    assert keys(month.at(25).enforce("251")) == ["done alert-100"]
    assert month.at(30, hour=23).enforce("300") == []
    assert keys(month.at(1, 12).enforce("0", "0.1")) == [
        "undone drop-warm",
        "undone throttle",
        "undone stop-shadows",
    ]
    after = month.routing()
    assert {name: after.get(name) for name in START} == START
    assert after.get("throttle") is None
    assert not month.has_override()
    assert month.at(2, 12).enforce("1") == []
    assert month.audit() == [
        ("done", "alert-50", "told"),
        ("done", "stop-shadows", "shadows v2 100 %, v3 25.5 % -> no shadows, revision 1"),
        ("done", "throttle", "no throttle -> throttled to 5 requests/s of each instance, revision 2"),
        ("done", "drop-warm", "min_instances 2 -> 0 with the next `lastmile up`"),
        ("done", "alert-100", "told"),
        ("undone", "stop-shadows", "no shadows -> shadows v2 100 %, v3 25.5 %, revision 4"),
        ("undone", "throttle", "throttled to 5 requests/s of each instance -> no throttle, revision 3"),
        ("undone", "drop-warm", "min_instances 0 -> 2 with the next `lastmile up`"),
    ]
    told = [(record["who"], record["action"]) for record in month.live().history()]
    assert told == [
        ("cron@runner", "budget: stop shadows"),
        ("cron@runner", "budget: throttle 5"),
        ("cron@runner", "budget: undo throttle"),
        ("cron@runner", "budget: undo stop-shadows"),
    ]
    assert month.live().history()[2]["reason"] == "the month 2026-11 is over"


def test_a_month(month: Month) -> None:
    walk_through(month)


def test_everything_at_once_and_again_the_next_month(month: Month) -> None:
    assert keys(month.at(28).enforce("260")) == [
        "done alert-50",
        "done stop-shadows",
        "done throttle",
        "done drop-warm",
        "done alert-100",
    ]
    assert keys(month.at(20, 12).enforce("205")) == [
        "undone drop-warm",
        "undone throttle",
        "undone stop-shadows",
        "done alert-50",
        "done stop-shadows",
    ]
    assert month.routing()["shadows"] == []
    state = month.enforcer().state()
    assert state is not None
    assert (str(state.period), [one.id for one in state.taken]) == (
        "2026-12",
        ["2026-12/alert-50", "2026-12/stop-shadows"],
    )
    assert month.steps_in_history() == [
        "2026-11/stop-shadows",
        "2026-11/throttle",
        "2026-11/throttle/undo",
        "2026-11/stop-shadows/undo",
        "2026-12/stop-shadows",
    ]


def writes_of(store: Any, run: Any) -> int:
    counting = DyingStore(store)
    run(counting)
    return counting.writes


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_each_write_nothing_is_done_twice_and_nothing_is_lost(after: bool) -> None:
    """Killed at the n-th write, then run again, for every n: the same document, history, override and audit trail."""

    def everything(month: Month, store: Any) -> None:
        month.at(28).enforce("260", store=store)

    def turn(month: Month, store: Any) -> None:
        month.at(1, 12).enforce("0", store=store)

    whole = Month(MemoryStore())
    counts = [writes_of(whole.store, lambda store, run=run: run(whole, store)) for run in (everything, turn)]
    assert counts == [21, 16]
    expected = contents(whole)
    for phase, count in enumerate(counts):
        for dies_at in range(1, count + 1):
            month = Month(MemoryStore())
            for number, run in enumerate((everything, turn)):
                if number == phase:
                    with pytest.raises(Killed):
                        run(month, DyingStore(month.store, dies_at, after=after))
                run(month, month.store)
            assert contents(month) == expected, (phase, dies_at)


def contents(month: Month) -> dict[str, Any]:
    """Everything that is kept; of the traffic's history what can be read of it, because its last record may lag behind."""
    names = [name for name in month.store.list("") if not name.startswith("history/")]
    objects = {name: json.loads(found.content) for name in names if (found := month.store.get(name))}
    return {**objects, "history": month.live().history()}


def test_of_two_runs_at_once_one_wins(month: Month) -> None:
    month.at(16)
    first, second = month.enforcer(), month.enforcer(who="other@runner")
    spend = month.spend("210")
    steps = [decide(spend, LIMITS, enforcer.state(), month.now) for enforcer in (first, second)]
    assert len(list(first.carry_out(steps[0], spend, LIMITS))) == 2
    with pytest.raises(LastmileError) as lost:
        list(second.carry_out(steps[1], spend, LIMITS))
    assert lost.value.message == (
        "another run of `lastmile budget enforce` was quicker; this one did nothing more."
    )
    assert month.steps_in_history() == ["2026-11/stop-shadows"]
    assert {record["who"] for record in month.live().history()} == {"cron@runner"}


def test_of_two_that_finish_what_a_third_began_both_do_it_once(month: Month) -> None:
    with pytest.raises(Killed):
        month.at(16).enforce("210", store=DyingStore(month.store, 5))  # the intent is written, no more
    first, second = month.enforcer(), month.enforcer()
    spend = month.spend("210")
    steps = [decide(spend, LIMITS, enforcer.state(), month.now) for enforcer in (first, second)]
    assert [one.is_resumed for one in steps[0]] == [True]
    assert [one.note for one in first.carry_out(steps[0], spend, LIMITS)] == [
        "shadows v2 100 %, v3 25.5 % -> no shadows, revision 1"
    ]
    with pytest.raises(LastmileError, match=r"^another run of `lastmile budget enforce` was quicker"):
        list(second.carry_out(steps[1], spend, LIMITS))
    assert month.steps_in_history() == ["2026-11/stop-shadows"]


def test_shadows_that_somebody_changed_meanwhile_are_left_and_that_is_said(month: Month) -> None:
    month.at(16).enforce("210")
    month.at(17).live().change("shadow v3 50", ANN, lambda d: set_shadow(d, "v3", 5000, VERSIONS))
    month.at(18).live().change("shadow v3 off", ANN, lambda d: set_shadow(d, "v3", 0, VERSIONS))
    month.at(19).live().change("set v2=20", ANN, lambda d: set_weights(d, {"v2": 2000}, VERSIONS))
    (undone,) = month.at(1, 12).enforce("0")
    assert undone.note == (
        "the shadows left: changed by ann@laptop on 2026-11-18T06:00:00+00:00 (shadow v3 off) since"
    )
    assert month.routing()["shadows"] == []
    assert month.at(2, 12).enforce("0") == []


def test_other_changes_do_not_keep_the_shadows_from_coming_back(month: Month) -> None:
    month.at(16).enforce("210")
    month.live().change("set v2=20", ANN, lambda d: set_weights(d, {"v2": 2000}, VERSIONS))
    month.at(1, 12).enforce("0")
    assert month.routing()["shadows"] == SHADOWS
    assert month.routing()["weights"] == {"v1": 8000, "v2": 2000, "v3": 0}


def test_a_shadow_that_is_the_champion_by_now_is_left_out(month: Month) -> None:
    month.at(16).enforce("210")
    month.live().change("promote v2", ANN, lambda d: promote(d, "v2", VERSIONS))
    (undone,) = month.at(1, 12).enforce("0")
    assert undone.note == (
        "no shadows -> shadows v3 25.5 %, revision 3; v2 left out: the champion now, or not deployed any more"
    )
    assert month.routing()["shadows"] == SHADOWS[1:]


def test_a_throttle_that_was_stricter_stays_and_one_that_was_weaker_comes_back(tmp_path: Path) -> None:
    strict = Month(open_store((tmp_path / "strict").as_uri()), set_throttle({**START, "shadows": []}, 1.0))
    assert [one.note for one in strict.at(20).enforce("230")] == [
        "told",
        "no shadow was running",
        "it is throttled as much already",
    ]
    assert [one.note for one in strict.at(1, 12).enforce("0")] == ["nothing had been changed"] * 2
    assert strict.routing() == set_throttle({**START, "shadows": []}, 1.0)
    weak = Month(open_store((tmp_path / "weak").as_uri()), set_throttle(START, 100.0))
    weak.at(20).enforce("230")
    assert weak.routing()["throttle"] == {"requests_per_s": 5.0}
    weak.at(1, 12).enforce("0")
    assert weak.routing()["throttle"] == {"requests_per_s": 100.0}


def test_an_override_of_somebody_elses_is_left(month: Month) -> None:
    month.at(22).enforce("240")
    found = month.store.get(override.PATH)
    assert found is not None
    other = {**json.loads(found.content), "id": "by-hand"}
    month.store.put(override.PATH, json.dumps(other).encode())
    assert month.at(1, 12).enforce("0")[0].note == "the override left: it is that of by-hand"
    assert month.has_override()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "budget/state.json cannot be read: Expecting property name enclosed in double quotes: "),
        (
            b'{"format": "lastmile.budget/9"}',
            "budget/state.json cannot be read: its format is 'lastmile.budget/9', but this version reads ",
        ),
    ],
)
def test_a_state_that_cannot_be_read_stops_everything(month: Month, content: bytes, message: str) -> None:
    month.store.put("budget/state.json", content)
    with pytest.raises(LastmileError) as refused:
        month.at(16).enforce("210")
    assert refused.value.message.startswith(message)
    assert month.routing() == START
