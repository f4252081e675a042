"""What looking after a deployment costs, as the page of Google Cloud's observability counts it."""

from __future__ import annotations

from decimal import Decimal

from lastmile_sls.estimate.document import Work
from lastmile_sls.estimate.gcp.operations import log_bucket, metric
from lastmile_sls.estimate.month import Month
from lastmile_sls.policy.resource import Resource, of_type
from tests.lastmile_sls.estimate.gcp.months import costs, find, month_of, traffic


def month(*work: Work) -> Month:
    return month_of("watched", {"predict": list(work)}, traffic(1, {}))


def asked(version: str, count: int) -> Work:
    return Work(version, "request", Decimal(count), Decimal(1))


def metric_of(month: Month, kind: str) -> Resource:
    """Return watched's metric of this kind of value."""
    found = of_type(month.resources, "gcp:logging/metric:Metric")
    (one,) = (each for each in found if each.inputs["metricDescriptor"]["valueType"] == kind)
    return one


def test_a_log_that_is_kept_longer() -> None:
    """cloud.google.com/products/observability/pricing, 2026-08-05: $0.50 a GiB with 30 days, $0.01 a GiB and month after."""
    busy = month(asked("v1", 2**20 * 100))
    kept = find(list(busy.resources), "ProjectBucketConfig")
    assert kept.inputs["retentionDays"] == 90
    assert costs(log_bucket(kept, busy)) == {
        "Log": "50.000000",
        "Log, after 30 days": f"{100 * 60 / (730 / 24) * 0.01:.6f}",
    }
    short = Resource(kept.type, kept.name, "", {**kept.inputs, "retentionDays": 7})
    assert costs(log_bucket(short, busy)) == {"Log": "50.000000"}
    free = Month(**{**vars(busy), "free_tier": True})
    assert costs(log_bucket(short, free)) == {"Log": "25.000000"}, "50 GiB"


def test_metrics_have_a_point_a_minute_at_the_most() -> None:
    """The same page: a scalar's point counts as 8 bytes; at one a minute 0.334 MiB a month, at $0.258 a MiB."""
    busy = month(asked("v1", 10**6), asked("v2", 100))
    (counted,) = metric(metric_of(busy, "INT64"), busy)
    assert f"{counted.quantity:.3f}" == "0.334"
    assert f"{counted.cost:.6f}" == f"{730 * 60 * 8 / 2**20 * 0.258:.6f}"
    (measured,) = metric(metric_of(busy, "DISTRIBUTION"), busy)
    assert f"{measured.quantity:.6f}" == f"{(730 * 60 + 100) * 80 / 2**20:.6f}", "one series for each version"
    assert f"{measured.by_version['v2']:.9f}" == f"{100 * 80 / 2**20 * 0.258:.9f}"
    (nothing,) = metric(metric_of(busy, "INT64"), month())
    assert nothing.cost == 0
