"""An AWS account that moto keeps on this machine: clients of it, and what is left there."""

from __future__ import annotations

import contextlib
import functools
import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

ACCOUNT = "123456789012"
"""moto's own."""
REGION = "eu-west-1"


class Account:
    """Clients of one server, by service."""

    def __init__(self, endpoint: str, region: str = REGION) -> None:
        self.endpoint = endpoint
        self.region = region
        self.client = functools.lru_cache(self._client)

    def _client(self, service: str) -> Any:
        import boto3

        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def environment(self, endpoint: str = "") -> dict[str, str]:
        """Return the variables with which AWS's and our own clients find the account, or another way to it."""
        return {
            "AWS_ENDPOINT_URL": endpoint or self.endpoint,
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }

    def call(self, service: str, operation: str, **arguments: Any) -> Any:
        """Call an operation. Raises botocore's ClientError and ParamValidationError."""
        return getattr(self.client(service), operation)(**arguments)

    def pages(self, service: str, operation: str, key: str, **arguments: Any) -> list[Any]:
        """Return what an operation lists, of all its pages."""
        client = self.client(service)
        if not client.can_paginate(operation):
            return list(getattr(client, operation)(**arguments).get(key) or [])
        return list(client.get_paginator(operation).paginate(**arguments).build_full_result().get(key, []))

    def is_there(self, service: str, operation: str, **arguments: Any) -> bool:
        """Tell whether a read finds something; any other refusal than that it does not is raised."""
        from botocore.exceptions import ClientError

        try:
            self.call(service, operation, **arguments)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return False
            raise
        return True

    def empty(self) -> None:
        """Forget everything: moto's backends are this process's, and outlive a server."""
        address = urllib.request.Request(f"{self.endpoint}/moto-api/reset", b"")
        urllib.request.urlopen(address, timeout=30).close()

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Tell moto how to behave (https://docs.getmoto.org/en/latest/docs/configuration/index.html)."""
        address = urllib.request.Request(f"{self.endpoint}/moto-api/config", json.dumps(settings).encode())
        urllib.request.urlopen(address, timeout=30).close()

    def inventory(self) -> list[str]:
        """Return everything that could be billed or that grants something, as `service name`, in order."""
        found = (
            f"{service} {name(entry)}"
            for service, operation, key, name in _LISTS
            for entry in self.pages(service, operation, key, **_ASKED_OF.get(service, {}))
            if not self._goes(service, entry)
        )
        return sorted(line for line in found if line != _ALWAYS_THERE)

    def _goes(self, service: str, entry: Any) -> bool:
        """Tell whether a key waits for its deletion, which costs nothing and which nothing hastens."""
        if service != "kms":
            return False
        found = self.call("kms", "describe_key", KeyId=entry["KeyId"])["KeyMetadata"]
        return bool(found["KeyState"] == "PendingDeletion")


_LISTS: tuple[tuple[str, str, str, Callable[[Any], str]], ...] = (
    ("acm", "list_certificates", "CertificateSummaryList", lambda x: x["DomainName"]),
    ("apigatewayv2", "get_apis", "Items", lambda x: x["Name"]),
    ("apigatewayv2", "get_domain_names", "Items", lambda x: x["DomainName"]),
    ("budgets", "describe_budgets", "Budgets", lambda x: x["BudgetName"]),
    ("cloudwatch", "describe_alarms", "MetricAlarms", lambda x: x["AlarmName"]),
    ("cloudwatch", "list_dashboards", "DashboardEntries", lambda x: x["DashboardName"]),
    ("ecr", "describe_repositories", "repositories", lambda x: x["repositoryName"]),
    ("iam", "list_roles", "Roles", lambda x: x["RoleName"]),
    ("kms", "list_keys", "Keys", lambda x: x["KeyId"]),
    ("lambda", "list_event_source_mappings", "EventSourceMappings", lambda x: x["EventSourceArn"]),
    ("lambda", "list_functions", "Functions", lambda x: x["FunctionName"]),
    ("logs", "describe_log_groups", "logGroups", lambda x: x["logGroupName"]),
    ("s3", "list_buckets", "Buckets", lambda x: x["Name"]),
    ("scheduler", "list_schedules", "Schedules", lambda x: x["Name"]),
    ("scheduler", "list_schedule_groups", "ScheduleGroups", lambda x: f"group {x['Name']}"),
    ("secretsmanager", "list_secrets", "SecretList", lambda x: x["Name"]),
    ("sns", "list_subscriptions", "Subscriptions", lambda x: x["Endpoint"]),
    ("sns", "list_topics", "Topics", lambda x: x["TopicArn"]),
    ("sqs", "list_queues", "QueueUrls", str),
)
_ASKED_OF = {"budgets": {"AccountId": ACCOUNT}}
_ALWAYS_THERE = "scheduler group default"


@contextlib.contextmanager
def moto_account() -> Iterator[Account]:
    """Run moto with an empty account until the end of the block."""
    moto = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        account = Account(f"http://{host}:{port}")
        account.empty()
        yield account
        account.empty()
    finally:
        server.stop()
