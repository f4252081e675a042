"""Buckets of the embedded cloud, and documents in them."""

from __future__ import annotations

import pulumi


class Bucket(pulumi.CustomResource):
    """A folder that only its owner can read."""

    name: pulumi.Output[str]
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


class Document(pulumi.CustomResource):
    """An object that is made once, and whose content is then somebody else's to change."""

    url: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        deployment: str,
        document: str,
        bucket: pulumi.Input[str],
        path: str,
        content: str,
        tags: dict[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "deployment": deployment,
            "name": document,
            "bucket": bucket,
            "path": path,
            "content": content,
            "tags": tags or {},
            "url": None,
        }
        created_once = pulumi.ResourceOptions(ignore_changes=["content"])
        super().__init__(
            "lastmile:local:Document",
            resource_name,
            properties,
            pulumi.ResourceOptions.merge(opts, created_once),
        )
