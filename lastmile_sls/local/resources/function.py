"""A function: a verified copy of its bundle, and the room that its processes get."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from lastmile_runtime.manifest import FILE
from lastmile_sls.bundle.verify import verify_bundle
from lastmile_sls.errors import LastmileError
from lastmile_sls.files import make_private_folder
from lastmile_sls.local import records, supervise
from lastmile_sls.local.callback_secret import check_secret, give_to_host
from lastmile_sls.local.home import Place
from lastmile_sls.local.records import Record
from lastmile_sls.local.resources.kind import Kind, too_small

_AT_LEAST = {
    "memoryMb": 1,
    "timeoutS": 1,
    "idleTimeoutS": 1,
    "concurrency": 1,
    "minInstances": 0,
    "maxInstances": 1,
}
_RESERVED = "LASTMILE_"


class Function(Kind):
    """It has no outputs beside its inputs."""

    def check(self, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The room must be positive, and the runtime's own variables are not the user's to set."""
        wrong = too_small(inputs, _AT_LEAST)
        least, most = inputs.get("minInstances"), inputs.get("maxInstances")
        if not wrong and least is not None and most is not None and least > most:
            wrong.append(("minInstances", f"minInstances is {least}, but maxInstances is {most}."))
        if inputs.get("bucket") is None:
            wrong += [
                (name, f"{name} is {inputs[name]!r}, but bucket, where it keeps things, is missing.")
                for name in ("queue", "routingDocument")
                if inputs.get(name) is not None
            ]
        wrong += [
            (
                "environment",
                f"environment.{name} is set, but names that begin with {_RESERVED} are the runtime's.",
            )
            for name in inputs.get("environment") or {}
            if name.startswith(_RESERVED)
        ]
        if inputs.get("name") in (inputs.get("calls") or ()):
            wrong.append(("calls", f"calls names {inputs['name']}, but a function cannot ask itself."))
        return wrong

    def make(self, place: Place, record: Record) -> dict[str, Any]:
        """Copy the bundle in, verified. Earlier copies stay until the host's processes have done with them."""
        for called in record.inputs.get("calls") or ():
            if records.get(place, "function", called) is None:
                raise LastmileError(
                    f"the function {record.name} of {place.deployment} calls the function {called}, which does not exist.",
                    "Make that one first.",
                )
        if record.inputs.get("callback"):
            check_secret(record.inputs["callback"]["secret"])
        wanted = place.bundle(record.name, record.inputs["bundleDigest"])
        if not wanted.exists():
            _copy(Path(record.inputs["source"]), wanted, record.inputs["bundleDigest"])
        return {}

    def activate(self, place: Place, record: Record) -> None:
        """Let a running host take the change up; it removes earlier copies once they are unused."""
        if record.inputs.get("callback"):
            give_to_host(place, record.inputs["callback"]["secret"])
        supervise.reload(place)
        if not supervise.is_running(place):
            remove_old_bundles(place, record.name, used=())

    def restore(self, place: Place, record: Record) -> None:
        """Let a running host run what it ran before."""
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


def remove_old_bundles(place: Place, name: str, used: Collection[Path]) -> None:
    """Delete a function's copies that neither its record names nor a process uses."""
    record = records.get(place, "function", name)
    wanted = place.bundle(name, record.inputs["bundleDigest"]) if record else None
    for folder in (place.root / "functions" / name).glob("[!.]*"):
        if folder != wanted and folder not in used:
            shutil.rmtree(folder, ignore_errors=True)


def _copy(source: Path, destination: Path, digest: str) -> None:
    make_private_folder(destination.parent)
    half = destination.with_name(f".{destination.name}")
    shutil.rmtree(half, ignore_errors=True)
    try:
        shutil.copytree(source, half, copy_function=shutil.copyfile)
        for path in (half, *half.rglob("*")):
            path.chmod(0o700 if path.is_dir() else 0o600)
        verify_bundle(half, digest)
        half.rename(destination)
    except (OSError, shutil.Error) as error:
        raise LastmileError(
            f"the bundle {source} could not be copied: {getattr(error, 'strerror', None) or error}.",
            "Run `lastmile up` again; it writes what is missing.",
        ) from error
    finally:
        shutil.rmtree(half, ignore_errors=True)


KIND = Function()
