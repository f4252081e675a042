from __future__ import annotations

import pytest

from lastmile_infra.gcp.metrics import Measured, metric_of

MEASURED = Measured(
    deployment="churn-dev",
    service="churn-dev-predict",
    services=["churn-dev-predict", "churn-dev-predict-v2"],
    region="europe-west1",
    window_s=300,
    subscription="churn-dev-jobs",
    dead_letters="churn-dev-jobs-dead",
)
BEHIND = Measured(**{**vars(MEASURED), "balancer": "churn-dev-routes-1234567"})
RUN = 'monitored_resource="cloud_run_revision", service_name="churn-dev-predict"'
REQUESTS = f'{{"logging.googleapis.com/user/churn-dev/requests", {RUN}'
COUNTED = f"sum(increase({REQUESTS}}}[300s]))"


def test_what_is_counted_and_measured() -> None:
    assert MEASURED.requests() == COUNTED
    assert MEASURED.errors() == f'100 * sum(increase({REQUESTS}, status=~"5.."}}[300s])) / {COUNTED}'
    assert MEASURED.throttles() == f'sum(increase({REQUESTS}, status="429"}}[300s]))'
    latency = f'{{"logging.googleapis.com/user/churn-dev/latency_bucket", {RUN}}}'
    assert MEASURED.latency(0.95) == (
        f"1000 * histogram_quantile(0.95, sum by (le) (increase({latency}[300s])))"
    )
    counted = f'increase({{"logging.googleapis.com/user/churn-dev/latency_count", {RUN}}}[300s])'
    assert MEASURED.share() == f"100 * sum by (version) ({counted}) / scalar(sum({counted}))"
    assert MEASURED.instances() == (
        'sum by (state) ({"run.googleapis.com/container/instance_count", '
        'monitored_resource="cloud_run_revision", location="europe-west1", '
        'service_name=~"churn-dev-predict|churn-dev-predict-v2"})'
    )


def test_a_load_balancer_refuses_itself() -> None:
    assert BEHIND.throttles() == (
        'sum(increase({"loadbalancing.googleapis.com/https/request_count", '
        'monitored_resource="https_lb_rule", url_map_name="churn-dev-routes-1234567", '
        'response_code="429"}[300s]))'
    )
    assert BEHIND.errors() == MEASURED.errors()


@pytest.mark.parametrize(
    ("found", "metric", "subscription"),
    [
        (MEASURED.queue_age(), "oldest_unacked_message_age", "churn-dev-jobs"),
        (MEASURED.waiting(), "num_undelivered_messages", "churn-dev-jobs"),
        (MEASURED.set_aside(), "num_undelivered_messages", "churn-dev-jobs-dead"),
    ],
)
def test_the_queue(found: str, metric: str, subscription: str) -> None:
    assert found == (
        f'max(max_over_time({{"pubsub.googleapis.com/subscription/{metric}", '
        f'monitored_resource="pubsub_subscription", subscription_id="{subscription}"}}[300s]))'
    )


def test_a_queue_that_is_not_there() -> None:
    without = Measured(**{**vars(MEASURED), "subscription": None})
    wrong = r"^churn-dev has no queue, of which oldest_unacked_message_age is asked\.$"
    with pytest.raises(ValueError, match=wrong):
        without.queue_age()


def test_names() -> None:
    assert metric_of("churn-dev", "requests") == "churn-dev/requests"
