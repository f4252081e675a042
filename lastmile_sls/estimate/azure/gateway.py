"""Front Door's price: a base fee, requests, and what goes to the function and to callers. Pure."""

from __future__ import annotations

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.document import WHOLE, Component
from lastmile_sls.estimate.month import Month
from lastmile_sls.estimate.volume import requests, sent_gib, taken_gib, used
from lastmile_sls.policy.resource import Resource, at

_STANDARD = "Standard_AzureFrontDoor"


def profile(resource: Resource, month: Month) -> list[Component]:
    """Return what a profile of the Standard tier costs, with callers in the part of the world where the function is.

    learn.microsoft.com/azure/frontdoor/billing (2023-12-28). Raises LastmileError for another tier.
    """
    tier = at(resource.inputs, "sku.name")
    if tier != _STANDARD:
        raise LastmileError(
            f"sku.name of {resource} is {tier!r}, but only {_STANDARD} is priced.", "Use that tier."
        )
    return [
        month.component("Base fee", "azure.frontdoor.base", WHOLE, usage_based=False),
        used(month, "Requests", "azure.frontdoor.requests", requests(month)),
        used(month, "Data to the function", "azure.frontdoor.origin", taken_gib(month)),
        used(month, "Data to callers", "azure.frontdoor.egress", sent_gib(month)),
    ]
