"""What the tables say of samples, goals, failures and instruction counts: `pytest bench`."""

from __future__ import annotations

import pytest

from bench import instructions
from bench.results import Goal, Report, Row


def report(*rows: Row) -> Report:
    goals = [
        Goal("no dearer", "ours", "floor", at_most=1.1),
        Goal("quicker", "peer", "ours", at_least=8),
        Goal("unknown", "gone", "ours", at_least=2),
    ]
    return Report("Style", "ms", "floor", list(rows), goals, "How.", "processor time, ms")


ROWS = (
    Row("floor", "f", "nothing", [10.0, 20.0, 12.0], {"processor time, ms": [5.0]}),
    Row("ours", "o", "all", [13.0, 13.3, 99.0], {"processor time, ms": [5.5]}),
    Row("peer", "p", "nothing", [90.0, 110.0]),
    Row("gone", "g", "nothing", [], {}, "it ended | with 1\nand a line"),
)


def test_goals_are_of_medians() -> None:
    found = report(*ROWS)
    assert [goal.ratio(found) for goal in found.goals] == [13.3 / 12.0, 100.0 / 13.3, None]
    assert [goal.best_ratio(found) for goal in found.goals] == [1.3, 90.0 / 13.0, None]
    assert [goal.steady_ratio(found) for goal in found.goals] == [1.1, None, None]
    assert [goal.verdict(found) for goal in found.goals] == ["missed", "missed", "not measured"]
    assert [goal.limit for goal in found.goals] == ["<= 1.1x", ">= 8x", ">= 2x"]


def test_a_goal_is_met_at_its_limit() -> None:
    rows = [Row("floor", "", "", [10.0]), Row("ours", "", "", [11.0]), Row("peer", "", "", [88.0])]
    assert [goal.verdict(report(*rows)) for goal in report(*rows).goals[:2]] == ["met", "met"]


def test_the_table_has_every_entry() -> None:
    lines = report(*ROWS).markdown().splitlines()
    assert "| no dearer | <= 1.1x | 1.11x | 1.30x | 1.10x | **missed** |" in lines
    start = lines.index("| entry | to floor | median, ms | quartiles, ms | processor time, ms | rounds |")
    assert lines[start + 2 : start + 6] == [
        "| floor | 1.00x | 12.0 | 11.0-16.0 | 5.0 | 3 |",
        "| ours | 1.11x | 13.3 | 13.2-56.1 | 5.5 | 3 |",
        "| peer | 8.33x | 100 | 95-105 | - | 2 |",
        "| gone | failed | - | - | - | 0: it ended / with 1 and a line |",
    ]


BASELINE = {"idle interpreter": 1000, "first prediction": 2000}


@pytest.mark.parametrize(
    ("found", "expected", "told"),
    [
        ({"idle interpreter": 1009, "first prediction": 2060}, 0, ""),
        (
            {"idle interpreter": 1000, "first prediction": 2061},
            1,
            "first prediction: 2061 instructions, +3.0% over the baseline's 2000; at most +3% is.",
        ),
        (
            {"idle interpreter": 1011, "first prediction": 2000},
            2,
            "instructions.json has no baseline of this build",
        ),
    ],
)
def test_instructions_that_crept_up(
    found: dict[str, int], expected: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert instructions.verdict(found, BASELINE) == expected
    assert capsys.readouterr().err.startswith(told)


def test_instructions_without_a_baseline() -> None:
    assert instructions.verdict(BASELINE, None) == 2
