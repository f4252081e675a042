"""What the local target, an embedded cloud on this machine, can carry."""

from __future__ import annotations

from dataclasses import dataclass

from lastmile_sls.spec.model import Spec
from lastmile_sls.targets import rules
from lastmile_sls.targets.refusal import Note, Refusal


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
        *rules.artifacts("local", spec),
        *_endpoint(spec),
        *_resources(spec, machine),
        *rules.later("local", spec),
    ]


def notes(spec: Spec) -> list[Note]:
    """Return what this machine does in its own way: nothing."""
    return []


def _endpoint(spec: Spec) -> list[Refusal]:
    found = []
    if spec.endpoint.auth == "iam":
        change = "Use key, jwt or public."
        found.append(Refusal("endpoint.auth", spec.endpoint.auth, rules.later_on("local"), change))
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
