"""A function: a verified copy of its bundle, and the room that its processes get."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lastmile_runtime.errors import BundleError
from lastmile_runtime.manifest import FILE, Bundle
from lastmile_sls.errors import LastmileError
from lastmile_sls.files import make_private_folder
from lastmile_sls.local import supervise
from lastmile_sls.local.home import Place
from lastmile_sls.local.records import Record
from lastmile_sls.local.resources.kind import Kind

_AT_LEAST = {"memoryMb": 1, "timeoutS": 1, "idleTimeoutS": 1, "concurrency": 1, "minInstances": 0, "maxInstances": 1}


class Function(Kind):
    """It has no outputs beside its inputs."""

    def check(self, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The room must be positive."""
        return [
            (name, f"{name} is {inputs[name]!r}, but must be at least {least}.")
            for name, least in _AT_LEAST.items()
            if isinstance(inputs.get(name), (int, float)) and inputs[name] < least
        ]

    def make(self, place: Place, record: Record) -> dict[str, Any]:
        """Copy the bundle in, verified; the copy before this one is kept for processes that still run it."""
        wanted = place.bundle(record.name, record.inputs["bundleDigest"])
        if not wanted.exists():
            _copy(Path(record.inputs["source"]), wanted, record.inputs["bundleDigest"])
        others = sorted((f for f in wanted.parent.iterdir() if f != wanted), key=lambda f: f.stat().st_mtime)
        for old in others[:-1]:
            shutil.rmtree(old, ignore_errors=True)
        return {}

    def activate(self, place: Place, record: Record) -> None:
        """Let a running host take the change up."""
        supervise.reload(place)

    def drifted(self, place: Place, record: Record) -> list[str]:
        """Return `bundleDigest` when the copy is gone."""
        there = place.bundle(record.name, record.inputs["bundleDigest"]) / FILE
        return [] if there.exists() else ["bundleDigest"]

    def remove(self, place: Place, record: Record) -> None:
        """End its processes; delete its bundles and its log."""
        supervise.reload(place)
        shutil.rmtree(place.root / "functions" / record.name, ignore_errors=True)
        for log in place.logs.glob(f"{record.name}.log*"):
            log.unlink()


def _copy(source: Path, destination: Path, digest: str) -> None:
    make_private_folder(destination.parent)
    half = destination.with_name(f".{destination.name}")
    shutil.rmtree(half, ignore_errors=True)
    try:
        shutil.copytree(source, half)
        verify(half, digest)
        half.rename(destination)
    except (OSError, shutil.Error) as error:
        raise LastmileError(
            f"the bundle {source} could not be copied: {getattr(error, 'strerror', None) or error}.",
            "Run `lastmile up` again; it writes what is missing.",
        ) from error
    finally:
        shutil.rmtree(half, ignore_errors=True)


def verify(folder: Path, digest: str) -> None:
    """Check a bundle: the manifest's digest, every file's hash, and that nothing else is there. Raises LastmileError."""
    try:
        bundle = Bundle(str(folder), digest)
        for name in bundle.manifest.files:
            bundle.verify(name)
    except BundleError as error:
        raise LastmileError(
            f"the bundle is not the one that the plan names: {error}",
            "Build it anew: remove .lastmile beside the spec and run `lastmile up`.",
        ) from error
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
    foreign = there - set(bundle.manifest.files) - {FILE}
    if foreign:
        raise LastmileError(
            f"the bundle holds {sorted(foreign)[0]}, which its manifest does not name.",
            "Build it anew: remove .lastmile beside the spec and run `lastmile up`.",
        )


KIND = Function()
