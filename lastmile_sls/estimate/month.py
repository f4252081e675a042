"""What a cloud's formulas are given: the plan, each function's load, the prices of one region."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from lastmile_sls.estimate.document import Component, FunctionLoad, Traffic
from lastmile_sls.plan.document import Plan
from lastmile_sls.policy.resource import Resource
from lastmile_sls.prices.book import PriceBook


@dataclass(frozen=True)
class Month:
    """A deployment's month, before it is priced."""

    plan: Plan
    traffic: Traffic
    loads: Mapping[str, FunctionLoad]
    """By function's name in the deployment."""
    resources: Sequence[Resource]
    """All that would be made."""
    book: PriceBook
    region: str
    free_tier: bool = False

    def load_of(self, resource: str) -> FunctionLoad:
        """Return the load of the function with this name in the cloud. Raises KeyError for no function of the plan."""
        named = {function["resource"]: function["name"] for function in self.plan["functions"]}
        return self.loads[named[resource]]

    def component(
        self,
        name: str,
        meter: str,
        quantity: Decimal,
        *,
        usage_based: bool,
        by_version: Mapping[str, Decimal] | None = None,
        region: str | None = None,
    ) -> Component:
        """Return a priced component.

        Args:
            name: For people, such as `Duration`.
            meter: Of the price book.
            quantity: Units in the month.
            usage_based: Whether it follows the traffic.
            by_version: Units that one version alone causes; the cost is split in the same parts.
            region: Another one than the deployment's.

        Raises UnpricedError where the book has no price.
        """
        price = self.book.price(meter, region or self.region)
        cost = price.cost(quantity, free_tier=self.free_tier)
        parts = by_version or {}
        split = {version: cost * part / quantity for version, part in parts.items() if quantity}
        return Component(name, quantity, price, cost, usage_based, split)


Formula = Callable[[Resource, Month], list[Component]]


def _place(plan: Plan) -> str:
    assert plan["place"] is not None
    return plan["place"]["region"]


@dataclass(frozen=True)
class CloudCosts:
    """How one cloud's resources are priced: every type that our programs can make is in one of the two."""

    priced: Mapping[str, Formula]
    """By type, as Pulumi has it; of azure-native without the version of the API."""
    free: Mapping[str, str]
    """Why a type costs nothing by itself, with the page that says so, or on which resource its use is billed."""
    region: Callable[[Plan], str] = field(default=_place)
    """Where prices are looked up."""
