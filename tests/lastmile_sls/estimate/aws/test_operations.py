"""Logs, metrics, alarms, dashboards, keys and secrets: by the numbers of AWS's pages (CloudWatch's quoted 2026-08-08)."""

from __future__ import annotations

from lastmile_sls.estimate.aws.operations import alarm, dashboard, key, log_group, secret
from lastmile_sls.policy.resource import Resource
from tests.lastmile_infra.plans import two_versions
from tests.lastmile_sls.estimate.aws.months import NAME, D, costs, month
from tests.lastmile_sls.policy.judged import made

HOURLY = D("0.63212")
"""The share of hours with an event, where there is one an hour on average: 1 - 1/e."""


def _logs(retention_days: int = 30) -> Resource:
    return made(
        "aws:cloudwatch/logGroup:LogGroup", name=f"/aws/lambda/{NAME}", retentionInDays=retention_days
    )


def test_logs_are_billed_as_they_come_and_as_long_as_they_are_kept() -> None:
    """0.50 USD a GB that comes, 0.03 a GB and month: 1 048 576 requests of 10 KB are 10 GB; 5 GB are free of each."""
    found = log_group(_logs(), month(1_048_576, log_kb=10))
    assert found[0].name == "Logs taken in"
    assert (found[0].quantity, found[0].cost, found[0].by_version) == (D(10), D(5), {"v1": found[0].cost})
    assert found[1].quantity.quantize(D("0.0001")) == (10 * 30 / (D(730) / 24)).quantize(D("0.0001"))
    assert costs(found)["Logs kept"] == D("0.30")
    free = log_group(_logs(), month(1_048_576, log_kb=10, free_tier=True))
    assert free[0].cost == D("2.5")
    three = log_group(_logs(90), month(1_048_576, log_kb=10))
    assert three[1].quantity.quantize(D("0.0001")) == (3 * found[1].quantity).quantize(D("0.0001"))


def test_two_metrics_of_the_function_and_two_of_the_version_while_there_is_traffic() -> None:
    """Each 0.30 USD a month, "prorated by the hour": with a million requests there is one in every hour."""
    metrics = log_group(_logs(), month(1_000_000))[2]
    assert metrics.name == "Metrics"
    assert metrics.quantity.quantize(D("0.0001")) == 4
    assert metrics.cost.quantize(D("0.0001")) == D("1.2")
    assert metrics.by_version["v1"].quantize(D("0.0001")) == D("0.6")
    assert log_group(_logs(), month(1_000_000, free_tier=True))[2].cost == 0


def test_a_metric_is_billed_for_the_hours_in_which_it_is_sent() -> None:
    """One request an hour, none of them cold, and one that is cold an hour: two more metrics for each of both."""
    warm = log_group(_logs(), month(730))[2]
    assert warm.quantity.quantize(D("0.0001")) == (4 * HOURLY).quantize(D("0.0001"))
    cold = log_group(_logs(), month(1_000_000, cold_share="0.00073"))[2]
    assert cold.quantity.quantize(D("0.0001")) == (4 + 4 * HOURLY).quantize(D("0.0001"))


def test_messages_have_metrics_of_their_own_with_how_old_they_are() -> None:
    """Half of the answers come later: the function's two metrics, the version's two, and three of messages."""
    metrics = log_group(_logs(), month(1_000_000, spec={"queue": {}}, later_share="0.5"))[2]
    assert metrics.quantity.quantize(D("0.0001")) == 7


def test_each_of_two_versions_has_its_metrics() -> None:
    taken, _, metrics = log_group(_logs(), month(1_000_000, spec=two_versions()))
    assert metrics.quantity.quantize(D("0.0001")) == 6
    assert {version: part.quantize(D("0.01")) for version, part in metrics.by_version.items()} == {
        "v1": D("0.6"),
        "v2": D("0.6"),
    }
    assert (taken.by_version["v2"] / taken.cost).quantize(D("0.0001")) == D("0.1")


def test_another_log_and_an_unused_one_cost_nothing() -> None:
    other = made("aws:cloudwatch/logGroup:LogGroup", name="/aws/apigateway/churn-dev", retentionInDays=30)
    assert log_group(other, month(1000)) == log_group(_logs(), month(0)) == []


def test_an_alarm_is_billed_by_the_metrics_that_it_watches() -> None:
    """0.10 USD for each; the expression that joins three is none. Ten are free."""
    one = made("aws:cloudwatch/metricAlarm:MetricAlarm", metricName="Throttles")
    joined = made(
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        metricQueries=[
            {"expression": "(a + b) / c"},
            {"id": "a", "metric": {}},
            {"id": "b", "metric": {}},
            {"id": "c", "metric": {}},
        ],
    )
    assert [alarm(each, month(0))[0].cost for each in (one, joined)] == [D("0.1"), D("0.3")]
    assert alarm(joined, month(0, free_tier=True))[0].cost == 0


def test_dashboard_key_and_secret_cost_as_much_whether_somebody_calls_or_not() -> None:
    """3 USD, 1 USD (aws.amazon.com/kms/pricing, 2026-08-08) and 0.40 USD (aws.amazon.com/secrets-manager/pricing)."""
    it = made("it")
    for here in (month(0), month(1_000_000)):
        found = [*dashboard(it, here), *key(it, here), *secret(it, here)]
        assert [(one.name, one.quantity, one.cost, one.usage_based) for one in found] == [
            ("Dashboard", D(1), D(3), False),
            ("Key", D(1), D(1), False),
            ("Secret", D(1), D("0.4"), False),
        ]
    assert dashboard(it, month(0, free_tier=True))[0].cost == 0
