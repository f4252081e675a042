"""Work on a clock: Cloud Scheduler, which sends a message to the queue."""

from __future__ import annotations

from base64 import b64encode

import pulumi
import pulumi_gcp as gcp

from lastmile_infra.gcp.queue import Queue, allow_to_send
from lastmile_infra.gcp.scope import Scope
from lastmile_sls.plan.document import SchedulePlan

_RETRIES = 5
"""The most that Cloud Scheduler takes; without any, a message that Pub/Sub did not take is not sent at all (the discovery
document of cloudscheduler v1, RetryConfig.retryCount). It has no dead letters: what was not sent comes the next time."""


def make_schedule(scope: Scope, plan: SchedulePlan, queue: Queue) -> pulumi.Output[str]:
    """Make the clock, and return its full name.

    What it sends to a topic it sends as itself, the project's Cloud Scheduler, and as no account of a deployment's
    (the discovery document of cloudscheduler v1, PubsubTarget); that one may send to this topic.
    """
    name = f"{scope.name}-{plan['name']}"
    agent = gcp.projects.ServiceIdentity(
        f"{name}-agent", service="cloudscheduler.googleapis.com", opts=scope.opts
    )
    grant = allow_to_send(scope, f"{plan['name']}-sends", queue, agent.member)
    job = gcp.cloudscheduler.Job(
        name,
        name=plan["resource"],
        region=scope.region,
        description=f"Has the files of {scope.name} scored.",
        schedule=plan["expression"],
        time_zone="Etc/UTC",
        pubsub_target=gcp.cloudscheduler.JobPubsubTargetArgs(
            topic_name=queue.topic.id, data=b64encode(plan["message"].encode()).decode()
        ),
        retry_config=gcp.cloudscheduler.JobRetryConfigArgs(retry_count=_RETRIES),
        opts=scope.options(depends_on=[grant]),
    )
    id_: pulumi.Output[str] = job.id
    return id_
