"""AWS's services are asked at the right place, and what they refuse is told in their own word."""

from __future__ import annotations

import json
import time

import pytest

from lastmile_runtime.aws import Caller, Service
from lastmile_runtime.http import Request, Response
from tests.lastmile_runtime.fronts import front

KEYS = {"AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "s3cr3t", "AWS_SESSION_TOKEN": "token"}


def service(name: str, region: str, environ: dict[str, str], keys: dict[str, str] | None = None) -> Service:
    return Service(name, region, Caller({**(KEYS if keys is None else keys), **environ}), environ)


def post(url: str, keys: dict[str, str] | None = None) -> bytes:
    asked = service("lambda", "eu-west-1", {"AWS_ENDPOINT_URL": url}, keys)
    return asked.post("/a%3Ab", {"x-some": "thing"}, b"body", time.monotonic() + 10)[1]


@pytest.mark.parametrize(
    ("name", "region", "environ", "expected"),
    [
        ("lambda", "eu-west-1", {}, ("lambda.eu-west-1.amazonaws.com", "")),
        ("secretsmanager", "us-gov-west-1", {}, ("secretsmanager.us-gov-west-1.amazonaws.com", "")),
        ("lambda", "cn-north-1", {}, ("lambda.cn-north-1.amazonaws.com.cn", "")),
        ("lambda", "eusc-de-east-1", {}, ("lambda.eusc-de-east-1.amazonaws.eu", "")),
        ("lambda", "x", {"AWS_ENDPOINT_URL": "http://localhost:9000/p/"}, ("localhost:9000", "/p")),
        ("lambda", "x", {"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_LAMBDA": "http://b"}, ("b", "")),
        (
            "secretsmanager",
            "x",
            {"AWS_ENDPOINT_URL_LAMBDA": "http://a", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://b"},
            ("b", ""),
        ),
    ],
)
def test_where_a_service_lies(
    name: str, region: str, environ: dict[str, str], expected: tuple[str, str]
) -> None:
    found = service(name, region, environ)
    assert (found._client.address.name, found._base) == expected


def test_a_post_is_signed() -> None:
    with front(lambda _: Response(200, {}, b"answer")) as server:
        assert post(server.url) == b"answer"
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/a%3Ab", b"body")
    assert asked.headers["x-some"] == "thing"
    assert asked.headers["x-amz-security-token"] == "token"
    day = time.strftime("%Y%m%d", time.gmtime())
    signed = "SignedHeaders=host;x-amz-date;x-amz-security-token;x-some, Signature="
    assert asked.headers["authorization"].startswith(
        f"AWS4-HMAC-SHA256 Credential=KEY/{day}/eu-west-1/lambda/aws4_request, {signed}"
    )


@pytest.mark.parametrize(
    ("headers", "body", "message"),
    [
        (
            {"x-amzn-errortype": "AccessDeniedException:http://internal"},
            b'{"Message": "arn:aws:iam::1:role/x may not"}',
            "AWS Lambda answered 403 (AccessDeniedException)",
        ),
        (
            {},
            b'{"__type": "com.amazonaws#ThrottlingException"}',
            "AWS Lambda answered 403 (ThrottlingException)",
        ),
        ({}, b"<html>", "AWS Lambda answered 403"),
        ({}, b"[]", "AWS Lambda answered 403"),
        ({"x-amzn-errortype": "odd words"}, b"", "AWS Lambda answered 403"),
    ],
)
def test_a_refusal_is_told_by_its_name_alone(headers: dict[str, str], body: bytes, message: str) -> None:
    def refuse(_: Request) -> Response:
        return Response(403, headers, body)

    with front(refuse) as server, pytest.raises(OSError, match="AWS Lambda") as refused:
        post(server.url)
    assert str(refused.value) == message


def test_credentials_that_cannot_be_had() -> None:
    def no_document(_: Request) -> Response:
        return Response(200, {}, json.dumps({"AccessKeyId": "KEY"}).encode())

    with front(no_document) as platform, pytest.raises(ConnectionError) as failed:
        post("http://127.0.0.1:9", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": platform.url})
    assert str(failed.value) == "AWS Lambda cannot be asked: 'SecretAccessKey' is missing"
    with pytest.raises(ConnectionError) as failed:
        post("http://127.0.0.1:9", {"AWS_ACCESS_KEY_ID": "KEY"})
    assert str(failed.value) == "AWS Lambda cannot be asked: 'AWS_SECRET_ACCESS_KEY' is missing"
