"""Google's price of a load balancer and its rate limit. Pure."""

from __future__ import annotations

from decimal import Decimal

from lastmile_sls.estimate.document import HOURS, WHOLE, Component
from lastmile_sls.estimate.month import Month
from lastmile_sls.estimate.volume import requests, sent_gib, taken_gib, used
from lastmile_sls.policy.resource import Resource, items


def forwarding_rule(resource: Resource, month: Month) -> list[Component]:
    """Return what a load balancer costs: its rule for each hour, what it processes, and what it sends to the internet.

    Up to five global rules of a project cost as much as one; each is taken to be the only one
    (cloud.google.com/load-balancing/pricing, 2026-11-30 in a public copy).
    """
    sent = sent_gib(month)
    return [
        month.component("Forwarding rule", "gcp.balancer.rules", HOURS, usage_based=False),
        used(month, "Data from callers", "gcp.balancer.inbound", taken_gib(month)),
        used(month, "Data to callers", "gcp.balancer.outbound", sent),
        used(month, "Data to the internet", "gcp.network.egress", sent),
    ]


def security_policy(resource: Resource, month: Month) -> list[Component]:
    """Return what a policy of Cloud Armor costs, with each of its rules; the one that it ends with counts as well."""
    rules = Decimal(len(items(resource.inputs, "rules")))
    return [
        month.component("Policy", "gcp.armor.policies", WHOLE, usage_based=False),
        month.component("Rules", "gcp.armor.rules", rules, usage_based=False),
        used(month, "Requests", "gcp.armor.requests", requests(month)),
    ]
