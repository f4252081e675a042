"""Three clouds with made-up prices, a spec that fits them all, and what was measured here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from lastmile_sls.certification.first_answer import FirstAnswer
from lastmile_sls.compare.compare import Question
from lastmile_sls.compare.document import Here, Offer
from lastmile_sls.compare.sizes import CLOUDS, sizes
from lastmile_sls.estimate.document import Component, Estimate, Line, Traffic
from lastmile_sls.estimate.duration import Measured, VersionTimes
from lastmile_sls.estimate.load import loads, shares_of
from lastmile_sls.estimate.traffic_file import EVERY, Shape
from lastmile_sls.plan.document import Plan, Target
from lastmile_sls.policy.resource import Resource
from lastmile_sls.prices.book import Price, Tier, UnpricedError
from lastmile_sls.spec.model import Spec
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions

TODAY = date(2026, 11, 30)
FUNCTIONS: Mapping[Target, tuple[str, str]] = {
    "aws": ("aws:lambda/function:Function", "memorySize"),
    "gcp": ("gcp:cloudrunv2/service:Service", ""),
    "azure": ("azure-native:web:WebApp", ""),
}
AT_REST: Mapping[Target, str] = {"aws": "4", "gcp": "1", "azure": "0"}
"""USD a month."""
EACH: Mapping[Target, str] = {"aws": "0.000001", "gcp": "0.000003", "azure": "0.00001"}
"""USD a request."""
GB_SECOND: Mapping[Target, str] = {"aws": "0.00001", "gcp": "0.00002", "azure": "0.00003"}


def spec(**changes: Any) -> Spec:
    """Return a spec that every cloud carries."""
    images = {"gcp": {"base_image": "python:3.13"}}
    return spec_of(
        **{**two_versions(), "resources": {"memory_mb": 512, "concurrency": 1}, "targets": images, **changes}
    )


def offer(target: Target, spec: Spec, memories: Sequence[int] = ()) -> Offer:
    """Return what a target offers, with its function alone."""
    plan = plan_of(spec, target)
    type_, _ = FUNCTIONS[target]
    inputs: dict[Target, dict[str, Any]] = {
        "aws": {"memorySize": 512},
        "gcp": {"template": {"containers": [{"resources": {"limits": {}}}], "executionEnvironment": ""}},
        "azure": {"functionAppConfig": {"scaleAndConcurrency": {"instanceMemoryMB": 512}}},
    }
    resource = Resource(type_, "churn-dev-predict", "urn", inputs[target])
    return Offer(target, tuple(sizes(target, spec, memories)), plan, (resource,))


def offers(spec: Spec, memories: Sequence[int] = ()) -> list[Offer]:
    """Return what all three offer."""
    return [offer(target, spec, memories) for target in CLOUDS]


def memory_of(target: Target, inputs: Mapping[str, Any]) -> int:
    """Return the memory that a function's inputs say."""
    match target:
        case "aws":
            return int(inputs["memorySize"])
        case "gcp":
            limits = inputs["template"]["containers"][0]["resources"]["limits"]
            return int(limits["memory"].removesuffix("Mi"))
        case _:
            return int(inputs["functionAppConfig"]["scaleAndConcurrency"]["instanceMemoryMB"])


def price(plan: Plan, resources: Sequence[Resource], traffic: Traffic, currency: str = "USD") -> Estimate:
    """Return a month: so much at rest, for each request, and for the memory of each second."""
    target = plan["target"]
    (load,) = loads(plan, traffic).values()
    seconds = sum((work.count * work.duration_ms for work in load.work), Decimal(0)) / 1000
    memory_gb = Decimal(memory_of(target, resources[0].inputs)) / 1024
    meters = [
        ("Rest", "month", Decimal(1), AT_REST[target], False),
        ("Requests", "request", traffic.requests, EACH[target], True),
        ("Memory", "GB-second", seconds * memory_gb / load.effective_concurrency, GB_SECOND[target], True),
    ]
    components = tuple(
        Component(
            name, quantity, _price(target, name, unit, each, currency), quantity * Decimal(each), usage_based
        )
        for name, unit, quantity, each, usage_based in meters
    )
    line = Line(resources[0].type, resources[0].name, "priced", components)
    return Estimate(
        plan["deployment"], target, "somewhere", currency, traffic, shares_of(plan), (line,), free_tier=False
    )


def unpriced_on(*targets: Target) -> Any:
    """Return the same prices without those of some targets."""

    def without(plan: Plan, resources: Sequence[Resource], traffic: Traffic) -> Estimate:
        if plan["target"] in targets:
            raise UnpricedError(f"{plan['target']}.requests", "somewhere", plan["target"])
        return price(plan, resources, traffic)

    return without


def _price(target: Target, name: str, unit: str, each: str, currency: str) -> Price:
    tiers = (Tier(Decimal(0), Decimal(each)),)
    meter = f"{target}.{name.lower()}"
    return Price(
        meter, f"{target}'s {name}", "somewhere", unit, currency, tiers, Decimal(0), "https://x", TODAY, True
    )


def shape(requests: int = 1_000_000, **said: Any) -> Shape:
    """Return a month in which a request takes 100 ms on every size, unless it is measured."""
    return replace(Shape(requests=Decimal(requests), duration={EVERY: Decimal(100)}), **said)


HERE = Here("a machine", {"v1": FirstAnswer(0.07, 200 << 20), "v2": "its model does not say what it takes"})
TIMES = VersionTimes(first=Decimal(70), warm=Decimal(100), row=None, count=2000)
MEASURED = Measured({"v1": TIMES, "v2": TIMES}, "x86_64, Python 3.13", "local")


def question(spec: Spec, shape: Shape, pricing: Any = price, here: Here = HERE) -> Question:
    """Return what is asked; what was measured counts where the shape says no duration."""
    return Question(spec, shape, pricing, here, TODAY, MEASURED)
