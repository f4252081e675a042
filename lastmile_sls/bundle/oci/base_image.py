"""The image to build on: found, pinned by its digest, verified, and never unpacked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from lastmile_sls.bundle.dependencies.environment import Processor
from lastmile_sls.bundle.oci.credentials import Credentials
from lastmile_sls.bundle.oci.descriptor import (
    CONFIGS,
    INDEX,
    INDEXES,
    LAYERS,
    MANIFEST,
    MANIFESTS,
    Descriptor,
    parse_descriptor,
    parse_descriptors,
    parse_object,
)
from lastmile_sls.bundle.oci.layout import Layout
from lastmile_sls.bundle.oci.platform import Platform, select
from lastmile_sls.bundle.oci.reference import LayoutReference, RegistryReference, parse_reference
from lastmile_sls.errors import LastmileError


class Source(Protocol):
    """Where an image's blobs are."""

    def fetch(self, descriptor: Descriptor) -> Path:
        """Return the file of a blob, verified; it is brought here first where it is elsewhere."""
        ...

    def read(self, descriptor: Descriptor) -> bytes:
        """Return the bytes of a manifest or a config, verified."""
        ...


@dataclass(frozen=True)
class BaseImage:
    """An image for one platform; its layers stay where they are until somebody needs them."""

    reference: RegistryReference | LayoutReference
    """How it was found, with the digest of what that named: an image, or an index of images for several platforms."""
    platform: Platform
    manifest: Descriptor
    """The platform's."""
    config: dict[str, Any]
    layers: tuple[Descriptor, ...]
    source: Source

    @property
    def pinned(self) -> str:
        """The reference with its digest, which finds the same image whatever its tag is on later."""
        return str(self.reference)


def resolve_base(
    reference: str,
    processor: Processor,
    cache: Path,
    credentials: Credentials,
    tell: Callable[[str], None] = lambda _: None,
) -> BaseImage:
    """Find the image to build on. A pinned one that is in the cache is found without a network.

    Args:
        reference: `REGISTRY/REPOSITORY[:TAG][@sha256:DIGEST]`, or a folder in the OCI layout, `oci:FOLDER[:TAG]`.
        processor: Which of an index's images.
        cache: A folder that keeps what is downloaded, by digest.
        credentials: Logins at registries.
        tell: Told what is being downloaded, now or when it is needed.

    Raises LastmileError when there is no such image, none for the processor, when what is there is damaged, and when
    the registry refuses or cannot be reached.
    """
    platform = Platform(processor)
    source: Source
    match parse_reference(reference):
        case LayoutReference() as parsed:
            source = layout = Layout(parsed.folder, str(parsed))
            root = layout.root(parsed.tag, parsed.digest, platform)
            found = _read(dataclasses.replace(parsed, digest=root.digest), root, platform, layout)
            for layer in found.layers:
                layout.fetch(layer)
            return found
        case RegistryReference() as parsed:
            from lastmile_sls.bundle.oci.cached_repository import CachedRepository

            source = cached = CachedRepository(parsed, cache, credentials, tell)
            root = cached.root()
            return _read(dataclasses.replace(parsed, digest=root.digest), root, platform, source)


def _read(
    reference: RegistryReference | LayoutReference, root: Descriptor, platform: Platform, source: Source
) -> BaseImage:
    name = str(reference)
    manifest, document = root, parse_object(source.read(root), name)
    if _kind(root, document) in INDEXES:
        entries = document.get("manifests")
        manifest = select(entries if isinstance(entries, list) else [], platform, name)
        document = parse_object(source.read(manifest), name)
    if (kind := _kind(manifest, document)) not in MANIFESTS:
        raise LastmileError(f"{name} is no image, but {kind or 'something else'}.", "Name a container image.")
    described = parse_descriptor(document.get("config"), name)
    if described.media_type not in CONFIGS:
        raise LastmileError(f"{name} is no image, but {described.media_type}.", "Name a container image.")
    config = parse_object(source.read(described), f"{name}'s config")
    if not platform.matches(config):
        has = f"{config.get('os')}/{config.get('architecture')}"
        raise LastmileError(f"{name} has no image for {platform}; it has {has}.", "Name another base image.")
    layers = tuple(parse_descriptors(document.get("layers"), name))
    _require_consistent(name, config, layers)
    described_manifest = dataclasses.replace(manifest, media_type=kind)
    return BaseImage(reference, platform, described_manifest, config, layers, source)


def _kind(descriptor: Descriptor, document: dict[str, Any]) -> str:
    """Return a manifest's media type; it may leave it to who serves it, or to what is in it."""
    structural = INDEX if "manifests" in document else MANIFEST if "layers" in document else ""
    return str(document.get("mediaType") or descriptor.media_type or structural)


def _require_consistent(name: str, config: dict[str, Any], layers: tuple[Descriptor, ...]) -> None:
    for layer in layers:
        if layer.media_type not in LAYERS:
            told = f"{name} has a layer of the type {layer.media_type}, which cannot be carried over."
            raise LastmileError(told, "Name another base image.")
    run = config.get("config") or {}
    members = {"Env": list, "Labels": dict, "ExposedPorts": dict}
    if not isinstance(run, dict) or any(
        not isinstance(run.get(member) or kind(), kind) for member, kind in members.items()
    ):
        told = f"{name}: its config is not as the image specification says."
        raise LastmileError(told, "Name another base image.")
    match config:
        case {"rootfs": {"diff_ids": list(diff_ids)}} if len(diff_ids) == len(layers):
            return
    raise LastmileError(
        f"{name}: its config does not name as many layers as its manifest, {len(layers)}.",
        "Name another base image.",
    )
