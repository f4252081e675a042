"""What the local target, an embedded cloud on this machine, can carry."""

from __future__ import annotations

from dataclasses import dataclass

from lastmile_sls.spec.model import Spec
from lastmile_sls.targets import rules, work
from lastmile_sls.targets.refusal import Note, Refusal


@dataclass(frozen=True)
class Machine:
    """The facts about this machine that limit a deployment."""

    memory_mb: int
    processor: str
    """`x86_64` or `arm64`."""
    variables: frozenset[str] = frozenset()
    """The names of the environment variables where lastmile runs."""


def this_machine() -> Machine:
    """Return what limits a deployment here."""
    import os
    import platform

    import psutil

    processor = {"AMD64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return Machine(psutil.virtual_memory().total // 2**20, processor, frozenset(os.environ))


def refusals(spec: Spec, machine: Machine) -> list[Refusal]:
    """Return every field of the spec that cannot be carried out here; empty when it fits."""
    return [
        *rules.artifacts("local", spec),
        *_endpoint(spec),
        *_secrets(spec, machine),
        *_resources(spec, machine),
        *work.refusals("local", spec),
    ]


def notes(spec: Spec) -> list[Note]:
    """Return what this machine does in its own way."""
    told = {
        "operations": (spec.operations, "this machine tells nobody: see lastmile status, and /metrics"),
        "budget": (spec.budget, "what runs on this machine costs nothing"),
    }
    return [Note(field, words) for field, (section, words) in told.items() if section is not None]


def _endpoint(spec: Spec) -> list[Refusal]:
    found = []
    if spec.endpoint.auth == "iam":
        change = "Use key, jwt or public."
        found.append(Refusal("endpoint.auth", spec.endpoint.auth, rules.later_on("local"), change))
    if spec.endpoint.domain:
        rule = "the local target is reached on this machine only"
        found.append(Refusal("endpoint.domain", spec.endpoint.domain, rule, "Take it out."))
    return found


def _secrets(spec: Spec, machine: Machine) -> list[Refusal]:
    """Refuse secrets that functions here would not have: this machine has no vault, they take the variables as they are."""
    needed = dict(spec.secrets)
    if spec.queue and spec.queue.callback:
        needed.setdefault(spec.queue.callback.secret, "")
    rule = "this machine has no vault, and the variable {variable} is not set where lastmile runs"
    return [
        Refusal(
            f"secrets.{variable}" if name else "queue.callback.secret",
            name or variable,
            rule.format(variable=variable),
            "Set it there.",
        )
        for variable, name in needed.items()
        if variable not in machine.variables
    ]


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
