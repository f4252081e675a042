"""What the local target, an embedded cloud on this machine, can carry."""

from __future__ import annotations

from dataclasses import dataclass

from lastmile_sls.spec.model import Spec
from lastmile_sls.targets.refusal import Note, Refusal

_LATER = "lastmile 0.1 does not carry it on the local target"


@dataclass(frozen=True)
class Machine:
    """The facts about this machine that limit a deployment."""

    memory_mb: int
    processor: str
    """`x86_64` or `arm64`."""


def this_machine() -> Machine:
    """Return what limits a deployment here."""
    import platform

    import psutil

    processor = {"AMD64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return Machine(psutil.virtual_memory().total // 2**20, processor)


def refusals(spec: Spec, machine: Machine) -> list[Refusal]:
    """Return every field of the spec that cannot be carried out here; empty when it fits."""
    return [
        *_versions(spec),
        *_endpoint(spec),
        *_resources(spec, machine),
        *_later(spec),
    ]


def notes(spec: Spec) -> list[Note]:
    """Return what this machine does in its own way: nothing."""
    return []


def _versions(spec: Spec) -> list[Refusal]:
    found = []
    for index, version in enumerate(spec.versions):
        if "://" in version.artifact:
            change = "Fetch the file and name its path."
            found.append(Refusal(f"versions[{index}].artifact", version.artifact, _LATER, change))
    return found


def _endpoint(spec: Spec) -> list[Refusal]:
    found = []
    if spec.endpoint.auth == "iam":
        change = "Use key, jwt or public."
        found.append(Refusal("endpoint.auth", spec.endpoint.auth, _LATER, change))
    if spec.secrets:
        change = "Take them out, and set the variables where lastmile runs."
        found.append(Refusal("secrets", dict(spec.secrets), "this machine has no vault", change))
    if spec.endpoint.domain:
        rule = "the local target is reached on this machine only"
        found.append(Refusal("endpoint.domain", spec.endpoint.domain, rule, "Take it out."))
    return found


def _resources(spec: Spec, machine: Machine) -> list[Refusal]:
    found = []
    resources = spec.resources
    if resources.memory_mb > machine.memory_mb:
        rule = f"this machine has {machine.memory_mb} MB"
        found.append(Refusal("resources.memory_mb", resources.memory_mb, rule, "Lower it."))
    if resources.gpu is not None:
        rule = "lastmile gives functions on this machine none"
        found.append(Refusal("resources.gpu", resources.gpu, rule, "Take it out, or deploy to gcp."))
    if resources.processor not in (None, machine.processor):
        rule = f"this machine is {machine.processor}"
        change = "Take it out, or deploy to a cloud."
        found.append(Refusal("resources.processor", resources.processor, rule, change))
    return found


def _later(spec: Spec) -> list[Refusal]:
    fields = {"schedule": spec.schedule, "budget": spec.budget}
    given = {name: value for name, value in fields.items() if value is not None}
    return [
        Refusal(name, value.model_dump(exclude_defaults=True), _LATER, "Take it out.")
        for name, value in given.items()
    ]
