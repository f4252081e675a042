"""Which memory sizes of a target are compared, whether each carries the spec, and how much processor each has. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.document import Target
from lastmile_sls.spec.model import Resources, Spec
from lastmile_sls.targets.compare import memory_limit
from lastmile_sls.targets.fit import Fit, fit
from lastmile_sls.targets.limits import Limit
from lastmile_sls.targets.processors import processors

CLOUDS: tuple[Target, ...] = ("aws", "gcp", "azure")
"""What is compared: this machine has no meter."""
_STEPS = (Decimal("0.5"), Decimal(1), Decimal(2), Decimal(4))
"""Of the spec's memory, where nobody names sizes."""


@dataclass(frozen=True)
class Size:
    """A target's instances with so much memory."""

    target: Target
    spec: Spec
    """With this memory."""
    fit: Fit
    is_specs: bool
    """Whether it is the memory that the spec names."""
    nearest_mb: int | None
    """The nearest memory that the target has; None where it has this one."""

    @property
    def memory_mb(self) -> int:
        """Of an instance."""
        return self.spec.resources.memory_mb

    @property
    def processors(self) -> Decimal | None:
        """Of an instance; None where its target has no such memory."""
        return processors(self.target, self.spec) if self.nearest_mb is None else None


def sizes(target: Target, spec: Spec, asked: Sequence[int] = ()) -> list[Size]:
    """Return the sizes of a target that are looked at, the smallest first.

    Args:
        target: A cloud.
        spec: The spec.
        asked: Memory in MB. Default: all that the target has where those are few, else some around the spec's.

    Raises LastmileError for memory that no spec may have.
    """
    limit = memory_limit(target, spec)
    found = []
    for memory_mb in sorted(set(asked or _around(limit, spec.resources.memory_mb))):
        sized = spec.with_memory(_checked(memory_mb))
        is_there = limit is None or limit.allows(memory_mb)
        nearest = None if limit is None or is_there else _nearest(limit, memory_mb)
        found.append(Size(target, sized, fit(target, sized), memory_mb == spec.resources.memory_mb, nearest))
    return found


def _around(limit: Limit | None, memory_mb: int) -> set[int]:
    """Return half the memory, the memory, two and four times as much, as far as the target has that."""
    if limit is not None and limit.choices:
        return {int(choice) for choice in limit.choices}
    wanted = [int(memory_mb * step) for step in _STEPS]
    if limit is None:
        return set(wanted)
    if limit.step:
        wanted = [int(-(-memory // limit.step) * limit.step) for memory in wanted]
    return {memory for memory in wanted if limit.allows(memory)} or {_nearest(limit, memory_mb)}


def _nearest(limit: Limit, memory_mb: int) -> int:
    if limit.choices:
        return int(min(limit.choices, key=lambda choice: abs(choice - memory_mb)))
    if limit.step:
        memory_mb = int(-(-memory_mb // limit.step) * limit.step)
    return int(min(max(memory_mb, limit.least), limit.most))


def _checked(memory_mb: int) -> int:
    allowed = Resources.model_json_schema()["properties"]["memory_mb"]
    least, most = allowed["minimum"], allowed["maximum"]
    if not least <= memory_mb <= most:
        raise LastmileError(
            f"--memory has {memory_mb}, but memory is from {least} to {most} MB.", "Name another size."
        )
    return memory_mb
