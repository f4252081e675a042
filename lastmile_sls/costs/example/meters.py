"""What each cloud counts of a model, in the invented month.

Prices are round numbers near the clouds' lists, for a picture that looks like life; the lists themselves are in `prices/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from lastmile_sls.costs.example.charge import Resource
from lastmile_sls.costs.example.fleet import Cloud


@dataclass(frozen=True)
class Meter:
    """What is counted, of which of a deployment's resources."""

    service: str
    category: str
    name: str
    unit: str
    price: str
    measure: Literal["requests", "gb_seconds", "log_gb", "stored_gb", "messages"]
    resource: str
    """Which of the deployment's resources."""
    only: Literal["", "gateway", "queue"] = ""
    planned: bool = False
    """Whether a savings plan pays for it."""


@dataclass(frozen=True)
class Lost:
    """What nobody put tags on."""

    cloud: Cloud
    service: str
    category: str
    meter: str
    unit: str
    price: Decimal
    resource: Resource | None
    quantity: int
    """On a day."""


_FUNCTION, _NETWORK, _WATCH, _STORE, _QUEUE = (
    "Compute",
    "Networking",
    "Management and Governance",
    "Storage",
    "Integration",
)
METERS: dict[Cloud, tuple[Meter, ...]] = {
    "aws": (
        Meter(
            "AWS Lambda",
            _FUNCTION,
            "EU-Lambda-GB-Second-ARM",
            "Lambda-GB-Second",
            "0.0000133334",
            "gb_seconds",
            "function",
            planned=True,
        ),
        Meter("AWS Lambda", _FUNCTION, "EU-Request-ARM", "Requests", "0.0000002", "requests", "function"),
        Meter(
            "Amazon API Gateway",
            _NETWORK,
            "EU-ApiGatewayHttpRequest",
            "Requests",
            "0.000001",
            "requests",
            "api",
            "gateway",
        ),
        Meter("AmazonCloudWatch", _WATCH, "EU-DataProcessing-Bytes", "GB", "0.57", "log_gb", "log"),
        Meter(
            "Amazon Simple Storage Service",
            _STORE,
            "EU-TimedStorage-ByteHrs",
            "GB-Mo",
            "0.023",
            "stored_gb",
            "bucket",
        ),
        Meter(
            "Amazon Simple Queue Service",
            _QUEUE,
            "EU-Requests-Tier1",
            "Requests",
            "0.0000004",
            "messages",
            "queue",
            "queue",
        ),
    ),
    "gcp": (
        Meter(
            "Cloud Run", _FUNCTION, "CPU Allocation Time", "vCPU-second", "0.000024", "gb_seconds", "function"
        ),
        Meter("Cloud Run", _FUNCTION, "Requests", "Requests", "0.0000004", "requests", "function"),
        Meter(
            "API Gateway", _NETWORK, "API Gateway Calls", "Calls", "0.000003", "requests", "api", "gateway"
        ),
        Meter("Cloud Logging", _WATCH, "Log Storage cost", "GiB", "0.50", "log_gb", "log"),
        Meter(
            "Cloud Storage", _STORE, "Standard Storage Belgium", "GiB-month", "0.020", "stored_gb", "bucket"
        ),
        Meter(
            "Cloud Pub/Sub",
            _QUEUE,
            "Message Delivery Basic",
            "messages",
            "0.00000004",
            "messages",
            "queue",
            "queue",
        ),
    ),
    "azure": (
        Meter(
            "Azure Functions",
            _FUNCTION,
            "On Demand Execution Time",
            "GB Second",
            "0.000024",
            "gb_seconds",
            "function",
        ),
        Meter(
            "Azure Functions",
            _FUNCTION,
            "On Demand Total Executions",
            "Executions",
            "0.00000037",
            "requests",
            "function",
        ),
        Meter(
            "API Management",
            _NETWORK,
            "Consumption Calls",
            "Calls",
            "0.0000033",
            "requests",
            "api",
            "gateway",
        ),
        Meter("Azure Monitor", _WATCH, "Pay-as-you-go Data Ingestion", "GB", "2.50", "log_gb", "log"),
        Meter("Storage Accounts", _STORE, "Hot LRS Data Stored", "GB/Month", "0.018", "stored_gb", "bucket"),
        Meter(
            "Storage Accounts",
            _QUEUE,
            "Queue Class 1 Operations",
            "Operations",
            "0.0000004",
            "messages",
            "queue",
            "queue",
        ),
    ),
}
_BUCKET = Resource("arn:aws:s3:::acme-notebooks", "acme-notebooks", "AWS::S3::Bucket")
_IMAGES = Resource(
    "//artifactregistry.googleapis.com/projects/acme-models/locations/europe-west1/repositories/images",
    "images",
    "",
)
_ACCOUNT = Resource(
    "/subscriptions/00000000-0000-0000-0000-000000000042/resourceGroups/shared/providers/Microsoft.Storage/"
    "storageAccounts/acmeshared",
    "acmeshared",
    "microsoft.storage/storageaccounts",
)
LOST = (
    Lost(
        *("aws", "Amazon Simple Storage Service", _STORE, "EU-TimedStorage-ByteHrs", "GB-Mo"),
        *(Decimal("0.023"), _BUCKET, 40),
    ),
    Lost(
        *("aws", "AWS Key Management Service", "Security", "EU-KMS-Requests", "Requests"),
        *(Decimal("0.000003"), None, 60_000),
    ),
    Lost(
        *("gcp", "Artifact Registry", _STORE, "Artifact Registry Storage", "GiB-month"),
        *(Decimal("0.10"), _IMAGES, 5),
    ),
    Lost(*("gcp", "Networking", _NETWORK, "Network Internet Egress", "GiB"), *(Decimal("0.12"), None, 3)),
    Lost(
        *("azure", "Storage Accounts", _STORE, "Hot LRS Data Stored", "GB/Month"),
        *(Decimal("0.018"), _ACCOUNT, 30),
    ),
)
