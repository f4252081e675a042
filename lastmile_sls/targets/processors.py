"""How many processors an instance of each cloud has. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from lastmile_sls.plan.cloud import cpu_of, form_of
from lastmile_sls.plan.document import Target
from lastmile_sls.spec.model import Spec

MB_PER_PROCESSOR = Decimal(1769)
"""Lambda: "At 1,769 MB, a function has the equivalent of one vCPU", and in proportion to it
(docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html, read in public copies 2026-11-30)."""
FLEX_PROCESSORS: Mapping[int, Decimal] = {512: Decimal("0.25"), 2048: Decimal(1), 4096: Decimal(2)}
"""Azure Functions: "typical allocations"
(learn.microsoft.com/azure/azure-functions/flex-consumption-plan, "Instance memory", read in a public copy 2026-11-30)."""


def processors(target: Target, spec: Spec) -> Decimal:
    """Return how many processors an instance has; with less than one it works so much slower."""
    memory_mb = spec.resources.memory_mb
    planned = cpu_of(target, spec)
    if planned is not None:
        return Decimal(str(planned))
    if target == "azure" and form_of(target, spec) == "zip":
        return FLEX_PROCESSORS[memory_mb]
    if target == "aws":
        return memory_mb / MB_PER_PROCESSOR
    raise ValueError(f"{target} does not say how many processors go with {memory_mb} MB")
