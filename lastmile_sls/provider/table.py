"""Every type of resource that the provider has, by its token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from lastmile_sls.delivery.document import Document
from lastmile_sls.delivery.image import Image
from lastmile_sls.delivery.key import Key
from lastmile_sls.delivery.package import Package
from lastmile_sls.delivery.patience import Patience
from lastmile_sls.delivery.release import Release
from lastmile_sls.local.cloud import Cloud
from lastmile_sls.provider.local import SCHEMAS, LocalType
from lastmile_sls.provider.resource import ResourceType


def resource_types(
    engine: str, home: Path, environ: Mapping[str, str], patience: Patience
) -> dict[str, ResourceType]:
    """Return the types by token.

    Args:
        engine: The engine that drives them, which owns what it makes in the embedded cloud.
        home: The embedded cloud's folder.
        environ: The environment of whoever runs Pulumi, with its credentials.
        patience: How deliveries wait.
    """

    def types() -> Iterator[ResourceType]:
        cloud = Cloud(home, engine)
        yield from (LocalType(cloud, kind) for kind in SCHEMAS)
        yield from (Key(), Release())
        yield from (Document(environ, patience), Image(environ, patience), Package(environ, patience))

    return {kind.schema.token: kind for kind in types()}
