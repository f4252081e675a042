"""Pub/Sub's and Cloud Scheduler's published examples."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lastmile_sls.estimate.document import Work
from lastmile_sls.estimate.gcp.queue import SMALLEST_BYTES, schedule, subscription, topic
from lastmile_sls.estimate.month import Month
from lastmile_sls.policy.resource import Resource, of_type
from tests.lastmile_sls.estimate.gcp.months import costs, find, month_of, traffic


def month(*work: Work) -> Month:
    return month_of("watched", {"predict": list(work)}, traffic(1, {}))


def named(month: Month, type_: str) -> tuple[Resource, Resource]:
    """Return the topic or subscription of what waits, and that of what was set aside."""
    plan = month.plan["queue"]
    assert plan
    both = of_type(month.resources, type_)
    (waits,) = (one for one in both if one.inputs["name"] == plan["resource"])
    (aside,) = (one for one in both if one is not waits)
    return waits, aside


def test_a_stream_of_ten_mib_a_second() -> None:
    """cloud.google.com/pubsub/pricing, 2026-08-05: 10 MiBps to a topic with one subscription: 25 TiB in, 25 TiB out, $2,000.

    Jobs are as small as a message can be billed; so many of them make the same.
    """
    jobs = Decimal(25 * 2**40) / SMALLEST_BYTES
    busy = month(Work("v1", "job", jobs, Decimal(1)))
    waits, aside = named(busy, "gcp:pubsub/topic:Topic")
    pushes, pulls = named(busy, "gcp:pubsub/subscription:Subscription")
    assert costs(topic(waits, busy)) == {"Published": "1000.000000"}
    assert costs(subscription(pushes, busy)) == {"Delivered": "1000.000000"}
    assert (topic(aside, busy), subscription(pulls, busy)) == ([], [])
    free = Month(**{**vars(busy), "free_tier": True})
    assert costs(topic(waits, free)) == {"Published": f"{1000 - 10 / 1024 * 40:.6f}"}, "10 GiB"


def test_a_small_message_counts_as_a_thousand_bytes() -> None:
    """The same page: 100 requests to publish with one message of 500 bytes each count as 100 kB."""
    quiet = month(Work("v1", "job", Decimal(100), Decimal(1)))
    waits, _ = named(quiet, "gcp:pubsub/topic:Topic")
    (published,) = topic(waits, quiet)
    assert f"{published.quantity * 2**40:.0f}" == "100000"
    assert topic(waits, month()) == []


def test_a_shadow_s_message_has_the_request_and_the_answer() -> None:
    shadows = Work("v2", "shadow", Decimal(1000), Decimal(100))
    for kb, each in ((Decimal("0.25"), 1000), (Decimal(3), 2 * 3 * 1024 + 40)):
        sent = traffic(1000, {}, request_kb=kb, response_kb=kb)
        busy = month_of("watched", {"predict": [shadows]}, sent)
        (published,) = topic(named(busy, "gcp:pubsub/topic:Topic")[0], busy)
        assert f"{published.quantity * 2**40:.3f}" == f"{1000 * each:.3f}", kb
        assert published.by_version["v2"] == pytest.approx(published.cost)


def test_a_clock_costs_the_same_however_often_it_strikes() -> None:
    """cloud.google.com/scheduler/pricing, 2026-11-30 in a public copy: a job that ran 30 times costs $0.10 and not $3."""
    nightly = month_of("overnight", {}, traffic(1, {}))
    clock = find(list(nightly.resources), "Job")
    assert costs(schedule(clock, nightly)) == {"Job": "0.100000"}
    free = Month(**{**vars(nightly), "free_tier": True})
    assert costs(schedule(clock, free)) == {"Job": "0.000000"}
    assert free.book.price("gcp.scheduler.jobs", "europe-west1").cost(Decimal(10), free_tier=True) == Decimal(
        "0.7"
    )
