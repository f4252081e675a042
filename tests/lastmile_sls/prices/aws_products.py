"""Answers of AWS's Price List API, which botocore's stub holds against its own model of the API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from typing import Any

from botocore.stub import Stubber

from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control.aws.client import Aws

Page = Sequence[str]
"""Of products, as JSON text."""
_OFFER = "JRTCKXETXF"
_USAGE: Mapping[str, Sequence[tuple[str, str, str, Mapping[str, str]]]] = {
    "AWSLambda": (
        ("Request-ARM", "Requests", "0.0000002", {}),
        ("Request", "Requests", "0.0000002", {}),
        ("Lambda-GB-Second-ARM", "Lambda-GB-Second", "0.0000133334", {}),
        ("Lambda-GB-Second", "Lambda-GB-Second", "0.0000166667", {}),
        ("Lambda-Provisioned-Concurrency-ARM", "Lambda-GB-Second", "0.0000036667", {}),
        ("Lambda-Provisioned-Concurrency", "Lambda-GB-Second", "0.0000046", {}),
        ("Lambda-Provisioned-GB-Second-ARM", "Lambda-GB-Second", "0.0000086", {}),
        ("Lambda-Provisioned-GB-Second", "Lambda-GB-Second", "0.0000107", {}),
        ("Lambda-Storage-GB-Second-ARM", "GB-Seconds", "0.000000034", {}),
        ("Lambda-Storage-GB-Second", "GB-Seconds", "0.000000035", {}),
        ("Lambda-Streaming-Response-Processed-Bytes-ARM", "Processed-Gigabytes", "0.0085", {}),
        ("Lambda-Streaming-Response-Processed-Bytes", "Processed-Gigabytes", "0.0086", {}),
        ("Lambda-SnapStart-Cached-GB-S", "GB-Seconds", "0.0000018", {}),
        ("Lambda-SnapStart-Restored-GB", "GB", "0.000167", {}),
        ("Lambda-Edge-GB-Second", "Lambda-GB-Second", "0.00005001", {}),
    ),
    "AmazonApiGateway": (
        ("ApiGatewayHttpRequest", "Requests", "0.0000012", {}),
        ("ApiGatewayRequest", "Requests", "0.0000037", {}),
    ),
    "AWSDataTransfer": (
        ("DataTransfer-Out-Bytes", "GB", "0.09", {"transferType": "AWS Outbound"}),
        ("DataTransfer-Out-Bytes", "GB", "0.02", {"transferType": "InterRegion Outbound"}),
    ),
    "AWSQueueService": (
        ("Requests-RBP", "Requests", "0.0000004", {"queueType": "Standard"}),
        ("Requests-FIFO-RBP", "Requests", "0.0000005", {"queueType": "FIFO (first-in, first-out)"}),
    ),
    "AWSEvents": (("ScheduledInvocation", "Invocations", "0.0000012", {}),),
    "AmazonS3": (
        ("TimedStorage-ByteHrs", "GB-Mo", "0.0245", {"volumeType": "Standard"}),
        ("TimedStorage-ByteHrs", "GB-Mo", "0.0245", {"volumeType": "Intelligent-Tiering"}),
        ("Requests-Tier1", "Requests", "0.0000054", {"group": "S3-API-Tier1"}),
        ("Requests-Tier2", "Requests", "0.00000043", {"group": "S3-API-Tier2"}),
    ),
    "AmazonCloudWatch": (
        ("DataProcessing-Bytes", "GB", "0.63", {"operation": "PutLogEvents"}),
        ("DataProcessing-Bytes", "GB", "0.31", {"operation": "PutLogEventsIA"}),
        ("TimedStorage-ByteHrs", "GB-Mo", "0.0324", {}),
        ("CW:MetricMonitorUsage", "Metrics", "0.3", {}),
        ("CW:AlarmMonitorUsage", "Alarms", "0.1", {}),
    ),
    "AWSSecretsManager": (
        ("AWSSecretsManager-Secrets", "Secrets", "0.4", {}),
        ("AWSSecretsManagerAPIRequest", "API Requests", "0.000005", {}),
    ),
    "AmazonECR": (("TimedStorage-ByteHrs", "GB-Mo", "0.1", {}),),
}
"""A service's usage types without the region's letters, their units, made-up prices, and what else tells them apart."""
ORDER = (
    "AWSLambda",
    "AmazonApiGateway",
    "AWSDataTransfer",
    "AWSQueueService",
    "AWSEvents",
    "AmazonS3",
    "AmazonCloudWatch",
    "dashboards",
    "awskms",
    "AWSSecretsManager",
    "AmazonECR",
)
"""In which they are asked."""


def product(
    sku: str, usage: str, unit: str, tiers: Sequence[tuple[str, str, str]], /, **attributes: str
) -> str:
    """Return a product with one offer; a tier is where it begins, where it ends, and its price."""
    steps = {
        f"{sku}.{_OFFER}.{number}": {
            "unit": unit,
            "beginRange": start,
            "endRange": end,
            "pricePerUnit": {"USD": price},
            "description": f"{price} per {unit}",
            "appliesTo": [],
        }
        for number, (start, end, price) in enumerate(reversed(tiers))
    }
    offer = {f"{sku}.{_OFFER}": {"sku": sku, "offerTermCode": _OFFER, "priceDimensions": steps}}
    found = {"sku": sku, "attributes": {"usagetype": usage, **attributes}}
    return json.dumps({"product": found, "terms": {"OnDemand": offer}, "version": "20261001000000"})


def flat(sku: str, usage: str, unit: str, price: str, /, **attributes: str) -> str:
    """Return a product with one price, of ten digits, as AWS writes it."""
    return product(sku, usage, unit, [("0", "Inf", f"{Decimal(price):.10f}")], **attributes)


def a_region(region: str, letters: str, **pages: Sequence[Page]) -> dict[str, Sequence[Page]]:
    """Return each service's pages in a region; those that are given take the place of its own."""
    made: dict[str, Sequence[Page]] = {
        service: [
            [flat(f"{service}{number}", letters + usage, unit, price, **more)]
            for number, (usage, unit, price, more) in enumerate(kinds)
        ]
        for service, kinds in _USAGE.items()
    }
    made["dashboards"] = [[flat("CWD", "DashboardsUsageHour-Basic", "Dashboards", "3")]]
    made["awskms"] = [[flat("KMS", f"{region}-KMS-Keys", "Keys", "1"), _without_offer("KMSFREE")]]
    return {**made, **pages}


