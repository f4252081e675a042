"""The load balancer's and Cloud Armor's price, as their pages count it."""

from __future__ import annotations

from decimal import Decimal

from lastmile_sls.estimate.document import Work
from lastmile_sls.estimate.gcp.gateway import forwarding_rule, security_policy
from lastmile_sls.estimate.month import Month
from tests.lastmile_sls.estimate.gcp.months import costs, find, month_of, traffic


def month(count: int, **more: Decimal) -> Month:
    """Return web-app's month with so many requests."""
    work = [Work("v1", "request", Decimal(count), Decimal(100))]
    return month_of("web-app", {"predict": work}, traffic(count, {}, **more))


def test_a_forwarding_rule() -> None:
    """cloud.google.com/load-balancing/pricing, 2026-10-07: up to five rules $0.025 an hour; $0.008 a GiB each way.

    What leaves for the internet is 1 TiB at $0.12, then $0.11 (cloud.google.com/network-tiers/pricing, 2026-08-05).
    """
    busy = month(2**20, request_kb=Decimal(100), response_kb=Decimal(2048))
    rule = find(list(busy.resources), "GlobalForwardingRule")
    assert costs(forwarding_rule(rule, busy)) == {
        "Forwarding rule": "18.250000",
        "Data from callers": f"{100 * 0.008:.6f}",
        "Data to callers": f"{2048 * 0.008:.6f}",
        "Data to the internet": f"{1024 * 0.12 + 1024 * 0.11:.6f}",
    }
    assert [one.usage_based for one in forwarding_rule(rule, busy)] == [False, True, True, True]


def test_a_policy() -> None:
    """cloud.google.com/armor/pricing, 2026-09-28, Standard: $5 a policy, $1 a rule, $0.75 a million requests."""
    busy = month(10_000_000)
    policy = find(list(busy.resources), "SecurityPolicy")
    found = security_policy(policy, busy)
    assert costs(found) == {"Policy": "5.000000", "Rules": "2.000000", "Requests": "7.500000"}
    assert found[2].by_version == {"v1": found[2].cost}
