"""An image that `lastmile build` wrote: its own layers in a folder, its base's where the base is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lastmile_sls.bundle.oci.base_image import BaseImage, Source
from lastmile_sls.bundle.oci.cached_repository import CachedRepository
from lastmile_sls.bundle.oci.credentials import Credentials
from lastmile_sls.bundle.oci.descriptor import Descriptor, parse_descriptor, parse_descriptors, parse_object
from lastmile_sls.bundle.oci.image import Image
from lastmile_sls.bundle.oci.layout import Layout
from lastmile_sls.bundle.oci.platform import Platform
from lastmile_sls.bundle.oci.reference import (
    LayoutReference,
    RegistryReference,
    parse_reference,
    parse_registry_reference,
)
from lastmile_sls.errors import LastmileError

BUNDLE = "LASTMILE_MANIFEST_DIGEST"
"""The variable in an image's config that says which bundle it holds."""
_BASE_NAME = "org.opencontainers.image.base.name"
_BASE_DIGEST = "org.opencontainers.image.base.digest"
_PROCESSORS: dict[str, Any] = {"amd64": "x86_64", "arm64": "arm64"}
_HINT = "Build the project again: lastmile build."


def read_image(
    folder: Path,
    cache: Path,
    credentials: Credentials,
    base: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Image:
    """Read an image that lies in a folder in the OCI layout; its manifest and config are verified.

    Args:
        folder: Where it is.
        cache: A folder that keeps layers of bases, by digest.
        credentials: Logins at the base's registry.
        base: The image that it is built on, for layers that the folder lacks; by default what its manifest says.
        tell: Told what is being downloaded, when it is needed.

    Raises LastmileError when there is no image, when it is damaged, or lacks layers that nobody knows the place of.
    """
    layout = Layout(folder, str(folder))
    root = layout.root("", "", Platform("x86_64"))
    manifest = parse_object(layout.read(root), str(folder))
    described = parse_descriptor(manifest.get("config"), str(folder))
    config = parse_object(layout.read(described), f"{folder}'s config")
    layers = tuple(parse_descriptors(manifest.get("layers"), str(folder)))
    own = {layer.digest for layer in layers if _has(folder, layer)}
    foreign = tuple(layer for layer in layers if layer.digest not in own)
    reference, source = _origin(layout, manifest, base, cache, credentials, tell)
    if foreign and source is layout:
        raise LastmileError(
            f"the image {folder} lacks the layer {foreign[0].digest} of the image it is built on.", _HINT
        )
    platform = Platform(_PROCESSORS.get(str(config.get("architecture")), "x86_64"))
    found = BaseImage(reference, platform, root, config, foreign, source)
    names = tuple("own" if layer.digest in own else "base" for layer in layers)
    return Image(folder, root, described, layers, found, names)


def bundle_of(image: Image) -> str | None:
    """Return the digest of the bundle that an image holds; None when it does not say."""
    run = image.base.config.get("config") or {}
    variables = dict(str(entry).partition("=")[::2] for entry in run.get("Env") or ())
    return variables.get(BUNDLE)


def _origin(
    layout: Layout,
    manifest: dict[str, Any],
    base: str | None,
    cache: Path,
    credentials: Credentials,
    tell: Callable[[str], None],
) -> tuple[RegistryReference | LayoutReference, Source]:
    """Return where the base is, and what reads there; the layout itself where nobody says it."""
    annotations = manifest.get("annotations") or {}
    name, digest = annotations.get(_BASE_NAME), annotations.get(_BASE_DIGEST)
    if base is not None:
        reference = parse_reference(base)
    elif name and digest:
        reference = parse_registry_reference(f"{name}@{digest}")
    else:
        reference = LayoutReference(layout.folder)
    if isinstance(reference, RegistryReference):
        return reference, CachedRepository(reference, cache, credentials, tell)
    if reference.folder == layout.folder:
        return reference, layout
    return reference, Layout(reference.folder, str(reference))


def _has(folder: Path, layer: Descriptor) -> bool:
    return (folder / "blobs" / "sha256" / layer.digest.removeprefix("sha256:")).is_file()
