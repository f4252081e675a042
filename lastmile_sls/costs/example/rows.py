"""The charges as each cloud's FOCUS export has them: its columns, its way to write days, tags and what is not there. Pure.

Columns: AWS's table FOCUS_1_2_AWS (docs.aws.amazon.com/cur/latest/userguide/table-dictionary-focus-1-2-aws.html),
Azure's dataset FocusCost 1.2-preview (github.com/microsoft/finops-toolkit, src/open-data/dataset-metadata), Google's FOCUS
table (cloud.google.com/billing/docs/how-to/export-data-bigquery-tables/focus-export), as of 2026-11-23. Every row has
`x_Synthetic`, which no cloud writes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from lastmile_sls.costs.example.charge import Charge
from lastmile_sls.costs.example.fleet import FIRST, LAST
from lastmile_sls.costs.example.names import ACCOUNT, LOCATION, PROJECT, REGION, SUBSCRIPTION

Row = dict[str, Any]
_COLUMNS = (
    *("BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency"),
    *("BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription"),
    *("ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart", "CommitmentDiscountId", "ConsumedQuantity"),
    *(
        "ConsumedUnit",
        "ContractedCost",
        "ContractedUnitPrice",
        "EffectiveCost",
        "InvoiceId",
        "InvoiceIssuerName",
    ),
    *("ListCost", "ListUnitPrice", "PricingCategory", "PricingCurrency", "PricingQuantity", "PricingUnit"),
    *(
        "ProviderName",
        "PublisherName",
        "RegionId",
        "RegionName",
        "ResourceId",
        "ResourceName",
        "ResourceType",
    ),
    *(
        "ServiceCategory",
        "ServiceName",
        "ServiceSubcategory",
        "SkuId",
        "SkuMeter",
        "SkuPriceId",
        "SubAccountId",
    ),
    *("SubAccountName", "SubAccountType", "Tags"),
)
"""Of FOCUS, that the exports of AWS and Azure have."""
AWS_COLUMNS = (*_COLUMNS, "x_Discounts", "x_Operation", "x_ServiceCode", "x_Synthetic")
AZURE_COLUMNS = (*_COLUMNS, "x_ResourceGroupName", "x_SkuMeterCategory", "x_Synthetic")
GCP_COLUMNS = {
    "BilledCost": "DECIMAL(38,9)",
    "BillingAccountId": "VARCHAR",
    "BillingCurrency": "VARCHAR",
    "BillingPeriodStart": "TIMESTAMP",
    "BillingPeriodEnd": "TIMESTAMP",
    "ChargeCategory": "VARCHAR",
    "ChargeClass": "VARCHAR",
    "ChargeDescription": "VARCHAR",
    "ChargePeriodStart": "TIMESTAMP",
    "ChargePeriodEnd": "TIMESTAMP",
    "ConsumedQuantity": "DECIMAL(38,9)",
    "ConsumedUnit": "VARCHAR",
    "ContractedCost": "DECIMAL(38,9)",
    "EffectiveCost": "DECIMAL(38,9)",
    "ListCost": "DECIMAL(38,9)",
    "PricingCategory": "VARCHAR",
    "PricingQuantity": "DECIMAL(38,9)",
    "PricingUnit": "VARCHAR",
    "ProviderName": "VARCHAR",
    "PublisherName": "VARCHAR",
    "RegionId": "VARCHAR",
    "RegionName": "VARCHAR",
    "ResourceId": "VARCHAR",
    "ResourceName": "VARCHAR",
    "ServiceName": "VARCHAR",
    "SkuId": "VARCHAR",
    "SkuMeter": "VARCHAR",
    "SubAccountId": "VARCHAR",
    "SubAccountName": "VARCHAR",
    "Tags": "STRUCT(Key VARCHAR, Value VARCHAR)[]",
    "x_Labels": "STRUCT(key VARCHAR, value VARCHAR)[]",
    "x_ExportTime": "TIMESTAMP",
    "x_Synthetic": "BOOLEAN",
}
_NEXT_MONTH = LAST + timedelta(days=1)


def aws(charges: Sequence[Charge]) -> list[Row]:
    """Return rows of AWS's export: CSV, milliseconds in its times, tags as a JSON object, usage under `user:` keys."""

    def row(charge: Charge) -> Row:
        tags = {f"user:{key}": value for key, value in charge.tags.items()}
        return {
            **_row(charge, lambda day: f"{day}T00:00:00.000Z"),
            "BillingAccountId": ACCOUNT,
            "BillingAccountName": "acme",
            "InvoiceId": "EUINAT26-1000042",
            "InvoiceIssuerName": "Amazon Web Services EMEA SARL",
            "ProviderName": "AWS",
            "PublisherName": "Amazon Web Services, Inc.",
            "RegionId": REGION,
            "RegionName": "EU (Ireland)",
            "SubAccountId": ACCOUNT,
            "SubAccountName": "acme-models",
            "Tags": json.dumps(tags) if tags else "",
            "x_Discounts": "{}",
            "x_ServiceCode": charge.service.replace("Amazon ", "Amazon").replace(" ", ""),
            "CommitmentDiscountId": charge.resource.id
            if charge.charge == "Purchase" and charge.resource
            else "",
        }

    return [row(charge) for charge in charges]


