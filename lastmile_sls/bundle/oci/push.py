"""Sends an image to a registry: only what is not there yet, then its manifest, which is verified."""

from __future__ import annotations

import time
from collections.abc import Callable

from lastmile_sls.bundle.oci.credentials import Credentials
from lastmile_sls.bundle.oci.descriptor import Descriptor
from lastmile_sls.bundle.oci.image import Image
from lastmile_sls.bundle.oci.reference import RegistryReference, parse_registry_reference
from lastmile_sls.bundle.oci.repository import Repository
from lastmile_sls.bundle.oci.transport import Pause
from lastmile_sls.errors import LastmileError

Tell = Callable[[str], None]
_STEP = 16 * 10**6
"""Bytes between two lines of progress."""


def push(
    image: Image,
    reference: str,
    credentials: Credentials,
    tell: Tell = lambda _: None,
    *,
    pause: Pause = time.sleep,
) -> str:
    """Send an image to a registry; return its digest.

    What the registry has is not sent; what another repository of it has, since the base is there, is mounted.
    After a failure, another push sends the rest.

    Args:
        image: What to send.
        reference: `REGISTRY/REPOSITORY[:TAG]`; the tag is `latest` by default. With `@sha256:DIGEST`, the image must be
            that one, and without a tag it gets none.
        credentials: Logins at registries.
        tell: Told what is being done.
        pause: Waits between tries.

    Raises LastmileError when the registry refuses or cannot be reached, and when afterwards it has something else.
    """
    target = parse_registry_reference(reference)
    if target.digest and target.digest != image.digest:
        told = f"{reference} names another image: this one is {image.digest}."
        raise LastmileError(told, "Leave the digest out, or build from what it was built from.")
    origin = _origin(image, target)
    mounts_from = [origin] if origin else []
    with Repository(target, credentials, writes=True, mounts_from=mounts_from, pause=pause) as repository:
        base = {layer.digest for layer in image.base.layers}
        named = dict(zip(image.layers, image.names, strict=True)) | {image.config: "config"}
        for descriptor, name in named.items():
            mountable = origin if descriptor.digest in base else ""
            _send(image, descriptor, name, mountable, repository, tell)
        content = image.fetch(image.manifest).read_bytes()
        repository.put_manifest(target.tag or image.digest, content, image.manifest.media_type)
    tell(f"pushed {target.name} {image.digest}")
    return image.digest


def _origin(image: Image, target: RegistryReference) -> str:
    """Return the repository of the same registry that has the base's layers; empty when none is known."""
    base = image.base.reference
    same = isinstance(base, RegistryReference) and base.registry == target.registry
    return base.repository if same and isinstance(base, RegistryReference) else ""


def _send(
    image: Image, descriptor: Descriptor, name: str, origin: str, repository: Repository, tell: Tell
) -> None:
    size = f"{descriptor.size / 1e6:.1f} MB"
    if repository.has(descriptor):
        tell(f"{name}: is there ({size})")
        return
    if origin and repository.mount(descriptor, origin):
        tell(f"{name}: mounted from {origin} ({size})")
        return
    path = image.fetch(descriptor)
    tell(f"{name}: sending {size}")
    told = 0

    def progress(sent: int) -> None:
        nonlocal told
        if sent - told >= _STEP or sent < told:
            told = sent
            tell(f"{name}: {sent / 1e6:.1f} of {size}")

    repository.upload(descriptor, path, progress)
