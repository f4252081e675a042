"""What is delivered into a cloud: keys, documents, images and code, by the provider `lastmile`."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi


class Key(pulumi.CustomResource):
    """A random API key, made once; the stack's state keeps it, encrypted."""

    value: pulumi.Output[str]
    digest: pulumi.Output[str]

    def __init__(
        self, resource_name: str, *, key: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["value"])
        super().__init__(
            "lastmile:index:Key",
            resource_name,
            {"name": key, "value": None, "digest": None},
            pulumi.ResourceOptions.merge(opts, secret),
        )


class Release(pulumi.CustomResource):
    """The settings that go with a function's code, of the bundle that is deployed and of the one before it, as JSON."""

    releases: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        digest: pulumi.Input[str],
        settings: pulumi.Input[Mapping[str, pulumi.Input[str]]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {"digest": digest, "settings": settings, "releases": None}
        super().__init__("lastmile:index:Release", resource_name, properties, opts)


class Document(pulumi.CustomResource):
    """An object that is made once, and whose content is then somebody else's to change; it outlives its resource."""

    location: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        url: pulumi.Input[str],
        path: pulumi.Input[str],
        content: pulumi.Input[str],
        region: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {"url": url, "path": path, "content": content, "region": region, "location": None}
        created_once = pulumi.ResourceOptions(ignore_changes=["content"])
        super().__init__(
            "lastmile:index:Document",
            resource_name,
            properties,
            pulumi.ResourceOptions.merge(opts, created_once),
        )


class Image(pulumi.CustomResource):
    """A container image, sent to a registry without a Docker daemon."""

    reference: pulumi.Output[str]
    tag: pulumi.Output[str]
    image: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        source: pulumi.Input[str],
        digest: pulumi.Input[str],
        repository: pulumi.Input[str],
        base: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "source": source,
            "digest": digest,
            "repository": repository,
            "base": base,
            "reference": None,
            "tag": None,
            "image": None,
        }
        super().__init__("lastmile:index:Image", resource_name, properties, opts)


class Package(pulumi.CustomResource):
    """Code, as a zip, to a function app of Azure's Flex Consumption plan."""

    deployment: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        source: pulumi.Input[str],
        digest: pulumi.Input[str],
        app: pulumi.Input[str],
        scm_url: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "source": source,
            "digest": digest,
            "app": app,
            "scmUrl": scm_url,
            "deployment": None,
        }
        super().__init__("lastmile:index:Package", resource_name, properties, opts)
