"""Signatures are those that botocore makes, whatever is signed."""

from __future__ import annotations

import time

import pytest

from lastmile_runtime.stores.sigv4 import Credentials, hmac_sha256, sign

KEY = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
NOW = time.struct_time((2026, 11, 24, 16, 5, 9, 1, 328, 0))


def test_a_get_from_s3() -> None:
    credentials = Credentials(*KEY, "a/token==")
    path = "/bucket/deep/a%20b.json"
    assert sign(credentials, "eu-west-1", "localhost:9000", path, NOW) == {
        "x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "x-amz-date": "20261124T160509Z",
        "x-amz-security-token": "a/token==",
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/eu-west-1/s3/aws4_request, "
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, "
        "Signature=c77c88dadf3257527d89f205dc71475b4c874b3341906a8a4326c1dffd019d7c",
    }


@pytest.mark.parametrize("key", [b"key", b"k" * 64, b"k" * 65, b""])
def test_hmac_is_the_standard_library_s(key: bytes) -> None:
    import hmac

    assert hmac_sha256(key, b"message") == hmac.digest(key, b"message", "sha256")


def test_a_post_to_lambda_whose_path_is_encoded_once_more() -> None:
    path = "/2015-03-31/functions/predict%3Alive/invocations"
    host = "lambda.eu-west-1.amazonaws.com"
    credentials = Credentials(*KEY, "a/token==")
    assert sign(
        credentials, "eu-west-1", host, path, NOW, service="lambda", method="POST", body=b'{"a":1}'
    ) == {
        "x-amz-date": "20261124T160509Z",
        "x-amz-security-token": "a/token==",
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/eu-west-1/lambda/aws4_request, "
        "SignedHeaders=host;x-amz-date;x-amz-security-token, "
        "Signature=df1ea07d4a3212c190b634225aec2c6e1ea7d6e97a616a6fc80e31d40f1310e4",
    }


def test_headers_that_are_signed_too() -> None:
    found = sign(
        Credentials(*KEY, None),
        "eu-west-1",
        "secretsmanager.eu-west-1.amazonaws.com",
        "/",
        NOW,
        service="secretsmanager",
        method="POST",
        headers={
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": "secretsmanager.GetSecretValue",
        },
        body=b'{"SecretId":"x"}',
    )
    scope = "AKIDEXAMPLE/20261124/eu-west-1/secretsmanager/aws4_request"
    assert found == {
        "x-amz-date": "20261124T160509Z",
        "authorization": f"AWS4-HMAC-SHA256 Credential={scope}, "
        "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
        "Signature=4eccbae9a6e38302b8d5a3e0249e07e0e606d12b9999c07e5a36e8de7a563d36",
    }
