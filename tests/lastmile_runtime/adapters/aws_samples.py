"""Whole events as AWS sends them: API Gateway's, a function URL's, a load balancer's, SQS's and EventBridge's.

The shapes are those of AWS's developer guides: HTTP APIs (payload formats 1.0 and 2.0), REST APIs, function URLs,
application load balancers, SQS and scheduled rules as Lambda event sources.
"""

from __future__ import annotations

import copy
import time
from typing import Any

_HTTP_API: dict[str, Any] = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/v2/models/breast-cancer/infer",
    "rawQueryString": "a=1&b=x%20y",
    "cookies": ["session=1", "user=u%201"],
    "headers": {
        "accept": "*/*",
        "content-length": "85",
        "content-type": "application/json",
        "host": "r3pmxmplak.execute-api.us-east-2.amazonaws.com",
        "user-agent": "curl/8.7.1",
        "x-amzn-trace-id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
        "x-forwarded-for": "205.255.255.176",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
        "x-tag": "one,two",
    },
    "queryStringParameters": {"a": "1", "b": "x y"},
    "requestContext": {
        "accountId": "123456789012",
        "apiId": "r3pmxmplak",
        "domainName": "r3pmxmplak.execute-api.us-east-2.amazonaws.com",
        "domainPrefix": "r3pmxmplak",
        "http": {
            "method": "POST",
            "path": "/v2/models/breast-cancer/infer",
            "protocol": "HTTP/1.1",
            "sourceIp": "205.255.255.176",
            "userAgent": "curl/8.7.1",
        },
        "requestId": "JKJaXmPLvHcESHA=",
        "routeKey": "$default",
        "stage": "$default",
        "time": "10/Mar/2020:05:16:23 +0000",
        "timeEpoch": 1583817383220,
    },
    "isBase64Encoded": False,
}

_REST_API: dict[str, Any] = {
    "resource": "/{proxy+}",
    "path": "/v2/models/breast-cancer/infer",
    "httpMethod": "POST",
    "headers": {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "Cookie": "user=u",
        "Host": "70ixmpl4fl.execute-api.us-east-2.amazonaws.com",
        "X-Forwarded-For": "52.255.255.12",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
        "X-Tag": "two",
    },
    "multiValueHeaders": {
        "Accept": ["*/*"],
        "Content-Type": ["application/json"],
        "Cookie": ["session=1", "user=u"],
        "Host": ["70ixmpl4fl.execute-api.us-east-2.amazonaws.com"],
        "X-Forwarded-For": ["52.255.255.12"],
        "X-Forwarded-Port": ["443"],
        "X-Forwarded-Proto": ["https"],
        "X-Tag": ["one", "two"],
    },
    "queryStringParameters": {"a": "2", "b": "x y"},
    "multiValueQueryStringParameters": {"a": ["1", "2"], "b": ["x y"]},
    "pathParameters": {"proxy": "v2/models/breast-cancer/infer"},
    "stageVariables": None,
    "requestContext": {
        "resourceId": "2gxmpl",
        "resourcePath": "/{proxy+}",
        "httpMethod": "POST",
        "extendedRequestId": "JJbxmplHYosFVYQ=",
        "requestTime": "10/Mar/2020:00:03:59 +0000",
        "path": "/prod/v2/models/breast-cancer/infer",
        "accountId": "123456789012",
        "protocol": "HTTP/1.1",
        "stage": "prod",
        "domainPrefix": "70ixmpl4fl",
        "requestTimeEpoch": 1583798639428,
        "requestId": "77375676-xmpl-4b79-853a-f982474efe18",
        "identity": {"sourceIp": "52.255.255.12", "userAgent": "curl/8.7.1"},
        "domainName": "70ixmpl4fl.execute-api.us-east-2.amazonaws.com",
        "apiId": "70ixmpl4fl",
    },
    "isBase64Encoded": False,
}

_LOAD_BALANCER: dict[str, Any] = {
    "requestContext": {
        "elb": {
            "targetGroupArn": "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/lambda/49e9d65c45c6791a"
        }
    },
    "httpMethod": "POST",
    "path": "/v2/models/breast-cancer/infer",
    "queryStringParameters": {"a": "1", "b": "x%20y"},
    "headers": {
        "accept": "*/*",
        "content-type": "application/json",
        "host": "lambda-alb-123578498.us-east-2.elb.amazonaws.com",
        "x-amzn-trace-id": "Root=1-5c536348-3d683b8b04734faae651f476",
        "x-forwarded-for": "72.12.164.125",
        "x-forwarded-port": "80",
        "x-forwarded-proto": "http",
    },
    "isBase64Encoded": False,
}

SCHEDULE: dict[str, Any] = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2015-10-08T16:53:06Z",
    "region": "us-east-1",
    "resources": ["arn:aws:events:us-east-1:123456789012:rule/my-scheduled-rule"],
    "detail": {},
}


def http_api(path: str | None = None, method: str = "POST", body: str = "", **further: Any) -> dict[str, Any]:
    """An HTTP API's or a function URL's event, payload format 2.0."""
    event = copy.deepcopy(_HTTP_API)
    http = event["requestContext"]["http"]
    http["method"] = method
    if path is not None:
        event["rawPath"] = http["path"] = path
    return {**event, "body": body, **further}


def rest_api(path: str | None = None, method: str = "POST", body: str = "", **further: Any) -> dict[str, Any]:
    """A REST API's event, payload format 1.0."""
    event = copy.deepcopy(_REST_API)
    event["httpMethod"] = event["requestContext"]["httpMethod"] = method
    if path is not None:
        event["path"], event["pathParameters"] = path, {"proxy": path[1:]}
        event["requestContext"]["path"] = "/prod" + path
    return {**event, "body": body, **further}


def load_balancer(
    path: str | None = None, method: str = "POST", body: str = "", **further: Any
) -> dict[str, Any]:
    """An application load balancer's event, without multi-value headers."""
    event = copy.deepcopy(_LOAD_BALANCER)
    event["httpMethod"] = method
    if path is not None:
        event["path"] = path
    return {**event, "body": body, **further}


def queue(*records: tuple[str, str], fifo: bool = False, attempt: int = 1) -> dict[str, Any]:
    """SQS's event: a batch of messages, each an id and a body; of a FIFO queue, the id's first letter is its group."""
    return {"Records": [_record(id_, body, fifo=fifo, attempt=attempt) for id_, body in records]}


def _record(id_: str, body: str, *, fifo: bool, attempt: int) -> dict[str, Any]:
    attributes = {
        "ApproximateReceiveCount": str(attempt),
        "SentTimestamp": str(int(time.time() * 1000) - 90_000),
        "SenderId": "AIDAIENQZJOLO23YVJ4VO",
        "ApproximateFirstReceiveTimestamp": "1545082649185",
        # Standard queues may have groups too, which order nothing there.
        "MessageGroupId": id_[0],
    }
    return {
        "messageId": id_,
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
        "body": body,
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-2:123456789012:jobs{'.fifo' if fifo else ''}",
        "awsRegion": "us-east-2",
    }
