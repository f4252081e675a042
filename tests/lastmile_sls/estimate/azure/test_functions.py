from __future__ import annotations

from decimal import Decimal as D

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.azure import functions
from lastmile_sls.estimate.document import SECONDS, Traffic, Work
from lastmile_sls.policy.resource import UNKNOWN, Resource
from tests.lastmile_sls.estimate.azure.months import load, month, plan_of, priced, quantities, resource_of

PLAN = plan_of("public")


def app(mb: object = 2048, ready: object = ()) -> Resource:
    scale = {"alwaysReady": ready, "instanceMemoryMB": mb}
    return resource_of("public", "WebApp", functionAppConfig={"scaleAndConcurrency": scale})


def test_microsoft_s_own_example() -> None:
    """An app consumed 3 540 992 000 MB-milliseconds in 2 102 executions: 3 458.00 GB-seconds and 0.0021 million executions
    (learn.microsoft.com/azure/azure-functions/functions-consumption-costs, 2025-10-28). In instances of 2 048 MB that is
    1 729 s, which the executions share."""
    active_s = D(3_540_992_000) / 2048 / 1000
    work = Work("v1", "request", D(2102), D(1000))
    found = priced(functions.app, app(), month("public", load(PLAN, work, concurrency=2102 / active_s)))
    assert round(found["Time, on demand"].quantity, 2) == D("3458.00")
    assert round(found["Time, on demand"].cost, 6) == D("0.089908")
    assert found["Executions, on demand"].quantity / 1_000_000 == D("0.002102")


@pytest.mark.parametrize(
    ("duration_ms", "billed_ms"),
    [("0", 1000), ("200", 1000), ("1000", 1000), ("1000.01", 1100), ("1234", 1300), ("30000", 30_000)],
)
def test_a_second_at_least_and_then_tenths(duration_ms: str, billed_ms: int) -> None:
    assert functions.billed_ms(D(duration_ms)) == billed_ms


def test_on_demand_by_version_with_what_is_sent_to_callers() -> None:
    """A million requests of 200 ms on 512 MB: 13.00 for the time and 0.40 for executions."""
    work = (Work("v1", "request", D(750_000), D(200)), Work("v2", "request", D(250_000), D(200)))
    in_ = month("public", load(PLAN, *work), Traffic(D(1_000_000), {}, response_kb=D(1024)))
    found = priced(functions.app, app(512), in_)
    assert {name: round(one.cost, 4) for name, one in found.items()} == {
        "Time, on demand": D("13.0000"),
        "Executions, on demand": D("0.4000"),
        "Data to callers": D("84.9609"),
    }
    assert all(one.usage_based for one in found.values())
    assert found["Time, on demand"].by_version == {"v1": D("9.75"), "v2": D("3.25")}
    assert found["Data to callers"].quantity == D(1_000_000) / 1024


def test_always_ready_instances_take_what_they_have_places_for() -> None:
    """Two instances with 4 places each, and 16 requests at the busiest moment: half; the queue's work is on demand."""
    work = (Work("v1", "request", D(1000), D(2000)), Work("v1", "job", D(10), D(2000)))
    ready = [{"name": "http", "instanceCount": 2}]
    in_ = month("public", load(PLAN, *work), Traffic(D(1000), {}, peak_concurrency=D(16)))
    assert PLAN["functions"][0]["concurrency"] == 4
    found = priced(functions.app, app(2048, ready), in_)
    assert quantities(found) == {
        "Always ready": 2 * 2 * SECONDS,
        "Time, always ready": 2000,
        "Executions, always ready": 500,
        "Time, on demand": 2040,
        "Executions, on demand": 510,
        "Data to callers": D(1000 - 10) / 2**20,
    }
    assert found["Always ready"].cost == D("42.048")
    assert [name for name, one in found.items() if not one.usage_based] == ["Always ready"]


def test_a_shadow_is_worked_on_after_the_answer_and_is_no_execution() -> None:
    work = (Work("v1", "request", D(10), D(2000)), Work("v2", "shadow", D(10), D(2000)))
    found = priced(functions.app, app(), month("public", load(PLAN, *work)))
    assert quantities(found)["Executions, on demand"] == 10
    assert found["Time, on demand"].by_version == {"v1": 40 * D("0.000026")}


def test_what_is_sent_to_front_door_is_free() -> None:
    plan = plan_of("web-app")
    work = Work("v1", "request", D(10), D(20))
    assert functions.egress(month("web-app", load(plan, work)), load(plan, work)) == []


def test_an_app_that_does_not_say_its_size_is_refused() -> None:
    in_ = month("public", load(PLAN))
    with pytest.raises(LastmileError) as caught:
        functions.app(app(UNKNOWN), in_)
    assert str(caught.value) == (
        "functionAppConfig.scaleAndConcurrency.instanceMemoryMB of WebApp daylight-dev-predict is UNKNOWN, which is no "
        "number.\nSay it as a number."
    )
    with pytest.raises(LastmileError, match="WebApp daylight-dev-predict does not say how many instances"):
        functions.app(app(ready=UNKNOWN), in_)
