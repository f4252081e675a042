"""The month's traffic, split over versions, functions and reasons."""

from __future__ import annotations

from decimal import Decimal
from math import isclose
from typing import Any

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.document import WHOLE, FunctionLoad, Traffic, Work
from lastmile_sls.estimate.load import (
    STORE_MS,
    effective_concurrency,
    loads,
    shadows_of,
    shadows_through,
    shares_of,
)
from lastmile_sls.plan.document import Plan
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions
from tests.lastmile_sls.estimate.priced import both, traffic

SHADOW = {
    **two_versions(),
    "traffic": {"champion": "v1", "shadows": [{"version": "v2", "percent": 25}]},
}


def work(load: FunctionLoad) -> list[tuple[Any, ...]]:
    return [(one.version, one.kind, one.count, one.duration_ms) for one in load.work]


def one_version(**changes: object) -> Plan:
    return plan_of(spec_of(**changes), "aws")


def test_versions_of_one_function_share_the_requests_by_weight() -> None:
    plan = plan_of(spec_of(**two_versions()), "aws")
    assert shares_of(plan) == {"v1": Decimal("0.9"), "v2": Decimal("0.1")}
    (load,) = loads(plan, traffic(cold_share=Decimal("0.01"), init_ms={"predict": Decimal(300)})).values()
    assert work(load) == [("v1", "request", 900_000, 10), ("v2", "request", 100_000, 20)]
    assert both(load.cold_starts, load.init_ms, load.effective_concurrency) == (10_000, 300, 1)


def test_the_live_document_goes_before_the_plan() -> None:
    plan = plan_of(spec_of(**two_versions()), "aws")
    live = {"weights": {"v1": 2500, "v2": 7500}, "shadows": [{"version": "v1", "percent": 5000}]}
    assert shares_of(plan, live) == {"v1": Decimal("0.25"), "v2": Decimal("0.75")}
    assert shadows_of(plan, live) == {"v1": Decimal("0.5")}
    (load,) = loads(plan, traffic(), shares_of(plan, live)).values()
    assert [one.count for one in load.work] == [250_000, 750_000]


def test_the_router_waits_for_a_function_of_another_version() -> None:
    plan = plan_of(spec_of(**two_versions(apart=True)), "aws")
    found = loads(plan, traffic())
    assert work(found["predict"]) == [("v1", "request", 900_000, 10), ("v2", "request", 100_000, 20)]
    assert work(found["predict-v2"]) == [("v2", "call", 100_000, 20)]


def test_shadows_go_through_the_queue_where_processes_freeze() -> None:
    plan = plan_of(spec_of(**SHADOW, queue={}), "aws")
    assert shadows_through(plan) == "queue"
    (load,) = loads(plan, traffic(cold_share=Decimal("0.5"))).values()
    assert work(load) == [("v1", "request", 1_000_000, 10), ("v2", "shadow", 250_000, 20)]
    assert load.cold_starts == 625_000
    nothing = plan_of(spec_of(**SHADOW), "aws")
    assert shadows_through(nothing) == "nothing"
    assert work(loads(nothing, traffic())["predict"]) == [("v1", "request", 1_000_000, 10)]


def test_on_azure_a_shadow_works_in_the_process_that_answered() -> None:
    resources = {"memory_mb": 2048}
    plan = plan_of(spec_of(**SHADOW, queue={}, resources=resources), "azure")
    assert shadows_through(plan) == "process"
    (load,) = loads(plan, traffic(cold_share=Decimal("0.5"))).values()
    assert work(load)[1] == ("v2", "shadow", 250_000, 20)
    assert load.cold_starts == 500_000


def test_a_version_is_no_shadow_of_what_it_answers_itself() -> None:
    plan = plan_of(spec_of(**two_versions(), queue={}), "aws")
    (load,) = loads(plan, traffic(), shadows={"v2": Decimal(1)}).values()
    assert work(load)[2] == ("v2", "shadow", 900_000, 20)


