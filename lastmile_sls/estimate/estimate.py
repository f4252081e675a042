"""Prices a deployment's month: a line for each resource, each meter's tiers and free units shared by its users. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.document import NOTHING, Component, Estimate, Line, Traffic
from lastmile_sls.estimate.load import Shares, loads, shares_of
from lastmile_sls.estimate.month import CloudCosts, Month
from lastmile_sls.plan.document import Plan, Target
from lastmile_sls.policy.resource import Resource, tag_of
from lastmile_sls.prices.book import Price, PriceBook

_FREE = {
    "pulumi:pulumi:": "Pulumi's own record of the stack: nothing in the cloud.",
    "pulumi:providers:": "How Pulumi reaches the cloud: nothing in the cloud.",
    "lastmile:": "What lastmile's provider does or writes once; where it writes is billed with the store, the vault, the "
    "registry or the function.",
}
"""By how a type begins."""
_TAGS = ("tags", "labels", "userLabels", "resourceLabels")


def costs_of(target: Target) -> CloudCosts:
    """Return how a cloud's resources are priced. Raises LastmileError for this machine, where nothing is metered."""
    match target:
        case "aws":
            from lastmile_sls.estimate.aws.resources import COSTS
        case "gcp":
            from lastmile_sls.estimate.gcp.resources import COSTS
        case "azure":
            from lastmile_sls.estimate.azure.resources import COSTS
        case "local":
            raise LastmileError(
                "target is local, and this machine has no meter: nothing is billed for what runs on it.",
                "Name a cloud: --target aws, gcp or azure",
            )
    return COSTS


def estimate(
    plan: Plan,
    resources: Sequence[Resource],
    traffic: Traffic,
    book: PriceBook,
    *,
    shares: Shares | None = None,
    shadows: Shares | None = None,
    free_tier: bool = False,
    costs: CloudCosts | None = None,
) -> Estimate:
    """Return what a deployment's month costs, with a line for each resource.

    Args:
        plan: What is deployed.
        resources: All that would be made, in the program's order.
        traffic: The month.
        book: The prices.
        shares: Each version's share of the requests, 0 to 1; by default the plan's.
        shadows: The share of the requests that each shadow sees; by default the plan's.
        free_tier: Take off what an account has free each month: right for its only deployment.
        costs: How its resources are priced; by default as the plan's target prices them.

    Raises UnpricedError, naming meter and region, where the book has no price; LastmileError for what `loads` refuses,
    prices in several currencies, and this machine.
    """
    costs = costs or costs_of(plan["target"])
    shares = shares_of(plan) if shares is None else shares
    region = costs.region(plan)
    month = Month(plan, traffic, loads(plan, traffic, shares, shadows), resources, book, region)
    lines = _pooled([_line(resource, month, costs) for resource in resources], free_tier=free_tier)
    return Estimate(
        deployment=plan["deployment"],
        target=plan["target"],
        region=region,
        currency=_currency(lines),
        traffic=traffic,
        versions=dict(shares),
        lines=tuple(lines),
        free_tier=free_tier,
    )


def _line(resource: Resource, month: Month, costs: CloudCosts) -> Line:
    """Return a resource's line; a type that neither table has is named as unpriced."""
    type_, tags = resource.type, _tags(resource)
    if formula := costs.priced.get(type_):
        components = tuple(formula(resource, month))
        why = "" if components else "Nothing of it is used in this month."
        return Line(type_, resource.name, "priced" if components else "free", components, why, tags)
    why = costs.free.get(type_) or next(
        (told for begin, told in _FREE.items() if type_.rpartition("$")[2].startswith(begin)), ""
    )
    if why:
        return Line(type_, resource.name, "free", why=why, tags=tags)
    return Line(type_, resource.name, "unpriced", why=f"No formula is known for {type_}.", tags=tags)


def _tags(resource: Resource) -> dict[str, str]:
    """Return what tags or labels are known before it is made."""
    names = next((found for field in _TAGS if isinstance(found := resource.inputs.get(field), Mapping)), {})
    known = {name: tag_of(resource, name) for name in names}
    return {name: value for name, value in sorted(known.items()) if isinstance(value, str)}


@dataclass
class _Pool:
    """A meter's month over all resources."""

    price: Price
    quantity: Decimal = NOTHING
    alone: Decimal = NOTHING
    """What it would cost if each resource had the tiers to itself, and nothing were free."""


def _pooled(lines: Sequence[Line], *, free_tier: bool) -> list[Line]:
    """Return the lines with each meter priced once for the deployment: tiers and free units are an account's, not a
    resource's. What is saved so is shared by quantity.
    """
    pools: dict[tuple[str, str], _Pool] = {}
    for component in (component for line in lines for component in line.components):
        if _is_metered(component):
            pool = pools.setdefault(_key(component), _Pool(component.price))
            pool.quantity += component.quantity
            pool.alone += component.cost
    each = {
        key: cost / pool.quantity
        for key, pool in pools.items()
        if (cost := pool.price.cost(pool.quantity, free_tier=free_tier)) != pool.alone
    }
    return [
        replace(line, components=tuple(_repriced(one, each.get(_key(one))) for one in line.components))
        for line in lines
    ]


def _key(component: Component) -> tuple[str, str]:
    return component.price.meter, component.price.region


def _is_metered(component: Component) -> bool:
    """Tell whether the cost is nothing but the quantity's at the meter's price."""
    return component.cost == component.price.cost(component.quantity)


def _repriced(component: Component, each: Decimal | None) -> Component:
    """Return a component with another price of a unit."""
    if each is None or not component.cost or not _is_metered(component):
        return component
    cost = component.quantity * each
    split = {version: cost * part / component.cost for version, part in component.by_version.items()}
    return replace(component, cost=cost, by_version=split)


def _currency(lines: Sequence[Line]) -> str:
    found = sorted({component.price.currency for line in lines for component in line.components})
    if len(found) > 1:
        raise LastmileError(
            f"the prices are in {' and '.join(found)}, which cannot be added.",
            "Refresh the cloud's list, so that it has one: lastmile prices refresh",
        )
    return found[0] if found else "USD"
