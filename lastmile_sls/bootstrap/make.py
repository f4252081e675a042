"""From what is asked to the plan of what an account shares. Pure."""

from __future__ import annotations

import hashlib

from lastmile_sls.bootstrap.document import (
    FORMAT,
    PROJECT,
    AnomalyPlan,
    BillingPlan,
    BootstrapPlan,
    Cloud,
    KeyPlan,
    RegistryPlan,
    StatePlan,
)
from lastmile_sls.bootstrap.options import Wanted
from lastmile_sls.spec.tags import FIXED_KEYS, encode

GROUP = "lastmile-bootstrap"
"""Azure's resource group."""
_REGISTRY = "lastmile"
_OLD_STATES_DAYS = 90
_OLD_BILLS_DAYS = 14
_INCOMPLETE_UPLOADS_DAYS = 7
_UNTAGGED_DAYS = 14
_ROTATION_DAYS = 365
_LEAST_USD = 20
_APIS = (
    "artifactregistry",
    "bigquery",
    "billingbudgets",
    "cloudscheduler",
    "iam",
    "monitoring",
    "pubsub",
    "run",
    "secretmanager",
    "storage",
)
"""What deployments use, and the bootstrap itself."""
_AWS_TABLE = "FOCUS_1_2_AWS"
_AWS_COLUMNS = (
    "AvailabilityZone",
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingAccountType",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "CapacityReservationId",
    "CapacityReservationStatus",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountQuantity",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "CommitmentDiscountUnit",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingCurrency",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "Tags",
    "x_Discounts",
    "x_Operation",
    "x_ServiceCode",
)
"""All of the table: Data Exports takes named columns
(docs.aws.amazon.com/cur/latest/userguide/table-dictionary-focus-1-2-aws-columns.html, 2026-11-29)."""
_AZURE_FOCUS = "1.0r2"
"""The newest version that is no preview (learn.microsoft.com/azure/cost-management-billing/dataset-schema/
cost-usage-details-focus, 2026-11-29)."""


def make_plan(wanted: Wanted, backend: str | None = None) -> BootstrapPlan:
    """Return the plan.

    Args:
        wanted: What is asked.
        backend: Where the stack's own state was moved to.
    """
    asked, target = wanted.asked, wanted.target
    return {
        "format": FORMAT,
        "project": PROJECT,
        "stack": wanted.stack,
        "target": target,
        "account": wanted.account,
        "region": wanted.region,
        "tags": {
            "model": "shared",
            "environment": "shared",
            "owner": encode(asked["owner"]),
            "cost-center": encode(asked["cost_center"]),
            "managed-by": "lastmile",
        },
        "group": GROUP if target == "azure" else None,
        "apis": _apis(wanted),
        "cost_tags": list(FIXED_KEYS) if asked["activate_tags"] else [],
        "inherit_tags": asked["inherit_tags"],
        "state": _state(wanted),
        "billing": _billing(wanted) if asked["billing"] else None,
        "registry": _registry(wanted) if asked["registry"] else None,
        "key": _key(wanted) if asked["kms"] else None,
        "anomalies": _anomalies(wanted),
        "asked": asked,
        "backend": backend,
    }


def _state(wanted: Wanted) -> StatePlan:
    """Return where the state lies, by a name that every machine works out alike."""
    name, container, url = {
        "aws": _aws_state,
        "gcp": _gcp_state,
        "azure": _azure_state,
    }[wanted.target](wanted)
    return {
        "name": name,
        "container": container,
        "url": url,
        "old_versions_days": _OLD_STATES_DAYS,
        "incomplete_uploads_days": _INCOMPLETE_UPLOADS_DAYS,
    }


def _aws_state(wanted: Wanted) -> tuple[str, None, str]:
    name = f"lastmile-state-{wanted.account}-{wanted.region}"
    return name, None, f"s3://{name}?region={wanted.region}"


def _gcp_state(wanted: Wanted) -> tuple[str, None, str]:
    name = f"{wanted.account}-lastmile-state"
    return name, None, f"gs://{name}"


