"""The embedded cloud's API keys."""

from __future__ import annotations

import pulumi


class Key(pulumi.CustomResource):
    """A random API key; the gateway knows only its digest."""

    value: pulumi.Output[str]
    digest: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        deployment: str,
        key: str,
        tags: dict[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "deployment": deployment,
            "name": key,
            "tags": tags,
            "value": None,
            "digest": None,
        }
        super().__init__(
            "lastmile:local:Key",
            resource_name,
            properties,
            pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(additional_secret_outputs=["value"])),
        )
