"""S3 is asked at the right place, in the right name."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from lastmile_runtime.stores import NotFound, StoreError
from lastmile_runtime.stores.s3 import open_url
from tests.lastmile_runtime.stores.servers import ok, serving

KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
}


def place(url: str, environ: dict[str, str]) -> tuple[str, str]:
    reader = open_url(url, {**KEYS, **environ})._reader
    assert reader is not None
    return reader._address.name, reader._prefix


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        ("s3://b/a/b", {"AWS_REGION": "eu-west-1"}, ("b.s3.eu-west-1.amazonaws.com", "/a/b")),
        ("s3://b", {"AWS_DEFAULT_REGION": "cn-north-1"}, ("b.s3.cn-north-1.amazonaws.com.cn", "")),
        ("s3://b.c/a b/", {"AWS_REGION": "us-east-1"}, ("s3.us-east-1.amazonaws.com", "/b.c/a%20b")),
        ("s3://b/a", {"AWS_ENDPOINT_URL": "http://localhost:9000/x/"}, ("localhost:9000", "/x/b/a")),
        ("s3://b/a", {"AWS_ENDPOINT_URL": "http://x", "AWS_ENDPOINT_URL_S3": "https://y"}, ("y", "/b/a")),
    ],
)
def test_where_a_bucket_lies(url: str, environ: dict[str, str], expected: tuple[str, str]) -> None:
    assert place(url, environ) == expected


def test_a_read_is_signed_and_knows_versions() -> None:
    with serving(lambda *_: ok(b"{}", etag='"e"', x_amz_version_id="v")) as server:
        store = open_url("s3://b/p", {**KEYS, "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{server.port}"})
        found = store.get("routing.json", etag='"d"|u', deadline_s=10)
    assert found is not None
    assert (found.content, found.etag) == (b"{}", '"e"|v')
    ((target, headers),) = server.asked
    assert target == "/b/p/routing.json"
    assert headers["if-none-match"] == '"d"'
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")


@pytest.mark.parametrize(
    ("status", "code", "error", "message"),
    [
        ("404 Not Found", "NoSuchKey", NotFound, "there is no a."),
        ("404 Not Found", "NoSuchBucket", StoreError, "a: the server answered 404 (NoSuchBucket), not 200."),
        ("403 Forbidden", "AccessDenied", StoreError, "a: the server answered 403 (AccessDenied), not 200."),
    ],
)
def test_what_s3_refuses_is_told_in_its_own_word(
    status: str, code: str, error: type[StoreError], message: str
) -> None:
    with serving(lambda *_: ok(f"<Error><Code>{code}</Code></Error>".encode(), status)) as server:
        store = open_url("s3://b", {**KEYS, "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{server.port}"})
        with pytest.raises(StoreError) as failed:
            store.get("a", deadline_s=10)
    assert (type(failed.value), str(failed.value)) == (error, message)


def credentials_document(expires_in_s: float) -> bytes:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + expires_in_s))
    found = {"AccessKeyId": "KEY", "SecretAccessKey": "secret", "Token": "token", "Expiration": stamp}
    return json.dumps(found).encode()


@pytest.mark.parametrize(("expires_in_s", "times"), [(3600, 1), (60, 2)])
def test_a_restored_function_asks_its_platform_for_credentials(
    expires_in_s: float, times: int, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("a-token\n")
    with (
        serving(lambda *_: ok(credentials_document(expires_in_s))) as platform,
        serving(lambda *_: ok(b"{}")) as server,
    ):
        environ = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{platform.port}/credentials?a=b",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{server.port}",
        }
        store = open_url("s3://b", environ)
        for _ in range(2):
            store.get("a", deadline_s=10)
    assert [target for target, _ in platform.asked] == ["/credentials?a=b"] * times
    assert platform.asked[0][1]["authorization"] == "a-token"
    assert server.asked[0][1]["x-amz-security-token"] == "token"


def test_a_platform_that_gives_no_credentials() -> None:
    with serving(lambda *_: ok(b"", "403 Forbidden")) as platform:
        url = f"http://127.0.0.1:{platform.port}/"
        store = open_url("s3://b", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url})
        with pytest.raises(StoreError) as failed:
            store.get("a", deadline_s=10)
    assert str(failed.value) == (
        f"a: 127.0.0.1:{platform.port} gives this function no credentials: it answered 403."
    )
