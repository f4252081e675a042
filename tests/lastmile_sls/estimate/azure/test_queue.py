from __future__ import annotations

from decimal import Decimal as D

from lastmile_sls.estimate.azure import queue
from lastmile_sls.estimate.document import Work
from tests.lastmile_sls.estimate.azure.months import load, month, plan_of, priced, resource_of, resources_of

PLAN = plan_of("watched")


def test_messages_and_looking_for_them() -> None:
    """10 000 operations cost 0.004, of either class (azure.microsoft.com/pricing/details/storage/queues, 2026-09-29)."""
    one = load(PLAN, Work("v1", "job", D(100_000), D(50)), Work("v1", "request", D(5), D(50)))
    jobs = resource_of("watched", "Queue", queueName=PLAN["queue"] and PLAN["queue"]["resource"])
    found = priced(queue.queue, jobs, month("watched", one))
    assert found["Messages"].quantity == 300_000
    assert found["Messages"].cost == 30 * D("0.004")
    assert found["Looks for messages, at most"].cost == D("131.4") * D("0.004")
    assert not found["Looks for messages, at most"].usage_based


def test_what_was_set_aside_costs_nothing() -> None:
    queues = [one for one in resources_of("watched") if one.type.endswith(":Queue")]
    priced_ = {
        one.inputs["queueName"]: bool(queue.queue(one, month("watched", load(PLAN)))) for one in queues
    }
    assert priced_ == {"heat-demand-prod-jobs": True, "heat-demand-prod-jobs-poison": False}
