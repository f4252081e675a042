from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from typing import Any, cast

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.azure import containers
from lastmile_sls.estimate.document import SECONDS, Work
from lastmile_sls.plan.document import Plan
from lastmile_sls.policy.resource import Resource
from lastmile_sls.prices.book import UnpricedError
from tests.lastmile_sls.estimate.azure.months import load, month, plan_of, priced, quantities, resource_of

PLAN = plan_of("image-sized")


def app(cpu: Any = 1, memory: Any = "2Gi", kept: int = 0) -> Resource:
    template = {
        "containers": [{"resources": {"cpu": cpu, "memory": memory}}],
        "scale": {"minReplicas": kept, "maxReplicas": 10},
    }
    return resource_of("image-sized", "ContainerApp", template=template)


def test_free_grants_are_microsoft_s() -> None:
    """180 000 vCPU-seconds, 360 000 GiB-seconds and 2 million requests are free each month
    (learn.microsoft.com/azure/container-apps/billing, 2025-12-09); one replica that works all that time costs nothing."""
    work = Work("v1", "request", D(2_000_000), D(90))
    found = priced(containers.app, app(kept=1), month("image-sized", load(PLAN, work), region="eastus"))
    active = [found[name] for name in ("vCPU, active", "Memory, active", "Requests")]
    assert [one.quantity for one in active] == [180_000, 360_000, 2_000_000]
    assert [one.price.cost(one.quantity, free_tier=True) for one in active] == [0, 0, 0]
    assert [one.price.cost(one.quantity + 1, free_tier=True) for one in active] == [
        D("0.000024"),
        D("0.000003"),
        D("0.0000004"),
    ]


def test_without_replicas_nothing_is_billed() -> None:
    """ "When a revision is scaled to zero replicas, no resource consumption charges are incurred" (the same page)."""
    found = priced(containers.app, app(), month("image-sized", load(PLAN)))
    assert {one.cost for one in found.values()} == {0}


def test_replicas_that_are_kept_are_idle_unless_they_work() -> None:
    """ "When a replica isn't idle, the active rates apply" (the same page); half of the month two replicas of two work."""
    work = Work("v1", "request", SECONDS, D(1000))
    found = priced(
        containers.app, app(2, "4Gi", kept=2), month("image-sized", load(PLAN, work), region="eastus")
    )
    assert quantities(found) == {
        "vCPU, idle": 2 * 2 * SECONDS,
        "vCPU, idle, not while active": -2 * SECONDS,
        "Memory, idle": 2 * 4 * SECONDS,
        "Memory, idle, not while active": -4 * SECONDS,
        "vCPU, active": 2 * SECONDS,
        "Memory, active": 4 * SECONDS,
        "Requests": SECONDS,
        "Data to callers": SECONDS / 2**20,
    }
    baseline = sum(one.cost for one in found.values() if not one.usage_based)
    assert baseline == (4 + 8) * SECONDS * D("0.000003")
    assert found["vCPU, idle, not while active"].cost == -2 * SECONDS * D("0.000003")
    assert found["vCPU, idle, not while active"].by_version == {"v1": -2 * SECONDS * D("0.000003")}
    assert found["vCPU, active"].cost == 2 * SECONDS * D("0.000024")


def test_the_last_replica_stays_for_300_s_at_the_active_price() -> None:
    """Idle charges are for what is kept alone (the same page), so that a request now and then is paid for 300 s."""
    seldom = load(PLAN, Work("v1", "request", D(100), D(100)), cold_starts=100, init_ms=5000)
    alone_s = containers.alive_s(seldom)
    assert 100 * (D("300.1") + 5) * D("0.99") < alone_s < 100 * (D("300.1") + 5)
    often = load(PLAN, Work("v1", "request", D(1_000_000), D(100)))
    assert round(containers.alive_s(often)) == SECONDS
    much = load(PLAN, Work("v1", "request", D(100_000_000), D(100)), concurrency=D(2))
    assert containers.alive_s(much) == 5_000_000
    found = priced(containers.app, app(), month("image-sized", seldom))
    assert found["vCPU, active"].quantity == alone_s
    assert round(found["vCPU, active"].by_version["v1"], 20) == 10 * D("0.000034")


def test_requests_of_another_function_come_from_inside() -> None:
    """ "Only requests that come from outside a Container Apps environment are billable" (the same page)."""
    inner = cast("Plan", {**PLAN, "endpoint": {**PLAN["endpoint"], "function": "router"}})
    in_ = replace(month("image-sized", load(PLAN, Work("v1", "call", D(100), D(100)))), plan=inner)
    assert set(quantities(priced(containers.app, app(), in_))) == {"vCPU, active", "Memory, active"}


def test_what_cannot_be_told_is_refused() -> None:
    in_ = month("image-sized", load(PLAN))
    with pytest.raises(LastmileError) as caught:
        containers.app(app(memory="2048Mi"), in_)
    assert str(caught.value) == (
        "the memory of ContainerApp word-vectors-dev-predict-app is '2048Mi', which is no number of Gi.\nWrite 2Gi."
    )
    with pytest.raises(LastmileError, match="a container's size is None, which is no number"):
        containers.app(app(cpu=None), in_)
    with pytest.raises(UnpricedError, match=r"no price of azure\.containerapps\.vcpu\.idle in westeurope"):
        containers.app(app(kept=1), in_)
