"""What changes between two estimates."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from math import isclose

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.as_json import from_json, to_json
from lastmile_sls.estimate.diff import diff
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions
from tests.lastmile_sls.estimate.priced import both, estimated, traffic


def test_resources_are_added_removed_changed_or_the_same() -> None:
    one = estimated(traffic(requests=Decimal(500_000)))
    two = estimated(traffic(), plan_of(spec_of(**two_versions(apart=True)), "aws"))
    found = diff(one, two)
    assert [(line.any.name, line.fate) for line in found.lines] == [
        ("churn-dev-role", "same"),
        ("churn-dev-predict", "changed"),
        ("churn-dev-predict-v2", "added"),
        ("churn-dev-state", "same"),
    ]
    assert both(found.monthly_before, found.delta) == (8, two.monthly - 8)
    assert [change.any.name for change in found.lines[1].components] == ["Requests", "Time"]
    back = diff(two, one)
    assert [line.any.name for line in back.of("removed")] == ["churn-dev-predict-v2"]
    assert back.delta == -found.delta
    assert isclose(sum(line.delta for line in back.lines), back.delta)
    (gone,) = back.of("removed")
    assert [one.delta for one in gone.components] == [-one.cost for one in gone.any.components]


def test_nothing_is_deployed() -> None:
    found = diff(None, estimated())
    assert both(found.monthly_before, found.delta, found.percent) == (0, Decimal("13.5"), None)
    assert {line.fate for line in found.lines} == {"added"}


def test_another_quantity_is_a_change_even_where_it_costs_the_same() -> None:
    free = estimated(
        traffic(requests=Decimal(10), duration_ms={"v1": Decimal(1), "v2": Decimal(1)}), free_tier=True
    )
    more = estimated(
        traffic(requests=Decimal(20), duration_ms={"v1": Decimal("0.5"), "v2": Decimal("0.5")}),
        free_tier=True,
    )
    found = diff(free, more)
    assert both(found.delta, [line.any.name for line in found.of("changed")]) == (0, ["churn-dev-predict"])
    assert diff(free, free).of("added", "removed", "changed") == []
    third = estimated(traffic(requests=Decimal(1) / 3))
    kept = from_json(to_json({"": third}))[""]
    assert diff(kept, third).of("added", "removed", "changed") == []


def test_two_currencies_are_not_compared() -> None:
    with pytest.raises(
        LastmileError, match="one estimate is in EUR, the other in USD: they cannot be compared"
    ):
        diff(replace(estimated(), currency="EUR"), estimated())
