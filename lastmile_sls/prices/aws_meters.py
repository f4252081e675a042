"""Which product of AWS's Price List each meter is.

What a product is called in a region begins with the region's own letters, such as `EUC1-`, or with none. Attributes and
units: AWS's price list files of 2026-09 and 2026-10.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_LETTERS = r"(?:[A-Z]{2,4}\d{0,2}-)?"
"""With which a region's usage types begin."""


@dataclass(frozen=True)
class Meter:
    """How a meter's price is found among AWS's products."""

    name: str
    unit: str
    """Ours."""
    service: str
    """AWS's code of it."""
    usage: tuple[str, ...]
    """The usage types without the region's letters."""
    units: tuple[str, ...]
    """What AWS calls the unit; any, where it is not known."""
    free: str = "0"
    """Units that an account has free each month: docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/
    tracking-free-tier-usage.html and the services' pricing pages (2026-09 and 2026-10)."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """What else tells it from its neighbours."""
    region: str | None = "regionCode"
    """The attribute that has the region; None: it has one price everywhere."""

    def is_of(self, attributes: Mapping[str, str], region: str) -> bool:
        """Tell whether a product's attributes are this meter's."""
        usage = attributes.get("usagetype", "")
        letters = rf"(?:{_LETTERS}|{re.escape(region)}-)"
        named = any(re.fullmatch(f"{letters}{re.escape(one)}", usage) for one in self.usage)
        return named and all(attributes.get(name) == value for name, value in self.attributes.items())


def _lambda(
    what: str, name: str, usage: str, units: tuple[str, ...], unit: str, free: str
) -> dict[str, Meter]:
    """Return one meter for each processor."""
    return {
        f"aws.lambda.{what}.{processor}": Meter(
            name.format(processor), unit, "AWSLambda", (f"{usage}{ending}",), units, free
        )
        for processor, ending in (("arm64", "-ARM"), ("x86_64", ""))
    }


METERS: Mapping[str, Meter] = {
    **_lambda("requests", "Lambda: requests on {}", "Request", ("Request", "Requests"), "request", "1000000"),
    **_lambda(
        "duration", "Lambda: duration on {}", "Lambda-GB-Second", ("Lambda-GB-Second",), "GB-second", "400000"
    ),
    **_lambda(
        "provisioned-concurrency",
        "Lambda: provisioned concurrency on {}",
        "Lambda-Provisioned-Concurrency",
        ("Lambda-GB-Second",),
        "GB-second",
        "0",
    ),
    **_lambda(
        "provisioned-duration",
        "Lambda: duration on {} under provisioned concurrency",
        "Lambda-Provisioned-GB-Second",
        ("Lambda-GB-Second",),
        "GB-second",
        "0",
    ),
    **_lambda(
        "tmp",
        "Lambda: /tmp above 512 MB on {}",
        "Lambda-Storage-GB-Second",
        ("GB-Seconds",),
        "GB-second",
        "0",
    ),
    **_lambda(
        "streaming",
        "Lambda: streamed answers on {}, above 6 MB each",
        "Lambda-Streaming-Response-Processed-Bytes",
        ("Processed-Gigabytes",),
        "GB",
        "100",
    ),
    "aws.lambda.snapstart-cache": Meter(
        "Lambda SnapStart: snapshots kept",
        "GB-second",
        "AWSLambda",
        ("Lambda-SnapStart-Cached-GB-S",),
        ("GB-Seconds",),
    ),
    "aws.lambda.snapstart-restore": Meter(
        "Lambda SnapStart: snapshots restored", "GB", "AWSLambda", ("Lambda-SnapStart-Restored-GB",), ("GB",)
    ),
    "aws.httpapi.requests": Meter(
        "API Gateway, HTTP API: requests, each 512 KB",
        "request",
        "AmazonApiGateway",
        ("ApiGatewayHttpRequest",),
        ("Requests",),
    ),
    "aws.transfer.out": Meter(
        "Data transfer: out to the internet",
        "GB",
        "AWSDataTransfer",
        ("DataTransfer-Out-Bytes",),
        ("GB",),
        "100",
        {"transferType": "AWS Outbound"},
        "fromRegionCode",
    ),
    "aws.sqs.requests": Meter(
        "SQS, standard queue: requests, each 64 KB",
        "request",
        "AWSQueueService",
        ("Requests-RBP", "Requests-Tier1"),
        ("Requests",),
        "1000000",
        {"queueType": "Standard"},
    ),
    "aws.scheduler.invocations": Meter(
        "EventBridge Scheduler: invocations",
        "invocation",
        "AWSEvents",
        ("ScheduledInvocation",),
        (),
        "14000000",
    ),
    "aws.s3.storage": Meter(
        "S3 Standard: storage",
        "GB-month",
        "AmazonS3",
        ("TimedStorage-ByteHrs",),
        ("GB-Mo",),
        attributes={"volumeType": "Standard"},
    ),
    "aws.s3.writes": Meter(
        "S3 Standard: PUT, COPY, POST and LIST",
        "request",
        "AmazonS3",
        ("Requests-Tier1",),
        ("Requests",),
        attributes={"group": "S3-API-Tier1"},
    ),
    "aws.s3.reads": Meter(
        "S3 Standard: GET and others",
        "request",
        "AmazonS3",
        ("Requests-Tier2",),
        ("Requests",),
        attributes={"group": "S3-API-Tier2"},
    ),
    "aws.cloudwatch.logs-ingested": Meter(
        "CloudWatch Logs, Standard: taken in",
        "GB",
        "AmazonCloudWatch",
        ("DataProcessing-Bytes",),
        ("GB",),
        "5",
        {"operation": "PutLogEvents"},
    ),
    "aws.cloudwatch.logs-stored": Meter(
        "CloudWatch Logs: kept", "GB-month", "AmazonCloudWatch", ("TimedStorage-ByteHrs",), ("GB-Mo",), "5"
    ),
    "aws.cloudwatch.metrics": Meter(
        "CloudWatch: custom metrics",
        "metric-month",
        "AmazonCloudWatch",
        ("CW:MetricMonitorUsage",),
        ("Metrics",),
        "10",
    ),
    "aws.cloudwatch.alarms": Meter(
        "CloudWatch: metrics that standard alarms watch",
        "metric-month",
        "AmazonCloudWatch",
        ("CW:AlarmMonitorUsage",),
        ("Alarms",),
        "10",
    ),
    "aws.cloudwatch.dashboards": Meter(
        "CloudWatch: dashboards",
        "dashboard-month",
        "AmazonCloudWatch",
        ("DashboardsUsageHour-Basic",),
        ("Dashboards",),
        "3",
        region=None,
    ),
    "aws.kms.keys": Meter("KMS: keys of one's own", "key-month", "awskms", ("KMS-Keys",), ("Keys",)),
    "aws.secretsmanager.secrets": Meter(
        "Secrets Manager: secrets",
        "secret-month",
        "AWSSecretsManager",
        ("AWSSecretsManager-Secrets", "AWSSecretsManager-Secret"),
        ("Secrets",),
    ),
    "aws.secretsmanager.requests": Meter(
        "Secrets Manager: requests",
        "request",
        "AWSSecretsManager",
        ("AWSSecretsManager-APIRequests", "AWSSecretsManagerAPIRequest"),
        ("API Requests",),
    ),
    "aws.ecr.storage": Meter("ECR: images", "GB-month", "AmazonECR", ("TimedStorage-ByteHrs",), ("GB-Mo",)),
}
