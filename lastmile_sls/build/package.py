"""A bundle in the form that its target takes: a zip for Lambda and Azure Functions, else a container image."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from lastmile_runtime.manifest import RUNTIME_FILES
from lastmile_sls.bundle.archive import write_archive
from lastmile_sls.bundle.build import BuiltBundle
from lastmile_sls.bundle.bytecode import RUNTIME
from lastmile_sls.bundle.cache import Cache, key_of
from lastmile_sls.bundle.dependencies.environment import Environment
from lastmile_sls.bundle.dependencies.lock import FILE as LOCK
from lastmile_sls.errors import LastmileError
from lastmile_sls.files import size_of
from lastmile_sls.plan.document import Target
from lastmile_sls.spec.model import Spec
from lastmile_sls.targets.limits import violation

if TYPE_CHECKING:
    from lastmile_sls.bundle.oci.base_image import BaseImage
    from lastmile_sls.bundle.oci.image import Image
    from lastmile_sls.bundle.oci.image_config import ImageConfig
    from lastmile_sls.bundle.oci.layer import Layer

Tell = Callable[[str], None]
_LAMBDA_FOLDER = "/var/task"
_SERVER_FOLDER = "/app"
_MB = 1 << 20


def base_image_of(target: Target, spec: Spec) -> str:
    """Return the reference of the base image. Raises LastmileError when the spec names none."""
    reference = {
        "aws": spec.targets.aws.base_image,
        "gcp": spec.targets.gcp.base_image,
        "azure": spec.targets.azure.base_image,
    }.get(target)
    if reference is None:
        example = (
            "public.ecr.aws/lambda/python:3.13" if target == "aws" else "docker.io/library/python:3.13-slim"
        )
        raise LastmileError(
            f"targets.{target}.base_image is missing, but an image is built on one that has Python.",
            f"Name one, such as {example}, or oci:FOLDER for an OCI layout on this machine.",
        )
    return reference


def require_fit(target: Target, kind: str | None, function: str, bundle: Path) -> None:
    """Raise LastmileError for a bundle that is larger than the target takes."""
    if kind != "zip":
        return
    if found := violation(target, "unpacked size", size_of(bundle) / _MB):
        raise LastmileError(
            f"the bundle of {function}: {found}",
            f"Write targets.{target}.package: image, or leave requirements out.",
        )


def make_zip(bundle: BuiltBundle, destination: Path) -> None:
    """Write a bundle as a zip. Raises LastmileError."""
    packed = bundle.libraries.archive if bundle.libraries else None
    write_archive(bundle.folder, destination, packed, bundle.place)


def make_image(
    bundle: BuiltBundle,
    target: Target,
    base: BaseImage,
    destination: Path,
    cache: Cache,
    labels: Mapping[str, str],
) -> None:
    """Write a bundle as an image in place of the one that is there. Raises LastmileError."""
    half = destination.with_name(f".{destination.name}.new")
    shutil.rmtree(half, ignore_errors=True)
    assemble_image(bundle, target, base, half, cache, labels)
    shutil.rmtree(destination, ignore_errors=True)
    half.rename(destination)


def assemble_image(
    bundle: BuiltBundle,
    target: Target,
    base: BaseImage,
    destination: Path,
    cache: Cache,
    labels: Mapping[str, str],
) -> Image:
    """Write a bundle as an image: layers for its packages, the runtime, and the rest. Raises LastmileError."""
    from lastmile_sls.bundle.oci.image import assemble

    place = PurePosixPath(_LAMBDA_FOLDER if target == "aws" else _SERVER_FOLDER)
    tops = sorted(path.name for path in bundle.folder.iterdir())
    packages = bundle.place.partition("/")[0]
    parts = {
        "packages": [name for name in tops if name == packages],
        "runtime": [name for name in tops if name == RUNTIME],
        "model": [name for name in tops if name not in (packages, RUNTIME)],
    }
    layers = [_layer(bundle, name, files, place, cache) for name, files in parts.items() if files]
    return assemble(base, layers, _config(target, bundle.digest, labels), destination)


def _layer(bundle: BuiltBundle, name: str, files: list[str], place: PurePosixPath, cache: Cache) -> Layer:
    """Return a layer, from the cache where its files are as they were."""
    from lastmile_sls.bundle.oci.layer import Layer, make_layer

    manifest = json.loads((bundle.folder / "manifest.json").read_text(encoding="utf-8"))
    # Of the runtime's files the manifest has the hash of their list.
    named = [RUNTIME_FILES] if files == [RUNTIME] else files
    hashes = {
        path: entry["sha256"] for path, entry in manifest["files"].items() if path.partition("/")[0] in named
    }
    # The manifest itself is not among its files, but is as its digest says.
    key = key_of([hashes, str(place), name, bundle.digest if name == "model" else ""])

    def make(into: Path) -> None:
        layer = make_layer(bundle.folder, place, into, files=files, name=name)
        document = {**vars(layer), "path": layer.path.name}
        (into / "layer.json").write_text(json.dumps(document), encoding="utf-8")

    folder = cache.folder("layers", key, make)
    document = json.loads((folder / "layer.json").read_text(encoding="utf-8"))
    return Layer(**{**document, "path": folder / document["path"]})


def _config(target: Target, digest: str, labels: Mapping[str, str]) -> ImageConfig:
    from lastmile_sls.bundle.oci.image_config import ImageConfig

    environment = {"LASTMILE_MANIFEST_DIGEST": digest, "PYTHONDONTWRITEBYTECODE": "1"}
    if target == "aws":
        # Lambda's base images bring the entry point, and Lambda chooses the user.
        command = ["lastmile_runtime.adapters.aws.handler"]
        return ImageConfig(command=command, environment=environment, user=None, labels=labels)
    return ImageConfig(
        entrypoint=["python3", "-m", "lastmile_runtime.adapters.gcp"],
        environment=environment,
        working_directory=_SERVER_FOLDER,
        labels=labels,
        ports=[8080],
    )


def find_base(
    target: Target,
    spec: Spec,
    environment: Environment,
    folder: Path,
    cache: Path,
    environ: Mapping[str, str],
    tell: Tell,
) -> BaseImage:
    """Find the base image by the digest that the lock has; where it has none, put it there. Raises LastmileError."""
    from lastmile_sls.bundle.dependencies.lock_file import change_lock, read_lock
    from lastmile_sls.bundle.oci.base_image import resolve_base
    from lastmile_sls.bundle.oci.credentials import docker_credentials

    reference, lock = base_image_of(target, spec), folder / LOCK
    tell(f"looking for the base image {reference}")
    known = read_lock(lock).bases.get(reference)
    named = located(reference, folder)
    if known and "@" not in named:
        named = f"{named}@{known}"
    base = resolve_base(named, environment.processor, cache / "images", docker_credentials(environ))
    pinned = base.pinned.rpartition("@")[2]
    if known is None:
        change_lock(lock, lambda before: before.with_base(reference, pinned))
    return base


def named_base(target: Target, spec: Spec, folder: Path) -> str:
    """Return the base image as the lock has it, by digest, else as the spec names it. Raises LastmileError for none."""
    from lastmile_sls.bundle.dependencies.lock_file import read_lock

    reference = base_image_of(target, spec)
    known = read_lock(folder / LOCK).bases.get(reference)
    return f"{reference}@{known}" if known and "@" not in reference else reference


def labels_of(spec: Spec, function: str) -> dict[str, str]:
    """Return what an image says of itself (the OCI image specification, Annotations)."""
    return {"org.opencontainers.image.title": f"{spec.name} {function}"}


def located(reference: str, folder: Path) -> str:
    """Return a reference with the path of a layout, which is relative to the spec's folder, made whole."""
    from lastmile_sls.bundle.oci.reference import LayoutReference, parse_reference

    parsed = parse_reference(reference)
    if isinstance(parsed, LayoutReference):
        return str(replace(parsed, folder=folder / parsed.folder))
    return reference
