"""Which targets can carry a spec: before anything is built, and side by side. Pure, but for what this machine is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from lastmile_sls.plan.document import Target
from lastmile_sls.spec.model import Spec
from lastmile_sls.targets import aws, azure, environments, gcp, local
from lastmile_sls.targets.refusal import Note, Refusal

TARGETS: tuple[Target, ...] = get_args(Target)


@dataclass(frozen=True)
class Fit:
    """Whether a target can carry a spec."""

    target: Target
    refusals: tuple[Refusal, ...]
    """Why not; empty when it can."""
    notes: tuple[Note, ...]
    """What it does in its own way."""

    @property
    def fits(self) -> bool:
        """Whether the target carries all of it."""
        return not self.refusals


def refusals(target: Target, spec: Spec) -> list[Refusal]:
    """Return every field of the spec that a target cannot carry out; empty when it fits."""
    match target:
        case "local":
            found = local.refusals(spec, local.this_machine())
        case "aws":
            found = aws.refusals(spec)
        case "gcp":
            found = gcp.refusals(spec)
        case "azure":
            found = azure.refusals(spec)
    return [*environments.refusals(target, spec), *found]


def notes(target: Target, spec: Spec) -> list[Note]:
    """Return what a target does in its own way, where that shows."""
    match target:
        case "local":
            return local.notes(spec)
        case "aws":
            return aws.notes(spec)
        case "gcp":
            return gcp.notes(spec)
        case "azure":
            return azure.notes(spec)


def fit(target: Target, spec: Spec) -> Fit:
    """Return whether a target can carry a spec."""
    return Fit(target, tuple(refusals(target, spec)), tuple(notes(target, spec)))
