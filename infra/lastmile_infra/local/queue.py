"""A queue of the embedded cloud."""

from __future__ import annotations

import pulumi


class Queue(pulumi.CustomResource):
    """A durable queue with leases and dead letters, in one file."""

    name: pulumi.Output[str]
    path: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        deployment: str,
        queue: str,
        max_attempts: int,
        visibility_timeout_s: float,
        retention_s: float | None = None,
        tags: dict[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "deployment": deployment,
            "name": queue,
            "maxAttempts": max_attempts,
            "visibilityTimeoutS": visibility_timeout_s,
            "retentionS": retention_s,
            "tags": tags or {},
            "path": None,
        }
        super().__init__("lastmile:local:Queue", resource_name, properties, opts)