def test_what_is_answered_later_is_accepted_worked_on_and_fetched() -> None:
    (load,) = loads(one_version(queue={}), traffic(later_share=Decimal("0.2"))).values()
    assert work(load) == [
        ("v1", "request", 800_000, 10),
        ("v1", "request", 200_000, STORE_MS),
        ("v1", "request", 200_000, STORE_MS),
        ("v1", "job", 200_000, 10 + 3 * STORE_MS),
    ]
    refused = "later_share is 0.2, but churn-dev has no queue for answers that come later."
    with pytest.raises(LastmileError, match=refused):
        loads(one_version(), traffic(later_share=Decimal("0.2")))


def test_a_schedule_looks_and_scores_files_in_pieces() -> None:
    schedule = {"cron": "0 2 * * *", "input": "in", "output": "out"}
    plan = one_version(schedule=schedule)
    month = traffic(requests=Decimal(0), rows=Decimal(8_000_000), row_ms={"v1": Decimal("0.1")})
    looks, begins, pieces = loads(plan, month)["predict"].work
    nights = Decimal(730) / 24
    assert isclose(looks.count, nights)
    assert (looks.kind, looks.duration_ms, begins.duration_ms) == ("batch", STORE_MS, 3 * STORE_MS)
    assert isclose(pieces.count, Decimal(8_000_000) / 2048)
    assert isclose(pieces.duration_ms, 2048 * Decimal("0.1") + 5 * STORE_MS)
    slow = loads(plan, traffic(requests=Decimal(0), rows=Decimal(375_000)))["predict"].work[2]
    assert isclose(slow.count, 1000)  # of 30 s an eighth is a piece's: 375 rows of 10 ms
    with pytest.raises(LastmileError, match=r"rows is 5, but churn-dev has no schedule that scores files\."):
        loads(one_version(), traffic(rows=Decimal(5)))


def test_a_version_with_traffic_needs_a_duration() -> None:
    plan = plan_of(spec_of(**two_versions()), "aws")
    month = Traffic(Decimal(5), {"v1": Decimal(1)})
    with pytest.raises(LastmileError) as caught:
        loads(plan, month)
    assert caught.value.message == "nothing says how long v2 takes, but it has traffic."
    assert caught.value.hint == "Add --duration v2=MILLISECONDS."
    assert loads(plan, month, {"v1": Decimal(1), "v2": Decimal(0)})["predict"].work == (
        Work("v1", "request", Decimal(5), Decimal(1)),
    )


def test_how_many_share_an_instance_follows_from_the_arrivals() -> None:
    assert effective_concurrency(Decimal(0), Decimal(80)) == 1
    assert effective_concurrency(Decimal("1e-30"), Decimal(80)) == 1
    assert isclose(effective_concurrency(Decimal(1), Decimal(80)), 1 / (1 - 2.718281828459045**-1))
    assert effective_concurrency(Decimal(1000), Decimal(80)) == 80
    assert effective_concurrency(Decimal(1000), Decimal(1)) == 1
    found = [effective_concurrency(Decimal(n) / 10, Decimal(8)) for n in range(1, 200)]
    assert found == sorted(found)


def test_a_lambda_instance_works_on_one_at_a_time_and_others_share() -> None:
    busy = traffic(requests=Decimal(262_800_000), duration_ms={"v1": Decimal(100)})
    (run,) = loads(plan_of(spec_of(resources={"concurrency": 8}), "gcp"), busy).values()
    assert isclose(run.effective_concurrency, 8)  # 10 in flight, of which an instance takes 8
    (function,) = loads(plan_of(spec_of(resources={"concurrency": 8}), "aws"), busy).values()
    assert function.effective_concurrency == 1
    measured = traffic(requests=Decimal(262_800_000), duration_ms={"v1": Decimal(100)}, at_once=Decimal(2))
    (run,) = loads(plan_of(spec_of(resources={"concurrency": 8}), "gcp"), measured).values()
    assert isclose(run.effective_concurrency, 2)  # each keeps one of two processors busy
    said = traffic(duration_ms={"v1": Decimal(1)}, effective_concurrency=Decimal(40), at_once=WHOLE)
    (run,) = loads(plan_of(spec_of(resources={"concurrency": 8}), "gcp"), said).values()
    assert run.effective_concurrency == 8
