"""What an image runs, and how: its config and its manifest, from the base's and what is put on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lastmile_sls.bundle.oci.base_image import BaseImage
from lastmile_sls.bundle.oci.descriptor import LAYERS, MANIFEST, Descriptor
from lastmile_sls.bundle.oci.layer import Layer
from lastmile_sls.bundle.oci.reference import RegistryReference

EPOCH = "1970-01-01T00:00:00Z"
NOBODY = "65532:65532"
"""A user and a group without a name or rights, as ko and distroless images have."""


@dataclass(frozen=True)
class ImageConfig:
    """How a container of the image is started; what is None is as the base has it."""

    entrypoint: Sequence[str] | None = None
    """Given, it also drops the base's command, as in a Dockerfile."""
    command: Sequence[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the base's; here wins."""
    working_directory: str | None = None
    user: str | None = NOBODY
    labels: Mapping[str, str] = field(default_factory=dict)
    """Added to the base's; here wins."""
    ports: Sequence[int] = ()
    """TCP ports that it listens on, added to the base's."""


def config_document(base: BaseImage, layers: Sequence[Layer], config: ImageConfig) -> dict[str, Any]:
    """Return the image's config (image specification, config.md)."""
    variant = {"variant": base.config["variant"]} if base.config.get("variant") else {}
    added = [{"created": EPOCH, "created_by": "lastmile", "comment": layer.name} for layer in layers]
    return {
        "created": EPOCH,
        "os": "linux",
        "architecture": base.platform.architecture,
        **variant,
        "config": _run_config(base.config.get("config") or {}, config),
        "rootfs": {
            "type": "layers",
            "diff_ids": [*base.config["rootfs"]["diff_ids"], *(layer.diff_id for layer in layers)],
        },
        "history": [*_history(base), *added],
    }


def manifest_document(base: BaseImage, layers: Sequence[Layer], config: Descriptor) -> dict[str, Any]:
    """Return the image's manifest, which names the base in a registry (image specification, annotations.md)."""
    carried = [Descriptor(LAYERS[layer.media_type], layer.digest, layer.size) for layer in base.layers]
    annotations = {"org.opencontainers.image.base.digest": base.manifest.digest}
    if isinstance(base.reference, RegistryReference):
        annotations["org.opencontainers.image.base.name"] = base.reference.name
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.document,
        "layers": [layer.document for layer in (*carried, *(layer.descriptor for layer in layers))],
        "annotations": annotations,
    }


def _run_config(base: Mapping[str, Any], config: ImageConfig) -> dict[str, Any]:
    run = dict(base)
    if config.entrypoint is not None:
        run["Entrypoint"] = list(config.entrypoint)
        run.pop("Cmd", None)
    if config.command is not None:
        run["Cmd"] = list(config.command)
    if config.working_directory is not None:
        run["WorkingDir"] = config.working_directory
    if config.user is not None:
        run["User"] = config.user
    run["Env"] = _environment(base.get("Env") or [], config.environment)
    run["Labels"] = {**(base.get("Labels") or {}), **config.labels}
    run["ExposedPorts"] = {**(base.get("ExposedPorts") or {}), **{f"{port}/tcp": {} for port in config.ports}}
    return {
        name: value for name, value in run.items() if value or name not in ("Env", "Labels", "ExposedPorts")
    }


def _environment(base: Sequence[str], added: Mapping[str, str]) -> list[str]:
    """Return variables as `NAME=VALUE`, the base's in their order."""
    for name in added:
        if not name or "=" in name:
            raise ValueError(f"{name!r} is no name of an environment variable")
    found = dict(entry.partition("=")[::2] for entry in base) | dict(sorted(added.items()))
    return [f"{name}={value}" for name, value in found.items()]


def _history(base: BaseImage) -> list[Any]:
    """Return the base's history; one that does not go with its layers is replaced, as tools count them."""
    history = base.config.get("history")
    if isinstance(history, list):
        filled = [entry for entry in history if not (isinstance(entry, dict) and entry.get("empty_layer"))]
        if len(filled) == len(base.layers):
            return history
    return [{"created": EPOCH, "comment": "base"} for _ in base.layers]
