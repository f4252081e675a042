"""Requests as API Gateway's HTTP APIs send them to Lambda, and its answers (payload format 2.0).

docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

from base64 import b64decode
from typing import Any

_HOST = "r3pmxmplak.execute-api.us-east-2.amazonaws.com"
_CALLER = "203.0.113.7"


class EventAnswerError(Exception):
    """An answer that API Gateway would not take; the message says why."""


def http_event(path: str, body: bytes) -> dict[str, Any]:
    """Return the event of a POST with a JSON document."""
    headers = {
        "accept": "*/*",
        "content-length": str(len(body)),
        "content-type": "application/json",
        "host": _HOST,
        "user-agent": "lastmile-check",
        "x-forwarded-for": _CALLER,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "r3pmxmplak",
            "domainName": _HOST,
            "domainPrefix": "r3pmxmplak",
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": _CALLER,
                "userAgent": headers["user-agent"],
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "10/Mar/2026:05:16:23 +0000",
            "timeEpoch": 1773119783220,
        },
        "body": body.decode(),
        "isBase64Encoded": False,
    }


def read_answer(document: Any) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of an answer. Raises EventAnswerError for one that is not in the format."""
    if not isinstance(document, dict) or not isinstance(document.get("statusCode"), int):
        raise EventAnswerError(f"it has no statusCode: {str(document)[:200]}")
    headers, body = document.get("headers") or {}, document.get("body") or ""
    if not isinstance(headers, dict) or not isinstance(body, str):
        raise EventAnswerError("its headers are no object, or its body is no text")
    lowered = {str(name).lower(): str(value) for name, value in headers.items()}
    try:
        content = b64decode(body, validate=True) if document.get("isBase64Encoded") else body.encode()
    except ValueError as error:
        raise EventAnswerError(f"its body is not Base64: {error}") from error
    return document["statusCode"], lowered, content
