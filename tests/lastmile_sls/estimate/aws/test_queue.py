"""Messages, what is asked of an empty queue, and clocks: by the numbers of AWS's pages."""

from __future__ import annotations

from typing import Any

import pytest

from lastmile_sls.estimate.aws.queue import queue, schedule
from tests.lastmile_sls.estimate.aws.months import MAPPING, D, month, quantities
from tests.lastmile_sls.policy.judged import made

QUEUE = made("aws:sqs/queue:Queue", redrivePolicy="{}")
POLLED = (made(MAPPING),)
SPEC: dict[str, Any] = {"queue": {}}


def test_an_idle_queue_is_asked_by_five_pollers_each_20_seconds() -> None:
    """docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html (2026-11-23): 5 pollers; a bill's 21 590 a day."""
    (polls,) = queue(QUEUE, month(0, spec=SPEC, resources=POLLED))
    assert (polls.quantity, polls.cost, polls.usage_based) == (D(657_000), D("0.2628"), False)
    assert polls.quantity / (D(730) / 24) == 21_600
    assert queue(QUEUE, month(0, spec=SPEC, resources=POLLED, free_tier=True))[0].cost == 0


def test_a_message_is_sent_received_and_deleted() -> None:
    here = month(1_000_000, spec=SPEC, resources=POLLED, later_share="0.1")
    assert quantities(queue(QUEUE, here)) == {"Polls while it is empty": 657_000, "Messages": 300_000}
    messages = queue(QUEUE, here)[1]
    assert messages.by_version == {"v1": messages.cost}
    assert messages.cost == D("0.12")


@pytest.mark.parametrize(("kb", "each"), [(63, 3), (64, 5), (255, 9), (1023, 33), (1024, 3)])
def test_a_shadow_s_message_is_billed_by_started_64_kb(kb: int, each: int) -> None:
    """aws.amazon.com/sqs/pricing (2026-10-01): "an API action with a 256 KB payload is billed as 4 requests"; here with an
    answer of 1 KB. Above 1 MB the message says where it lies."""
    versions = [{"id": id_, "artifact": "m.joblib", "framework": "sklearn"} for id_ in ("v1", "v2")]
    traffic = {"champion": "v1", "weights": {"v1": 100}, "shadows": [{"version": "v2", "percent": 100}]}
    spec = {**SPEC, "versions": versions, "traffic": traffic}
    (messages,) = queue(QUEUE, month(1000, spec=spec, request_kb=kb))
    assert messages.quantity == 1000 * each
    assert messages.by_version == {"v2": messages.cost}


def test_the_queue_of_dead_letters_costs_nothing_in_a_month_without_failures() -> None:
    assert queue(made("aws:sqs/queue:Queue"), month(1000, spec=SPEC, resources=POLLED, later_share=1)) == []


def test_above_100_billion_a_request_has_the_next_price() -> None:
    """The page: 0.40 USD a million up to 100 billion, 0.30 up to 200, 0.24 above."""
    (messages,) = queue(QUEUE, month(100_000_000_000, spec=SPEC, later_share=1))
    assert messages.quantity == 300_000_000_000
    assert messages.cost == 40_000 + 30_000 + 24_000


def test_a_clock_costs_each_time_it_strikes() -> None:
    """aws.amazon.com/eventbridge/pricing (2026-09-14): 14 million a month are free, then 1.00 USD a million."""
    clock = {"cron": "* * * * *", "input": "batch/in", "output": "batch/out", "format": "csv"}
    spec = {**SPEC, "schedule": clock}
    resource = made("aws:scheduler/schedule:Schedule")
    (strikes,) = schedule(resource, month(0, spec=spec))
    assert (strikes.quantity, strikes.cost, strikes.usage_based) == (D(43_800), D("0.0438"), False)
    assert schedule(resource, month(0, spec=spec, free_tier=True))[0].cost == 0
    assert schedule(resource, month(0)) == []
