"""API Gateway's events and answers."""

from __future__ import annotations

from typing import Any

import pytest

from lastmile_runtime.adapters import aws_events
from lastmile_sls.check.aws.event import EventAnswerError, http_event, read_answer


def test_the_adapter_takes_the_event_for_what_it_is() -> None:
    event = http_event("/v2/models/m/infer", '{"ü": 1}'.encode())
    assert aws_events.kind_of(event) == aws_events.HTTP_API
    request = aws_events.request_of(event, aws_events.HTTP_API)
    assert (request.method, request.path, request.body) == ("POST", "/v2/models/m/infer", '{"ü": 1}'.encode())
    assert request.headers["content-length"] == str(len('{"ü": 1}'.encode()))


def test_answers_in_either_form() -> None:
    assert read_answer({"statusCode": 200, "headers": {"X-A": 1}, "body": "ü"}) == (
        200,
        {"x-a": "1"},
        "ü".encode(),
    )
    assert read_answer({"statusCode": 204, "body": "/wA=", "isBase64Encoded": True}) == (204, {}, b"\xff\x00")
    assert read_answer({"statusCode": 204}) == (204, {}, b"")


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("text", "it has no statusCode: text"),
        ({"statusCode": "200"}, "it has no statusCode: {'statusCode': '200'}"),
        ({"statusCode": 200, "body": {}, "headers": []}, ""),
        ({"statusCode": 200, "body": 7}, "its headers are no object, or its body is no text"),
        (
            {"statusCode": 200, "body": "?", "isBase64Encoded": True},
            "its body is not Base64: Only base64 data is allowed",
        ),
    ],
)
def test_what_api_gateway_would_not_take(document: Any, why: str) -> None:
    if not why:
        assert read_answer(document) == (200, {}, b"")
        return
    with pytest.raises(EventAnswerError) as caught:
        read_answer(document)
    assert str(caught.value) == why