def _azure_state(wanted: Wanted) -> tuple[str, str, str]:
    name = f"lastmile{_mark(wanted, 16)}"
    return name, "state", f"azblob://state?storage_account={name}"


def _billing(wanted: Wanted) -> BillingPlan:
    match wanted.target:
        case "aws":
            return {
                "name": f"lastmile-billing-{wanted.account}-{wanted.region}",
                "location": wanted.region,
                "export": "lastmile-focus",
                "prefix": "focus",
                "query": " ".join(["SELECT", ", ".join(_AWS_COLUMNS), "FROM", _AWS_TABLE]),
                "version": None,
                "old_versions_days": _OLD_BILLS_DAYS,
                "incomplete_uploads_days": _INCOMPLETE_UPLOADS_DAYS,
            }
        case "gcp":
            return {
                "name": "lastmile_billing",
                "location": _dataset_location(wanted.region),
                "export": None,
                "prefix": None,
                "query": None,
                "version": None,
                "old_versions_days": None,
                "incomplete_uploads_days": None,
            }
        case "azure":
            return {
                "name": "billing",
                "location": wanted.region,
                "export": "lastmile-focus",
                "prefix": "focus",
                "query": None,
                "version": _AZURE_FOCUS,
                "old_versions_days": None,
                "incomplete_uploads_days": None,
            }


def _dataset_location(region: str) -> str:
    """Return a multi-region where there is one: only then Google fills in the month before."""
    multi_regions = {"europe": "EU", "us": "US", "northamerica": "US"}
    return multi_regions.get(region.partition("-")[0], region)


def _registry(wanted: Wanted) -> RegistryPlan:
    name = f"lastmile{_mark(wanted, 16)}" if wanted.target == "azure" else _REGISTRY
    return {"name": name, "untagged_days": _UNTAGGED_DAYS}


def _key(wanted: Wanted) -> KeyPlan:
    match wanted.target:
        case "aws":
            ring, name = None, "lastmile-pulumi"
            url = f"awskms://alias/{name}?region={wanted.region}"
        case "gcp":
            ring, name = "lastmile", "pulumi"
            path = f"projects/{wanted.account}/locations/{wanted.region}/keyRings/{ring}/cryptoKeys/{name}"
            url = f"gcpkms://{path}"
        case "azure":
            ring, name = f"lastmile-{_mark(wanted, 12)}", "pulumi"
            url = f"azurekeyvault://{ring}.vault.azure.net/keys/{name}"
    rotation = None if wanted.target == "azure" else _ROTATION_DAYS
    return {"ring": ring, "name": name, "url": url, "rotation_days": rotation}


def _apis(wanted: Wanted) -> list[str]:
    if wanted.target != "gcp":
        return []
    return sorted([*_APIS, "cloudkms"]) if wanted.asked["kms"] else list(_APIS)


def _anomalies(wanted: Wanted) -> AnomalyPlan | None:
    """Return who is told; nobody before the tag that is watched is one that the bill knows."""
    asked = wanted.asked
    if not (asked["notify"] and asked["activate_tags"]):
        return None
    return {
        "name": "lastmile",
        "tag": {"key": "managed-by", "value": "lastmile"},
        "notify": asked["notify"],
        "least_usd": _LEAST_USD,
    }


def _mark(wanted: Wanted, length: int) -> str:
    """Return what tells one subscription's names from another's, where names are the world's."""
    digest = hashlib.sha256(f"{wanted.account.lower()}/{wanted.region}".encode()).hexdigest()
    return digest[:length]


def console_page(target: Cloud, account: str) -> str:
    """Return the page on which a person looks at an account's billing export."""
    pages = {
        "aws": "https://console.aws.amazon.com/costmanagement/home#/bcm-data-exports",
        "gcp": f"https://console.cloud.google.com/billing/export?project={account}",
        "azure": "https://portal.azure.com/#view/Microsoft_Azure_CostManagement/Menu/~/exports",
    }
    return pages[target]
