"""FOCUS exports as each cloud writes them, small: rows by name, and files of them."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

Row = Mapping[str, Any]
TAGS = {
    "model": "churn",
    "environment": "prod",
    "owner": "team-a",
    "cost-center": "cc-7",
    "managed-by": "lastmile",
}
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:churn-prod-predict"
SUBSCRIPTION = "/subscriptions/00000000-0000-4000-8000-000000000001"
SITE = f"{SUBSCRIPTION}/resourceGroups/churn-prod/providers/Microsoft.Web/sites/churn-prod"
RUN = "//run.googleapis.com/projects/acme-models/locations/europe-west1/services/churn-prod-predict"


def row(**changes: Any) -> dict[str, Any]:
    """A row of AWS's, FOCUS 1.0, one day of October 2026; a change of None is an empty value."""
    return {
        "BilledCost": "0.25",
        "EffectiveCost": "0.25",
        "ListCost": "0.5",
        "ContractedCost": "0.3",
        "BillingAccountId": "123456789012",
        "BillingAccountName": "Acme",
        "BillingCurrency": "USD",
        "BillingPeriodStart": "2026-10-01T00:00:00.000Z",
        "BillingPeriodEnd": "2026-11-01T00:00:00.000Z",
        "ChargeCategory": "Usage",
        "ChargeClass": None,
        "ChargePeriodStart": "2026-10-03T00:00:00.000Z",
        "ChargePeriodEnd": "2026-10-04T00:00:00.000Z",
        "InvoiceIssuerName": "Amazon Web Services, Inc.",
        "ProviderName": "AWS",
        "PublisherName": "Amazon Web Services, Inc.",
        "ResourceId": FUNCTION,
        "ResourceName": "churn-prod-predict",
        "ResourceType": "function",
        "ServiceCategory": "Compute",
        "ServiceName": "AWS Lambda",
        "SubAccountId": "123456789012",
        "Tags": json.dumps(TAGS),
        **changes,
    }


def azure(**changes: Any) -> dict[str, Any]:
    """A row of Azure's, FOCUS 1.2-preview."""
    found = row(
        BillingAccountId="/providers/Microsoft.Billing/billingAccounts/1",
        BillingAccountType="Billing Profile",
        BillingCurrency="EUR",
        BillingPeriodStart="2026-10-01T00:00Z",
        BillingPeriodEnd="2026-11-01T00:00Z",
        ChargePeriodStart="2026-10-03T00:00Z",
        ChargePeriodEnd="2026-10-04T00:00Z",
        InvoiceIssuerName="Microsoft",
        ProviderName="Microsoft",
        PublisherName="Microsoft",
        ResourceId=SITE,
        ServiceName="Azure Functions",
        SubAccountId=SUBSCRIPTION,
        SubAccountType="Subscription",
        x_SkuMeterName="On Demand Execution Time",
    )
    return {**found, **changes}


def google(**changes: Any) -> dict[str, Any]:
    """A row of Google's own export: FOCUS 1.2 without ServiceCategory, with lists of structs, costs of NUMERIC."""
    found = {
        "BilledCost": "0.250000001",
        "EffectiveCost": "0.2",
        "ListCost": "0.5",
        "ContractedCost": "0.25",
        "BillingAccountId": "010101-F0FFF0-61C528",
        "BillingAccountType": "BILLING_ACCOUNT",
        "BillingCurrency": "USD",
        "BillingPeriodStart": "2026-10-01 00:00:00+00",
        "BillingPeriodEnd": "2026-11-01 00:00:00+00",
        "ChargeCategory": "Usage",
        "ChargePeriodStart": "2026-10-03 05:00:00+00",
        "ChargePeriodEnd": "2026-10-03 06:00:00+00",
        "ProviderName": "Google Cloud",
        "PublisherName": "Google Cloud",
        "ResourceId": RUN,
        "ResourceName": "churn-prod-predict",
        "ServiceName": "Cloud Run",
        "SubAccountId": "acme-models",
        "x_ExportTime": "2026-10-04 00:00:00+00",
        "x_Labels": [{"Key": key, "Value": value} for key, value in TAGS.items()],
        "x_ProjectLabels": [{"Key": "owner", "Value": "everybody"}],
    }
    return {**found, **changes}


def text_of(rows: Sequence[Row]) -> str:
    """CSV with a header."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows({key: "" if value is None else value for key, value in line.items()} for line in rows)
    return out.getvalue()


def write_csv(path: Path, rows: Sequence[Row], *, before: bytes = b"") -> Path:
    """Write CSV, packed where the name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = before + text_of(rows).encode()
    path.write_bytes(gzip.compress(content) if path.name.endswith(".gz") else content)
    return path


def write_parquet(path: Path, rows: Sequence[Row], types: Mapping[str, str] | None = None) -> Path:
    """Write Parquet, text but for the types given, or `costs` for all four."""
    path.parent.mkdir(parents=True, exist_ok=True)
    given = dict(types or {})
    if kind := given.pop("costs", None):
        given |= dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), kind)
    lines = path.with_suffix(".json")
    lines.write_text(json.dumps([dict(line) for line in rows]))
    columns = {name: "JSON" if isinstance(rows[0][name], list | dict) else "VARCHAR" for name in rows[0]}
    shown = ", ".join(
        f'CAST("{name}" AS {given[name]}) AS "{name}"' if name in given else f'"{name}"' for name in columns
    )
    kinds = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    with duckdb.connect() as connection:
        connection.execute(
            f"SET TimeZone = 'UTC'; COPY (SELECT {shown} FROM read_json('{lines}', columns = {{{kinds}}})) TO '{path}' "
            "(FORMAT parquet)"
        )
    lines.unlink()
    return path


AWS_TYPES = {
    "costs": "DOUBLE",
    "Tags": "MAP(VARCHAR, VARCHAR)",
    "ChargePeriodStart": "TIMESTAMP",
    "ChargePeriodEnd": "TIMESTAMP",
    "BillingPeriodStart": "TIMESTAMP",
    "BillingPeriodEnd": "TIMESTAMP",
}
_LABELS = "STRUCT(Key VARCHAR, Value VARCHAR)[]"
GOOGLE_TYPES = {
    "costs": "DECIMAL(38, 9)",
    "x_Labels": _LABELS,
    "x_ProjectLabels": _LABELS,
    "ChargePeriodStart": "TIMESTAMPTZ",
    "ChargePeriodEnd": "TIMESTAMPTZ",
    "BillingPeriodStart": "TIMESTAMPTZ",
    "BillingPeriodEnd": "TIMESTAMPTZ",
    "x_ExportTime": "TIMESTAMPTZ",
}
