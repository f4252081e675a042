"""A clock of the embedded cloud."""

from __future__ import annotations

import pulumi

from lastmile_sls.plan.document import SchedulePlan


class Schedule(pulumi.CustomResource):
    """A message that the deployment's host sends to a queue, time and again."""

    name: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        deployment: str,
        plan: SchedulePlan,
        queue: pulumi.Input[str],
        tags: dict[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "deployment": deployment,
            "name": plan["name"],
            "queue": queue,
            "cron": plan["cron"],
            "message": plan["message"],
            "tags": tags,
            "path": None,
        }
        super().__init__("lastmile:local:Schedule", resource_name, properties, opts)