def nothing() -> dict[str, Sequence[Page]]:
    """Return a region that AWS does not have: no products, but for dashboards, which are the same everywhere."""
    dashboard = [flat("CWD", "DashboardsUsageHour-Basic", "Dashboards", "3")]
    return {service: [dashboard if service == "dashboards" else []] for service in ORDER}


@contextmanager
def api(*regions: tuple[str, Mapping[str, Sequence[Page]]]) -> Iterator[tuple[Aws, Stubber]]:
    """Yield the API with its answers, page after page, and the stub that gives them; all must be asked for."""
    aws = _client()
    with Stubber(aws.client("pricing")) as stub:
        for region, answers in regions:
            for service in ORDER:
                pages = answers[service]
                for number, page in enumerate(pages):
                    answer = _page(page, number, len(pages))
                    stub.add_response("get_products", answer, asked(service, region, number))
        yield aws, stub
        stub.assert_no_pending_responses()


def asked(service: str, region: str, number: int = 0) -> dict[str, Any]:
    """Return with what a service's page is asked."""
    field, value = {
        "dashboards": ("usagetype", "DashboardsUsageHour-Basic"),
        "AWSDataTransfer": ("fromRegionCode", region),
    }.get(service, ("regionCode", region))
    code = "AmazonCloudWatch" if service == "dashboards" else service
    filters = [{"Type": "TERM_MATCH", "Field": field, "Value": value}]
    more = {"NextToken": f"page-{number}"} if number else {}
    return {"ServiceCode": code, "Filters": filters, "FormatVersion": "aws_v1", **more}


@cache
def _client() -> Aws:
    return Aws(CloudStack(None, "aws", {"deployment": "the price list", "region": "us-east-1"}, {}))


def _page(products: Page, number: int, pages: int) -> dict[str, Any]:
    more = {"NextToken": f"page-{number + 1}"} if number + 1 < pages else {}
    return {"FormatVersion": "aws_v1", "PriceList": list(products), **more}


def _without_offer(sku: str) -> str:
    found = {"sku": sku, "attributes": {"usagetype": "eu-central-1-KMS-Requests"}}
    return json.dumps({"product": found, "terms": {}})
