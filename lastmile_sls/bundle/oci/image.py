"""Puts an image together from a base and layers, as a folder in the OCI layout."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lastmile_sls.bundle.oci.base_image import BaseImage
from lastmile_sls.bundle.oci.descriptor import CONFIG, INDEX, MANIFEST, Descriptor, describe, render
from lastmile_sls.bundle.oci.image_config import ImageConfig, config_document, manifest_document
from lastmile_sls.bundle.oci.layer import Layer
from lastmile_sls.bundle.oci.layout import INDEX_FILE, LAYOUT_FILE, LAYOUT_VERSION, TAG
from lastmile_sls.bundle.oci.new_file import cannot_write
from lastmile_sls.errors import LastmileError


@dataclass(frozen=True)
class Image:
    """An image on disk; blobs of its base may still be where the base is."""

    folder: Path
    manifest: Descriptor
    config: Descriptor
    """Its digest, the image's id, stands for all files and settings, whichever zlib compressed the layers."""
    layers: tuple[Descriptor, ...]
    base: BaseImage
    names: tuple[str, ...]
    """What to call each layer."""

    @property
    def digest(self) -> str:
        """The manifest's, under which registries serve the image."""
        return self.manifest.digest

    def fetch(self, descriptor: Descriptor) -> Path:
        """Return the file of one of its blobs, brought here first where it is elsewhere.

        Raises LastmileError when it is damaged or cannot be had.
        """
        path = _blobs(self.folder) / _file(descriptor.digest)
        return path if path.is_file() else self.base.source.fetch(descriptor)


def assemble(
    base: BaseImage,
    layers: Sequence[Layer],
    config: ImageConfig,
    destination: Path,
    *,
    tag: str = "latest",
    complete: bool = False,
) -> Image:
    """Write an image as a folder in the OCI layout: the same bytes for the same base, layers and config.

    Args:
        base: What it is built on; its environment is kept.
        layers: What is put on top, in this order; what changes seldom first.
        config: How it is started.
        destination: Where to; must not exist.
        tag: What the folder calls it.
        complete: Whether the base's layers are put into the folder too, for other tools. Otherwise `push` fetches
            those that the registry lacks.

    Raises LastmileError when the folder exists or cannot be written; nothing of it is then there.
    """
    if destination.exists():
        raise LastmileError(f"{destination} exists.", "Remove it, or name another folder.")
    config_bytes = render(config_document(base, layers, config))
    described = describe(config_bytes, CONFIG)
    manifest_bytes = render(manifest_document(base, layers, described))
    manifest = describe(manifest_bytes, MANIFEST)
    platform = {"os": "linux", "architecture": base.platform.architecture}
    entry = {**manifest.document, "platform": platform, "annotations": {TAG: tag}}
    written = {described.digest: config_bytes, manifest.digest: manifest_bytes}
    linked = {layer.digest: layer.path for layer in layers}
    if complete:
        linked |= {layer.digest: base.source.fetch(layer) for layer in base.layers}
    _write_layout(destination, entry, written, linked)
    ordered = (*base.layers, *(layer.descriptor for layer in layers))
    names = (*("base" for _ in base.layers), *(layer.name for layer in layers))
    return Image(destination, manifest, described, ordered, base, names)


def _write_layout(
    destination: Path, entry: dict[str, Any], written: dict[str, bytes], linked: dict[str, Path]
) -> None:
    """Write a folder with one image, its blobs given as bytes or as files, or nothing."""
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".image-") as scratch:
            folder = Path(scratch) / "image"
            blobs = _blobs(folder)
            blobs.mkdir(parents=True)
            for digest, content in written.items():
                (blobs / _file(digest)).write_bytes(content)
            for digest, path in linked.items():
                _link(path, blobs / _file(digest))
            index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
            (folder / INDEX_FILE).write_bytes(render(index))
            (folder / LAYOUT_FILE).write_bytes(render({"imageLayoutVersion": LAYOUT_VERSION}))
            folder.rename(destination)
    except OSError as error:
        raise cannot_write(destination, error) from error


def _blobs(folder: Path) -> Path:
    return folder / "blobs" / "sha256"


def _file(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _link(path: Path, place: Path) -> None:
    """Give a file a second name where the disk can, for it is never changed; else copy it."""
    try:
        os.link(path, place)
    except OSError:
        shutil.copyfile(path, place)
