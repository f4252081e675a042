"""Queue storage's price of the messages that wait. Pure."""

from __future__ import annotations

from decimal import Decimal

from lastmile_sls.estimate.document import SECONDS, Component
from lastmile_sls.estimate.month import Month
from lastmile_sls.estimate.volume import count, router_of, times, used
from lastmile_sls.policy.resource import Resource

_OPERATIONS = Decimal(3)
"""A message is put, got and deleted."""
_POLL_S = Decimal(2)
"""How often the functions' host looks into an empty queue at most (`lastmile_runtime.adapters.azure_app`, host.json). How
often the platform looks while no instance is there, its pages do not say: it is taken to be as often."""


def queue(resource: Resource, month: Month) -> list[Component]:
    """Return the price of messages and of looking for them; nothing for the queue of what was set aside.

    Operations of both classes cost the same in an account with local redundancy
    (azure.microsoft.com/pricing/details/storage/queues, 2026-09-29 in a public copy). What a message takes in the account
    until it is worked on is not counted.
    """
    plan = month.plan["queue"]
    if plan is None or resource.inputs.get("queueName") != plan["resource"]:
        return []
    messages = times(count(router_of(month).work, "job", "batch"), _OPERATIONS)
    meter = "azure.storage.queue"
    return [
        month.component("Looks for messages, at most", meter, SECONDS / _POLL_S, usage_based=False),
        used(month, "Messages", meter, messages),
    ]
