from __future__ import annotations

import math
import re
from decimal import Decimal as D
from pathlib import Path

import pytest

from lastmile_sls.estimate.azure import COSTS
from lastmile_sls.estimate.document import Estimate, Traffic
from lastmile_sls.estimate.estimate import estimate
from lastmile_sls.prices.book import UnpricedError
from tests.examples.projects import EXAMPLES
from tests.lastmile_sls.estimate.azure.months import book, plan_of, resources_of

REPOSITORY = Path(__file__).parents[4]
MONTH_S, DAYS = 2_628_000, 730 / 24


def estimate_of(example: str, traffic: Traffic, region: str = "westeurope") -> Estimate:
    return estimate(plan_of(example, region), resources_of(example), traffic, book(), costs=COSTS)


def durations(example: str, ms: int) -> dict[str, D]:
    functions = plan_of(example)["functions"]
    return {version: D(ms) for function in functions for version in function["versions"]}


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_resource_of_every_example_has_a_line(example: str) -> None:
    found = estimate_of(example, Traffic(D(1_000_000), durations(example, 40), cold_share=D("0.001")))
    assert [line.name for line in found.lines] == [one.name for one in resources_of(example)]
    assert {line.status for line in found.lines} == {"priced", "free"}
    assert all(line.components or line.why for line in found.lines)
    assert found.monthly == found.baseline + found.usage > 0


def test_every_type_that_a_program_makes_is_in_one_table() -> None:
    program = (REPOSITORY / "tests" / "clouds" / "programs" / "azure.py").read_text()
    types = {
        f"azure-native:{module}:{name}" for module, name in re.findall(r"\baz\.(\w+)\.([A-Z]\w+)\(", program)
    }
    for path in (REPOSITORY / "infra" / "lastmile_infra" / "azure").glob("*.py"):
        text = path.read_text()
        (imported,) = re.findall(r"from pulumi_azure_native import (.*)", text) or [""]
        for module in imported.replace(" ", "").split(","):
            if module.islower():
                made = re.findall(rf"\b{module}\.([A-Z]\w+)\(", text)
                types |= {f"azure-native:{module}:{name}" for name in made}
    types = {one for one in types if not one.endswith("Args")}
    assert len(types) > 30
    assert types <= {*COSTS.priced, *COSTS.free}
    assert not set(COSTS.priced) & set(COSTS.free)
    assert all(why.endswith(".") for why in COSTS.free.values())


def test_a_month_in_which_nobody_calls() -> None:
    """Five alerts that look every 5 minutes, and the host that looks into the queue every 2 seconds."""
    found = estimate_of("watched", Traffic(D(0), durations("watched", 60)))
    alerts, looks = 5 * 1.50, MONTH_S / 2 / 10_000 * 0.004
    assert float(found.monthly) == pytest.approx(alerts + looks, rel=1e-12)
    assert found.usage == 0


def test_a_steady_month() -> None:
    """10 million requests of 60 ms with 512 MB and 4 places, whose arrivals say how many share an instance."""
    found = estimate_of("watched", Traffic(D(10_000_000), durations("watched", 60)))
    in_flight = 10_000_000 * 0.060 / MONTH_S
    shared = max(1, in_flight / max(1 - math.exp(-in_flight), in_flight / 4))
    time = 10_000_000 * 1.0 * 0.5 / shared * 0.000026
    executions = 10_000_000 / 10 * 0.000004
    to_callers = 10_000_000 / 1024 / 1024 * 0.087
    log = 10_000_000 * 1024 / 1e9 * 2.99
    assert float(found.usage) == pytest.approx(time + executions + to_callers + log, rel=1e-12)
    assert 1.1 < shared < 1.2


def test_a_bursty_month() -> None:
    """2 million requests of 1.5 s, a quarter of them answered later, three to an instance, one in fifty to a cold start."""
    traffic = Traffic(
        *(D(2_000_000), durations("watched", 1500)),
        response_kb=D(20),
        cold_share=D("0.02"),
        later_share=D("0.25"),
        peak_concurrency=D(200),
        effective_concurrency=D(3),
    )
    found = estimate_of("watched", traffic)
    at_once, later = 1_500_000, 500_000
    accepted_and_fetched, worked = 2 * later, later
    executions = at_once + accepted_and_fetched + worked
    seconds = at_once * 1.5 + accepted_and_fetched * 1.0 + worked * (1.5 + 0.3)
    flex = seconds * 0.5 / 3 * 0.000026 + executions / 10 * 0.000004
    to_callers = 2_000_000 * 20 / 1024 / 1024 * 0.087
    log = executions * 1024 / 1e9 * 2.99
    messages = later * 3 / 10_000 * 0.004
    blob_operations = later * 3 / 10_000 * 0.054 + later * 3 / 10_000 * 0.0043
    kept = later * (1 + 20) * 4 / 3 / 1024 / 1024 * (30 + 30 + 7) / DAYS * 0.0196
    code = executions * 0.02 / 10_000 * 0.0043
    flat = flex + to_callers + log + messages + blob_operations + kept + code
    assert float(found.usage) == pytest.approx(flat, rel=1e-12)
    assert float(found.baseline) == pytest.approx(8.0256, rel=1e-12)


def test_container_apps_in_the_same_shapes() -> None:
    """A replica of 1 vCPU and 2 GiB stays for 300 s after the last request; three requests an hour are three such times."""
    idle = estimate_of("image-sized", Traffic(D(0), durations("image-sized", 60)))
    assert float(idle.monthly) == pytest.approx(730 / 24 * 0.1666, rel=1e-12)
    for number, ms, shared in ((2190, 60, 1), (40_000_000, 500, 4)):
        traffic = Traffic(D(number), durations("image-sized", ms), effective_concurrency=D(shared))
        each_s = ms / 1000 / shared
        there_s = (1 - math.exp(-number / MONTH_S * (300 + each_s))) * MONTH_S
        replicas_s = max(there_s, number * each_s)
        flat = (
            replicas_s * (0.000034 + 2 * 0.000004)
            + number / 1_000_000 * 0.56
            + number / 1024 / 1024 * 0.087
            + number * 1024 / 1e9 * 2.99
        )
        assert float(estimate_of("image-sized", traffic).usage) == pytest.approx(flat, rel=1e-12)


def test_a_region_without_a_price_is_refused_by_name() -> None:
    with pytest.raises(UnpricedError) as caught:
        estimate_of("public", Traffic(D(1), durations("public", 60)), "brazilsouth")
    assert str(caught.value) == (
        "there is no price of azure.loganalytics.ingestion in brazilsouth.\n"
        "Read the cloud's own: lastmile prices refresh --target azure --region brazilsouth"
    )
