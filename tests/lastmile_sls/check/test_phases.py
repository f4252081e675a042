"""Phases from what was seen of a start."""

from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.check.opened import Touch
from lastmile_sls.check.phases import PHASES, Places, load_ms, phases

BUNDLE, MODEL, CLIENT = Path("/b"), Path("/b/models/v1"), Path("/t/awslambdaric")
PLACES = Places(BUNDLE, (MODEL,), (CLIENT,))
SEEN = [
    Touch(10.010, CLIENT / "__main__.py", True),
    Touch(10.020, BUNDLE / "lastmile_runtime" / "pack.cpython-311", True),
    Touch(10.030, BUNDLE / "manifest.json", True),
    Touch(10.031, BUNDLE / "manifest.json", False),
    Touch(10.040, MODEL / "model.bin", True),
    Touch(10.045, MODEL / "model.bin", False),
]


def found(
    touches: list[Touch] = SEEN,
    places: Places = PLACES,
    load: float | None = None,
    started: float | None = None,
) -> list[tuple[str, float]]:
    return [
        (phase.name, round(phase.ms, 6))
        for phase in phases(10.0, 10.1, touches, places, load_ms=load, started=started)
    ]


def test_every_phase() -> None:
    assert found() == [
        ("interpreter", 10.0),
        ("client", 10.0),
        ("runtime", 10.0),
        ("manifest", 10.0),
        ("model", 5.0),
        ("answer", 55.0),
    ]


@pytest.mark.parametrize(
    ("load", "started", "model_ms"),
    [
        (30.0, None, 30.0),
        (30.0, 10.050, 30.0),
        (None, 10.060, 20.0),
        (None, 10.035, 5.0),
        (500.0, None, 60.0),
    ],
)
def test_the_model_is_loaded_by_its_own_report_or_when_the_function_asks_for_events(
    load: float | None, started: float | None, model_ms: float
) -> None:
    assert dict(found(load=load, started=started))["model"] == model_ms


def test_what_was_not_seen_is_part_of_what_was_before() -> None:
    without = [touch for touch in SEEN if touch.path.name != "manifest.json"]
    assert found(without, Places(BUNDLE, (MODEL,)))[:3] == [
        ("interpreter", 20.0),
        ("runtime", 20.0),
        ("model", 5.0),
    ]
    assert found([]) == [("start", 100.0)]


def test_what_was_opened_before_it_was_started_does_not_count() -> None:
    assert found([Touch(9.0, BUNDLE / "manifest.json", True)]) == [("start", 100.0)]


def test_what_was_seen_too_late_was_right_before_the_answer() -> None:
    late = [*SEEN[:4], Touch(10.102, MODEL / "model.bin", True), Touch(10.103, MODEL / "model.bin", False)]
    assert found(late)[3:] == [("manifest", 70.0), ("model", 0.0), ("answer", 0.0)]


def test_phases_have_no_gaps_and_no_overlaps() -> None:
    late = [*SEEN[:3], Touch(10.015, BUNDLE / "lastmile_runtime" / "x.py", True)]
    made = phases(10.0, 10.1, late, PLACES, load_ms=None, started=None)
    ends = [phase.start_ms + phase.ms for phase in made]
    assert [phase.start_ms for phase in made] == pytest.approx([0.0, *ends[:-1]])
    assert ends[-1] == pytest.approx(100.0)
    assert {phase.name for phase in made} <= set(PHASES)


@pytest.mark.parametrize(
    ("header", "ms"),
    [
        ("faas.coldstart, load;dur=12.5, predict;dur=0.20", 12.5),
        ("load;dur=3", 3.0),
        ("predict;dur=0.2", None),
        ("upload;dur=9", None),
    ],
)
def test_the_report_of_a_load(header: str, ms: float | None) -> None:
    assert load_ms({"server-timing": header}) == ms
    assert load_ms({}) is None
