"""What is in front of the router's function on AWS: the HTTP API or the function's URL, and what goes out by it. Pure."""

from __future__ import annotations

from decimal import Decimal

from lastmile_sls.estimate.aws.units import KB, pieces
from lastmile_sls.estimate.document import NOTHING, Component
from lastmile_sls.estimate.month import Month
from lastmile_sls.estimate.volume import ByVersion, count, times, total
from lastmile_sls.policy.resource import Resource, at

_PIECE_KB = 512
_STREAMED_KB = 6 * 1024
"""Of each answer, not billed (aws.amazon.com/lambda/pricing, copy of 2026-09-20)."""


def http_api(resource: Resource, month: Month) -> list[Component]:
    """Price an HTTP API: calls, each 512 KB, and what it sends.

    The page does not say whether the answer is weighed; it is, together with the request, which is the dearest reading
    (aws.amazon.com/api-gateway/pricing: "metered in 512 KB increments").
    """
    traffic = month.traffic
    asked = times(_asked(month), pieces(traffic.request_kb + traffic.response_kb, _PIECE_KB))
    if not total(asked):
        return []
    meter = "aws.httpapi.requests"
    calls = month.component("Requests", meter, total(asked), usage_based=True, by_version=asked)
    return [calls, *_sent(month)]


def function_url(resource: Resource, month: Month) -> list[Component]:
    """Price a function's URL: nothing but what it sends, and what it streams above 6 MB an answer."""
    streams = at(resource.inputs, "invokeMode") == "RESPONSE_STREAM"
    beyond_kb = max(NOTHING, month.traffic.response_kb - _STREAMED_KB) if streams else NOTHING
    found = _sent(month)
    if beyond_kb and month.traffic.requests:
        processor = month.loads[month.plan["endpoint"]["function"]].function["processor"] or "x86_64"
        parts = _answered(month, beyond_kb / KB)
        meter = f"aws.lambda.streaming.{processor}"
        found.append(month.component("Streamed", meter, total(parts), usage_based=True, by_version=parts))
    return found


def _sent(month: Month) -> list[Component]:
    """Return what goes out to the internet: the answers."""
    parts = _answered(month, month.traffic.response_kb / KB)
    if not total(parts):
        return []
    name, meter = "Data transfer out", "aws.transfer.out"
    return [month.component(name, meter, total(parts), usage_based=True, by_version=parts)]


def _asked(month: Month) -> ByVersion:
    """Return how often the endpoint is called, by version: an answer that comes later takes two calls."""
    load = month.loads[month.plan["endpoint"]["function"]]
    return count(one for one in load.work if one.kind == "request")


def _answered(month: Month, each: Decimal) -> ByVersion:
    """Return so much for each request, by the version that answers it."""
    asked = _asked(month)
    calls = total(asked)
    return times(asked, month.traffic.requests * each / calls) if calls else {}