def azure(charges: Sequence[Charge]) -> list[Row]:
    """Return rows of Azure's export: CSV, times with a Z, tags as a JSON object."""

    def row(charge: Charge) -> Row:
        group = charge.resource.id.split("/")[4] if charge.resource else ""
        return {
            **_row(charge, lambda day: f"{day}T00:00:00Z"),
            "BillingAccountId": "/providers/Microsoft.Billing/billingAccounts/4711",
            "BillingAccountName": "Acme",
            "BillingAccountType": "Billing Profile",
            "InvoiceIssuerName": "Microsoft",
            "ProviderName": "Microsoft",
            "PublisherName": "Microsoft",
            "RegionId": "westeurope",
            "RegionName": "West Europe",
            "SubAccountId": f"/subscriptions/{SUBSCRIPTION}",
            "SubAccountName": "acme-models",
            "SubAccountType": "Subscription",
            "Tags": json.dumps(dict(charge.tags)) if charge.tags else "",
            "x_ResourceGroupName": group,
            "x_SkuMeterCategory": charge.service,
        }

    return [row(charge) for charge in charges]


def gcp(charges: Sequence[Charge]) -> list[Row]:
    """Return rows of Google's table: labels as a list of structs, times without a zone."""

    def row(charge: Charge) -> Row:
        return {
            **_row(charge, lambda day: f"{day} 00:00:00"),
            "BillingAccountId": "012345-6789AB-CDEF01",
            "ProviderName": "Google Cloud",
            "PublisherName": "Google Cloud",
            "RegionId": LOCATION,
            "RegionName": "Belgium",
            "SubAccountId": PROJECT,
            "SubAccountName": PROJECT,
            "Tags": [],
            "x_Labels": [{"key": key, "value": value} for key, value in charge.tags.items()],
            "x_ExportTime": f"{_NEXT_MONTH} 06:00:00",
        }

    return [row(charge) for charge in charges]


def _row(charge: Charge, time: Callable[[date], str]) -> Row:
    """Return the columns that all exports have alike."""
    quantity = f"{charge.quantity:f}"
    resource = charge.resource
    return {
        "BilledCost": f"{charge.billed:f}",
        "BillingCurrency": charge.currency,
        "BillingPeriodStart": time(FIRST),
        "BillingPeriodEnd": time(_NEXT_MONTH),
        "ChargeCategory": charge.charge,
        "ChargeClass": "Correction" if charge.correction else None,
        "ChargeDescription": charge.meter,
        "ChargeFrequency": "Recurring" if charge.charge == "Purchase" else "Usage-Based",
        "ChargePeriodStart": time(charge.day),
        "ChargePeriodEnd": time(charge.day + timedelta(days=1)),
        "ConsumedQuantity": quantity if charge.charge == "Usage" else None,
        "ConsumedUnit": charge.unit if charge.charge == "Usage" else None,
        "ContractedCost": f"{charge.listed:f}",
        "ContractedUnitPrice": f"{charge.price:f}",
        "EffectiveCost": f"{charge.effective:f}",
        "ListCost": f"{charge.listed:f}",
        "ListUnitPrice": f"{charge.price:f}",
        "PricingCategory": _pricing(charge),
        "PricingCurrency": charge.currency,
        "PricingQuantity": quantity,
        "PricingUnit": charge.unit or None,
        "ResourceId": resource.id if resource else None,
        "ResourceName": (resource.name or None) if resource else None,
        "ResourceType": (resource.type or None) if resource else None,
        "ServiceCategory": charge.category,
        "ServiceName": charge.service,
        "SkuMeter": charge.meter,
        "x_Synthetic": "true",
    }


def _pricing(charge: Charge) -> str | None:
    if charge.charge != "Usage":
        return None
    return "Committed" if charge.effective and not charge.billed else "Standard"
