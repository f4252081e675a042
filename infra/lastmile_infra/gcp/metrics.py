"""What is measured of a deployment, as PromQL asks Cloud Monitoring for it. Pure.

Cloud Run's own request_count and request_latencies would count Pub/Sub's pushes with the requests, and leave out what no
instance took (cloud.google.com/run/docs/monitoring, read 2026-11-29 in github.com/elastic/integrations). So two metrics
are made of the log: how often, and with which status, from Cloud Run's own lines, because a function that does not start
writes none; how long, and by which version, from the function's, which are of the endpoint's requests alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

REQUESTS, LATENCY = "requests", "latency"
"""The metrics that are made of the log: see `lastmile_infra.gcp.operations`."""
UNANSWERED = "429"
_RUN, _SUBSCRIPTION, _BALANCER = "cloud_run_revision", "pubsub_subscription", "https_lb_rule"


@dataclass(frozen=True)
class Measured:
    """Whose numbers are asked for."""

    deployment: str
    service: str
    """Cloud Run's name of the endpoint's function."""
    services: Sequence[str]
    """Of every function."""
    region: str
    window_s: int
    """What each number is about."""
    balancer: str | None = None
    """The load balancer's URL map, where there is one."""
    subscription: str | None = None
    dead_letters: str | None = None
    """Both where there is a queue."""

    def requests(self) -> str:
        """Return how many requests came in the window."""
        return _counted(self._requests())

    def errors(self) -> str:
        """Return the percentage of the requests whose answer is an error of the server's."""
        failed = _counted(self._requests('status=~"5.."'))
        return f"100 * {failed} / {self.requests()}"

    def latency(self, quantile: float) -> str:
        """Return how long answers took, in ms: a quantile, such as 0.95."""
        series = _series(f"{_of_log(self.deployment, LATENCY)}_bucket", _RUN, {"service_name": self.service})
        return f"1000 * histogram_quantile({quantile:g}, sum by (le) (increase({series}{self._window})))"

    def throttles(self) -> str:
        """Return how many requests were refused because there were too many: as whoever is in front counts them."""
        if self.balancer is None:
            return _counted(self._requests(f'status="{UNANSWERED}"'))
        return _counted(
            _series(
                "loadbalancing.googleapis.com/https/request_count",
                _BALANCER,
                {"url_map_name": self.balancer, "response_code": UNANSWERED},
            )
            + self._window
        )

    def instances(self) -> str:
        """Return how many instances there are, of all functions, by what they do."""
        series = _series(
            "run.googleapis.com/container/instance_count",
            _RUN,
            {"location": self.region},
            f'service_name=~"{"|".join(self.services)}"',
        )
        return f"sum by (state) ({series})"

    def share(self) -> str:
        """Return the percentage of the answers that each version gave."""
        series = _series(f"{_of_log(self.deployment, LATENCY)}_count", _RUN, {"service_name": self.service})
        counted = f"increase({series}{self._window})"
        return f"100 * sum by (version) ({counted}) / scalar(sum({counted}))"

    def queue_age(self) -> str:
        """Return how old the oldest message is that waits or is worked on, in seconds."""
        return self._of_queue("oldest_unacked_message_age", self.subscription)

    def waiting(self) -> str:
        """Return how many messages wait or are worked on."""
        return self._of_queue("num_undelivered_messages", self.subscription)

    def set_aside(self) -> str:
        """Return how many messages were set aside."""
        return self._of_queue("num_undelivered_messages", self.dead_letters)

    @property
    def _window(self) -> str:
        return f"[{self.window_s}s]"

    def _requests(self, *more: str) -> str:
        series = _series(_of_log(self.deployment, REQUESTS), _RUN, {"service_name": self.service}, *more)
        return series + self._window

    def _of_queue(self, metric: str, subscription: str | None) -> str:
        if subscription is None:
            raise ValueError(f"{self.deployment} has no queue, of which {metric} is asked.")
        series = _series(
            f"pubsub.googleapis.com/subscription/{metric}",
            _SUBSCRIPTION,
            {"subscription_id": subscription},
        )
        return f"max(max_over_time({series}{self._window}))"


def metric_of(deployment: str, name: str) -> str:
    """Return the id, in Cloud Logging, of a metric that is made of the log."""
    return f"{deployment}/{name}"


def _of_log(deployment: str, name: str) -> str:
    """Return the type, in Cloud Monitoring, of a metric that is made of the log."""
    return f"logging.googleapis.com/user/{metric_of(deployment, name)}"


def _series(metric: str, resource: str, labels: Mapping[str, str], *more: str) -> str:
    """Return a metric's series as cloud.google.com/monitoring/promql/promql-mapping names them (read 2026-11-29)."""
    matchers = [f'{name}="{value}"' for name, value in {"monitored_resource": resource, **labels}.items()]
    return f'{{"{metric}", {", ".join([*matchers, *more])}}}'


def _counted(ranged: str) -> str:
    return f"sum(increase({ranged}))"
