"""The queue on Azure: a storage queue and the one beside it where the functions' host sets messages aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import storage

from lastmile_infra.azure.identity import Identity, grant
from lastmile_infra.azure.scope import Scope
from lastmile_infra.azure.storage import Container
from lastmile_sls.plan.document import QueuePlan

_CONNECTION = "LASTMILE_QUEUE"
"""What the settings' names begin with that say where the queue is (see `lastmile_runtime.adapters.azure`)."""


@dataclass(frozen=True)
class Queue:
    """A queue and its dead letters."""

    url: pulumi.Output[str]
    """As the runtime knows it (see `lastmile_runtime.queues`)."""
    jobs: pulumi.Output[str]
    """Its own address."""
    dead_letters: pulumi.Output[str]
    settings: Mapping[str, pulumi.Input[str]]
    """The connection of the host's trigger
    (learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger, "Identity-based connections",
    2026-11-29), and how long a message is kept, which is said with each."""
    ready: tuple[pulumi.Resource, ...]
    """What must be there before a function works on it."""


def make_queue(scope: Scope, plan: QueuePlan, container: Container, identity: Identity) -> Queue:
    """Make the queue and its dead letters in the account of the deployment's container; they go with the stack.

    How often a message is tried the host counts itself, by a setting that the plan has. It names the dead letters, and
    would make them where they were not there, which it may not.

    The host receives, renews and deletes messages, and reads how many there are; the runtime sends. Of the built-in roles
    only the contributor's can renew one (learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory,
    Update Message; github.com/Azure/azure-sdk-for-net, QueueProcessor.ReleaseMessageAsync; 2026-11-29). Setting a message
    aside is sending it.
    """
    jobs, dead = (
        storage.Queue(
            f"{scope.name}-{name}",
            account_name=container.account,
            queue_name=resource,
            resource_group_name=container.group,
            opts=scope.opts,
        )
        for name, resource in ((plan["name"], plan["resource"]), ("dead-letters", plan["dead_letters"]))
    )
    ready = (
        grant(scope, "works-on-queue", "Storage Queue Data Contributor", jobs.id, identity),
        grant(scope, "sets-aside", "Storage Queue Data Message Sender", dead.id, identity),
    )
    service = pulumi.Output.concat("https://", container.account, ".queue.core.windows.net")
    return Queue(
        url=pulumi.Output.concat("azq://", container.account, "/", jobs.name),
        jobs=pulumi.Output.concat(service, "/", jobs.name),
        dead_letters=pulumi.Output.concat(service, "/", dead.name),
        settings={
            f"{_CONNECTION}__queueServiceUri": service,
            f"{_CONNECTION}__credential": "managedidentity",
            f"{_CONNECTION}__clientId": identity.client_id,
            f"{_CONNECTION}_RETENTION_S": str(plan["retention_s"]),
        },
        ready=ready,
    )
