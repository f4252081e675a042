"""SQS and EventBridge Scheduler: what messages cost, and what is asked of an empty queue. Pure.

aws.amazon.com/sqs/pricing (quoted 2026-10-01): each action is a request, and "each 64 KB chunk of a payload is billed as
1 request".
"""

from __future__ import annotations

from decimal import Decimal

from lastmile_sls.estimate.aws.functions import invocations
from lastmile_sls.estimate.aws.units import pieces
from lastmile_sls.estimate.clock import runs_in_a_month
from lastmile_sls.estimate.document import SECONDS, Component, Kind
from lastmile_sls.estimate.month import Month
from lastmile_sls.estimate.volume import ByVersion, count, plus, times, total
from lastmile_sls.policy.resource import Resource, of_type

_MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
_CHUNK_KB = 64
_MOST_KB = Decimal(1024)
"""Of a message; of a longer one it says where it lies (see `lastmile_runtime.shadows`)."""
_POLLERS, _POLL_S = 5, 20
"""With which Lambda begins, and how long each waits (docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html and
.../with-sqs.html, "long polling"; 2026-11-23). An idle mapping was billed for 21 590 requests a day, which is the same."""


def queue(resource: Resource, month: Month) -> list[Component]:
    """Price the queue of work: each message is sent, received and deleted; and Lambda asks for messages all month.

    The dead letters' queue has neither in a month in which nothing fails.
    """
    if "redrivePolicy" not in resource.inputs:
        return []
    idle = _POLLERS * SECONDS / _POLL_S * len(of_type(month.resources, _MAPPING))
    meter, messages = "aws.sqs.requests", _messages(month)
    found = []
    if idle:
        found.append(month.component("Polls while it is empty", meter, idle, usage_based=False))
    if total(messages):
        found.append(
            month.component("Messages", meter, total(messages), usage_based=True, by_version=messages)
        )
    return found


def schedule(resource: Resource, month: Month) -> list[Component]:
    """Price a clock: each time it strikes."""
    plan = month.plan["schedule"]
    if plan is None:
        return []
    meter = "aws.scheduler.invocations"
    return [month.component("Invocations", meter, runs_in_a_month(plan["cron"]), usage_based=False)]


def _messages(month: Month) -> ByVersion:
    """Return the requests that messages are, by version: a shadow's carries inputs and outputs, others little."""
    router = invocations(month.loads[month.plan["functions"][0]["name"]], month)
    traffic = month.traffic
    shadow_kb = traffic.request_kb + traffic.response_kb
    chunks = pieces(shadow_kb, _CHUNK_KB) if shadow_kb <= _MOST_KB else Decimal(1)
    asked: dict[Kind, Decimal] = {"job": Decimal(3), "batch": Decimal(3), "shadow": 2 * chunks + 1}
    return plus(*(times(count(router, kind), each) for kind, each in asked.items()))
