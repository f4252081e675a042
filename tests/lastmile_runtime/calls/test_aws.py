"""A Lambda function is asked by its own name, in ours, and answers as if it had been asked over HTTP."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.http import Request, Response
from tests.lastmile_runtime.adapters import aws_samples as samples
from tests.lastmile_runtime.bundles import matrix
from tests.lastmile_runtime.calls.functions import (
    KEYS,
    PATH,
    Invoked,
    malformed,
    opened,
    refusal,
)
from tests.lastmile_runtime.fronts import Front, front

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:predict-v2:live"
BODY = json.dumps({"inputs": [matrix([[1, 2]])]}).encode()


def function(server: Front, url: str = "lambda://eu-west-1/predict-v2:live", deadline_s: float = 10.0) -> Any:
    return opened(url, {**KEYS, "AWS_ENDPOINT_URL_LAMBDA": server.url}, deadline_s)


def said(status: int, body: bytes, **headers: str) -> Any:
    return lambda _: Response(status, {name.replace("_", "-"): v for name, v in headers.items()}, body)


def test_the_answer_is_the_one_to_a_direct_request(tmp_path: Path) -> None:
    invoked = Invoked(tmp_path)
    direct = invoked.answer(samples.http_api(rawPath=f"{PATH}/infer", body=BODY.decode()))
    with front(invoked) as server:
        asked = function(server)
        ready = asked.ask("GET", f"{PATH}/ready")
        answer = asked.ask("POST", f"{PATH}/infer", {"content-type": "application/json"}, BODY)
    assert (ready.status, ready.body) == (200, b'{"name":"breast-cancer","version":"v2","ready":true}')
    assert (answer.status, json.loads(answer.body)) == (direct["statusCode"], json.loads(direct["body"]))
    assert json.loads(answer.body)["outputs"][0]["data"] == [3, 6]
    named = ("content-type", "x-model-version", "x-model-digest")
    assert [answer.headers[name] for name in named] == [direct["headers"][name] for name in named]
    assert server.connections == 1


def test_bytes_that_are_no_text_go_there_and_come_back() -> None:
    def echo(request: Request) -> Response:
        event = json.loads(request.body)
        return Response(
            200, {}, json.dumps({**event, "statusCode": 200, "headers": {"X-Some": "a"}}).encode()
        )

    with front(echo) as server:
        answer = function(server).ask("POST", "/a%20b?c=d", {"x": "y"}, bytes(range(256)))
    assert (answer.body, answer.headers) == (bytes(range(256)), {"x-some": "a"})
    event = json.loads(server.asked[0].body)
    assert (event["rawPath"], event["rawQueryString"], event["headers"]) == ("/a%20b", "c=d", {"x": "y"})
    assert event["requestContext"] == {"http": {"method": "POST", "path": "/a%20b"}, "stage": "$default"}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("predict-v2", "predict-v2"),
        ("predict-v2:live", "predict-v2%3Alive"),
        (ARN, ARN.replace(":", "%3A")),
        ("p:$LATEST", "p%3A%24LATEST"),
    ],
)
def test_who_is_asked(name: str, path: str) -> None:
    with front(said(200, b'{"statusCode": 204}')) as server:
        assert function(server, f"lambda://eu-west-1/{name}").ask("GET", "/").status == 204
    assert server.asked[0].path == f"/2015-03-31/functions/{path}/invocations"
    assert "/eu-west-1/lambda/aws4_request" in server.asked[0].headers["authorization"]


def test_what_proves_who_the_caller_is_stays_here() -> None:
    personal = {"Authorization": "Bearer users", "x-api-key": "users", "cookie": "users", "x-tag": "1"}
    with front(said(200, b'{"statusCode": 200}')) as server:
        function(server).ask("POST", "/", personal, b"")
    assert json.loads(server.asked[0].body)["headers"] == {"x-tag": "1"}
    assert "users" not in server.asked[0].headers["authorization"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            said(429, b'{"Reason": "x"}', x_amzn_errortype="TooManyRequestsException"),
            "AWS Lambda answered 429 (TooManyRequestsException)",
        ),
        (
            said(404, b"", x_amzn_errortype="ResourceNotFoundException"),
            "AWS Lambda answered 404 (ResourceNotFoundException)",
        ),
        (
            said(
                200,
                b'{"errorMessage": "2026-11-29T17:00:00Z 8476a536 Task timed out after 3.00 seconds"}',
                x_amz_function_error="Unhandled",
            ),
            "it failed: 2026-11-29T17:00:00Z 8476a536 Task timed out after 3.00 seconds",
        ),
        (
            said(
                200,
                b'{"errorType": "Runtime.ExitError", "errorMessage": "signal: killed."}',
                x_amz_function_error="Unhandled",
            ),
            "it failed: Runtime.ExitError: signal: killed",
        ),
        (said(200, b"", x_amz_function_error="Unhandled"), "it failed, and does not say why"),
        (said(200, b"null", x_amz_function_error="Unhandled"), "it failed, and does not say why"),
        (said(200, b'{"ok": true}'), "its answer is not one to HTTP: KeyError: 'statusCode'"),
        (
            said(200, b"null"),
            "its answer is not one to HTTP: AttributeError: 'NoneType' object has no attribute 'get'",
        ),
        (
            said(200, b'{"statusCode": 200, "isBase64Encoded": true, "body": "abc"}'),
            "its answer is not one to HTTP: Error: Incorrect padding",
        ),
    ],
)
def test_no_answer_is_an_error(answer: Any, message: str) -> None:
    with front(answer) as server, pytest.raises(OSError, match=r"^(it|AWS)") as failed:
        function(server).ask("GET", "/")
    assert str(failed.value) == message


def test_the_deadline_is_for_the_whole_answer() -> None:
    done = threading.Event()

    def wait(_: Request) -> Response:
        done.wait(30)
        return Response(200, {}, b"{}")

    with front(wait) as server:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            function(server, deadline_s=0.2).ask("GET", "/")
        assert time.monotonic() - started < 10
        done.set()


def test_a_request_that_is_larger_than_lambda_takes_is_not_sent() -> None:
    most = (6 * 1024 * 1024 - 193) // 4 * 3  # base64 has four characters for three bytes; 193 are around it
    with front(said(200, b'{"statusCode": 200}')) as server:
        assert function(server).ask("POST", "/", {}, bytes(most)).status == 200
        answer = function(server).ask("POST", "/", {}, bytes(most + 1))
    assert len(server.asked) == 1
    assert (answer.status, json.loads(answer.body)) == (
        413,
        {
            "error": "the request has 6291457 bytes on its way to another function, but AWS Lambda takes 6291456; "
            "send fewer rows."
        },
    )


def test_a_function_that_is_nobody_cannot_ask() -> None:
    assert refusal("lambda://eu-west-1/f", {}) == (
        "the function 'predict-v2' is asked in this one's name, but the environment has no credentials of AWS."
    )


@pytest.mark.parametrize(
    "url",
    ["lambda://", "lambda://f", "lambda:///f", "lambda://eu-west-1/", "lambda://eu west/f", "lambda://x/f/g"],
)
def test_what_is_no_function_of_lambda(url: str) -> None:
    assert refusal(url, KEYS) == malformed(url)
