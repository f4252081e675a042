"""What each part of a bootstrap costs: list prices in USD, each with its page and the day it was read. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from lastmile_sls.bootstrap.document import BootstrapPlan, Cloud

PRICED_IN: dict[Cloud, str] = {"aws": "us-east-1", "gcp": "us-central1", "azure": "eastus"}
"""Whose prices these are; other regions' differ a little."""
_S3 = "https://aws.amazon.com/s3/pricing/"
_GCS = "https://cloud.google.com/storage/pricing"
_BLOBS = "https://azure.microsoft.com/pricing/details/storage/blobs/"
_READ = "2026-11-29"
_FACTS = "2026-11-23"
"""When the prices that a deployment is estimated with were read."""
_ELSEWHERE = ""


@dataclass(frozen=True)
class Cost:
    """One part, and what it costs."""

    part: str
    what: str
    """What it is called in the cloud."""
    monthly_usd: Decimal
    """While nobody uses it."""
    by_use: str | None
    """What its use costs; None where that is free."""
    source: str
    read: str
    """The day on which the page, or a public copy of it, said so, YYYY-MM-DD; empty: it was told elsewhere."""

    @property
    def stated(self) -> str:
        """Where it is said, and when; and that it is unverified, where nobody read it there."""
        return f"{self.source} ({self.read or 'unverified'})"

    @property
    def price(self) -> str:
        """Both in one line."""
        fixed = f"${self.monthly_usd} a month" if self.monthly_usd else ""
        used = self.by_use or ("" if fixed else "free")
        return ", and ".join(text for text in (fixed, used) if text)


_NOTHING = Decimal(0)
_STORED: dict[Cloud, tuple[str, str, str]] = {
    "aws": ("$0.023 per GB-month, $0.005 per 1000 writes", _S3, _ELSEWHERE),
    "gcp": ("$0.020 per GB-month, $0.005 per 1000 writes", _GCS, _READ),
    "azure": ("$0.0184 per GB-month, $0.05 per 10 000 writes", _BLOBS, _FACTS),
}


def costs_of(plan: BootstrapPlan) -> list[Cost]:
    """Return what every part of the plan costs, in the order in which they are told."""
    found = [_state(plan), *_tags(plan)]
    if plan["billing"]:
        found.append(_billing(plan, plan["billing"]["name"]))
    if plan["registry"]:
        found.append(_registry(plan["target"], plan["registry"]["name"]))
    if plan["key"]:
        found.append(_key(plan["target"], plan["key"]["name"]))
    if plan["anomalies"]:
        page = "https://aws.amazon.com/aws-cost-management/aws-cost-anomaly-detection/"
        found.append(_free("anomaly alerts", ", ".join(plan["anomalies"]["notify"]), page))
    return found


def monthly_usd(costs: list[Cost]) -> Decimal:
    """Return what all of it costs a month while nobody uses it."""
    return sum((cost.monthly_usd for cost in costs), _NOTHING)


def _free(part: str, what: str, source: str) -> Cost:
    return Cost(part, what, _NOTHING, None, source, _READ)


def _state(plan: BootstrapPlan) -> Cost:
    used, source, read = _STORED[plan["target"]]
    container = plan["state"]["container"]
    name = plan["state"]["name"] + (f"/{container}" if container else "")
    return Cost("state", name, _NOTHING, used, source, read)


def _tags(plan: BootstrapPlan) -> list[Cost]:
    found = []
    if plan["cost_tags"]:
        page = "https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html"
        found.append(_free("cost tags", ", ".join(plan["cost_tags"]), page))
    if plan["inherit_tags"]:
        page = "https://learn.microsoft.com/azure/cost-management-billing/costs/enable-tag-inheritance"
        found.append(_free("tag inheritance", "of the subscription", page))
    if plan["apis"]:
        page = "https://cloud.google.com/service-usage/docs/enable-disable"
        found.append(_free("APIs", f"{len(plan['apis'])} turned on", page))
    return found


def _billing(plan: BootstrapPlan, name: str) -> Cost:
    match plan["target"]:
        case "gcp":
            used = (
                "free to 10 GiB stored and 1 TiB queried a month, then $0.02 per GiB-month and $6.25 per TiB"
            )
            return Cost(
                "billing", name, _NOTHING, used, "https://cloud.google.com/bigquery/pricing", _ELSEWHERE
            )
        case "aws" | "azure":
            used, source, read = _STORED[plan["target"]]
            return Cost("billing", name, _NOTHING, f"the files: {used}", source, read)


def _registry(target: Cloud, name: str) -> Cost:
    match target:
        case "aws":
            used = "$0.10 per GB-month"
            return Cost("registry", name, _NOTHING, used, "https://aws.amazon.com/ecr/pricing/", _FACTS)
        case "gcp":
            used = "free to 0.5 GB, then $0.10 per GB-month"
            page = "https://cloud.google.com/artifact-registry/pricing"
            return Cost("registry", name, _NOTHING, used, page, _READ)
        case "azure":
            page = "https://azure.microsoft.com/pricing/details/container-registry/"
            return Cost("registry", name, Decimal("5.08"), "$0.10 per GB-month above 10 GB", page, _ELSEWHERE)


def _key(target: Cloud, name: str) -> Cost:
    match target:
        case "aws":
            used = (
                "$1.00 more for the first and the second yearly rotation, $0.03 per 10 000 uses after 20 000"
            )
            return Cost("key", name, Decimal("1.00"), used, "https://aws.amazon.com/kms/pricing/", _READ)
        case "gcp":
            used = "$0.06 more for each yearly rotation, $0.03 per 10 000 uses"
            return Cost("key", name, Decimal("0.06"), used, "https://cloud.google.com/kms/pricing", _READ)
        case "azure":
            page = "https://azure.microsoft.com/pricing/details/key-vault/"
            return Cost("key", name, _NOTHING, "$0.03 per 10 000 uses", page, _ELSEWHERE)
