"""CloudWatch's metrics of a deployment: what its functions write, and what Lambda and SQS count. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WRITTEN = "lastmile"
"""The namespace of what functions write (`lastmile_runtime.forms.emf`); requests have the dimension `function`."""
_LAMBDA, _SQS = "AWS/Lambda", "AWS/SQS"


@dataclass(frozen=True)
class Metric:
    """Numbers, and what is made of those of a period."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str
    """Such as Sum, SampleCount or p95."""


def requests(function: str) -> Metric:
    """Count the requests that a function has answered; messages have dimensions of their own."""
    return Metric(WRITTEN, "faas.errors", {"function": function}, "SampleCount")


def requests_of(function: str, version: str) -> Metric:
    """Count the requests that one version has answered."""
    return Metric(WRITTEN, "faas.errors", {"function": function, "version": version}, "SampleCount")


def refused(function: str) -> Metric:
    """Count the answers that are errors of the server's."""
    return Metric(WRITTEN, "faas.errors", {"function": function}, "Sum")


def cold_starts(function: str) -> Metric:
    """Count the requests that had to wait for a new instance."""
    return Metric(WRITTEN, "faas.coldstarts", {"function": function}, "Sum")


def latency(function: str, statistic: str) -> Metric:
    """Return how long answers took, in ms."""
    return Metric(WRITTEN, "duration_ms", {"function": function}, statistic)


# docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html (2026-11-29): all that a function does, whichever
# alias it is called by, counts under its name.


def crashes(function: str) -> Metric:
    """Count the calls that ended without an answer of the function's, of which it could write nothing."""
    return Metric(_LAMBDA, "Errors", {"FunctionName": function}, "Sum")


def throttles(function: str) -> Metric:
    """Count the calls that were refused because there were too many."""
    return Metric(_LAMBDA, "Throttles", {"FunctionName": function}, "Sum")


def instances(function: str) -> Metric:
    """Return the most instances that worked at the same time."""
    return Metric(_LAMBDA, "ConcurrentExecutions", {"FunctionName": function}, "Maximum")


# docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html (2026-11-29)


def waiting(queue: str) -> Metric:
    """Return how many messages wait."""
    return Metric(_SQS, "ApproximateNumberOfMessagesVisible", {"QueueName": queue}, "Maximum")


def in_flight(queue: str) -> Metric:
    """Return how many messages are being worked on."""
    return Metric(_SQS, "ApproximateNumberOfMessagesNotVisible", {"QueueName": queue}, "Maximum")


def oldest(queue: str) -> Metric:
    """Return how old the oldest message is, in seconds."""
    return Metric(_SQS, "ApproximateAgeOfOldestMessage", {"QueueName": queue}, "Maximum")


# docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html (2026-11-29). Either side of a sum may
# have no numbers in a period, which FILL makes zero; where nothing was asked, no percentage is made of it.
_ALL = "(FILL(answered, 0) + FILL(crashed, 0))"
PERCENT_OF_ERRORS = f"IF({_ALL} > 0, 100 * (FILL(refused, 0) + FILL(crashed, 0)) / {_ALL}, 0)"


def errors(function: str) -> dict[str, Metric]:
    """Return what `PERCENT_OF_ERRORS` is made of: a function that crashes writes nothing, so Lambda's count is in it."""
    return {"answered": requests(function), "refused": refused(function), "crashed": crashes(function)}


def total(names: list[str]) -> str:
    """Return the expression of a sum, in which whoever has no numbers counts nothing."""
    return " + ".join(f"FILL({name}, 0)" for name in names)
