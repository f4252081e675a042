from __future__ import annotations

from decimal import Decimal as D

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.azure import operations
from lastmile_sls.estimate.document import Traffic, Work
from lastmile_sls.policy.resource import UNKNOWN
from tests.lastmile_sls.estimate.azure.months import load, month, plan_of, priced, resource_of

PLAN = plan_of("public")
GB = D(10**9)


def test_a_log_is_paid_for_what_it_takes_in_and_for_what_it_keeps_long() -> None:
    """2 million times 2 KiB; 5 GB are free, and 90 days in the tables of Application Insights."""
    one = load(PLAN, Work("v1", "request", D(2_000_000), D(50)))
    in_ = month("public", one, Traffic(D(0), {}, log_kb=D(2)))
    gb = 2_000_000 * 2048 / GB
    found = priced(operations.workspace, resource_of("public", "Workspace"), in_)
    assert {name: one.quantity for name, one in found.items()} == {"Log": gb}
    assert found["Log"].cost == gb * D("2.99")
    assert found["Log"].price.cost(D("5.5"), free_tier=True) == D("0.5") * D("2.99")
    long = priced(operations.workspace, resource_of("public", "Workspace", retentionInDays=180), in_)
    assert long["Log, after 90 days"].quantity == gb * (90 / (D(730) / 24))
    assert long["Log, after 90 days"].price.first == D("0.13")


def test_a_container_s_log_is_kept_31_days_for_nothing() -> None:
    plan = plan_of("image-sized")
    one = load(plan, Work("v1", "request", D(1000), D(50)))
    workspace = resource_of("image-sized", "Workspace", retentionInDays=60)
    found = priced(operations.workspace, workspace, month("image-sized", one))
    assert set(found) == {"Log", "Log, after 31 days"}


@pytest.mark.parametrize(
    ("every", "cost"), [("PT1M", 3), ("PT5M", "1.5"), ("PT10M", 1), ("PT15M", "0.5"), ("P1D", "0.5")]
)
def test_an_alert_costs_by_how_often_it_asks_the_log(every: str, cost: int | str) -> None:
    rule = resource_of("watched", "ScheduledQueryRule", evaluationFrequency=every)
    (found,) = operations.log_alert(rule, month("watched", load(plan_of("watched"))))
    assert (found.cost, found.usage_based) == (D(cost), False)


def test_an_alert_that_does_not_say_it_is_refused() -> None:
    rule = resource_of("watched", "ScheduledQueryRule", evaluationFrequency=UNKNOWN)
    with pytest.raises(LastmileError) as caught:
        operations.log_alert(rule, month("watched", load(plan_of("watched"))))
    assert str(caught.value) == (
        "evaluationFrequency of ScheduledQueryRule heat-demand-prod-dead-letters is UNKNOWN, and only PT1M, PT5M, PT10M, "
        "PT15M, PT30M, PT1H, P1D are priced.\nUse one of them."
    )


def test_a_metric_s_alert_is_one_of_ten_that_are_free() -> None:
    (found,) = operations.metric_alert(
        resource_of("watched", "ActionGroup"), month("watched", load(plan_of("watched")))
    )
    assert found.cost == D("0.1")
    assert found.price.cost(D(11), free_tier=True) == D("0.1")
