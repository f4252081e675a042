"""Cost that nothing says the model of, split over the models of the same cloud by a rule. Pure.

`even`: each model and environment that cost anything there has the same part. `proportional`: as much of it as of the
cost that is its own. `none`: it stays apart. What a cloud without any model has stays apart in any case.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from lastmile_sls.costs.report.amounts import NOTHING, ZERO, Amounts, split
from lastmile_sls.costs.report.document import Share
from lastmile_sls.costs.report.queries import ModelKey

RULES: dict[Share, str] = {
    "none": "Cost that is attributed to no model is shown apart, and split over none.",
    "even": "Cost that is attributed to no model is split evenly over the models that cost anything in the same "
    "cloud, and shown apart from what is their own.",
    "proportional": "Cost that is attributed to no model is split over the models in the same cloud in proportion to "
    "their own effective cost there, and shown apart from what is their own.",
}


def shared(
    unattributed: Mapping[str, Amounts], attributed: Mapping[str, Mapping[ModelKey, Decimal]], rule: Share
) -> tuple[dict[ModelKey, Amounts], Amounts]:
    """Return each model's part, and what is left over that no model could take.

    Args:
        unattributed: By cloud.
        attributed: By cloud, each model's own effective cost.
        rule: How it is split.
    """
    parts: dict[ModelKey, Amounts] = {}
    left = NOTHING
    for cloud, amounts in unattributed.items():
        weights = _weights(attributed.get(cloud, {}), rule)
        if not weights:
            left += amounts
            continue
        four = [split(amount, list(weights.values())) for amount in amounts.all]
        for key, part in zip(weights, zip(*four, strict=True), strict=True):
            parts[key] = parts.get(key, NOTHING) + Amounts(*part)
    return parts, left


def _weights(own: Mapping[ModelKey, Decimal], rule: Share) -> dict[ModelKey, Decimal]:
    """Return what each model weighs; refunds do not make a model pay less of what is shared than nothing."""
    if rule == "none":
        return {}
    paid = {key: cost for key, cost in own.items() if cost > ZERO}
    return paid if rule == "proportional" else dict.fromkeys(paid, Decimal(1))
