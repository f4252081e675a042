"""A bucket of the embedded cloud."""

from __future__ import annotations

import pulumi


class Bucket(pulumi.CustomResource):
    """A folder that only its owner can read."""

    url: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        deployment: str,
        bucket: str,
        tags: dict[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {"deployment": deployment, "name": bucket, "tags": tags or {}, "url": None}
        super().__init__("lastmile:local:Bucket", resource_name, properties, opts)
