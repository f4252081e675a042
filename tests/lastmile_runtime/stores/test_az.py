"""Azure Blob Storage is asked with the token of the function app's identity."""

from __future__ import annotations

import json
import time

import pytest

from lastmile_runtime.stores.az import open_url
from tests.lastmile_runtime.stores.servers import ok, serving


@pytest.mark.parametrize(
    ("client", "query"),
    [
        ({}, "api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com%2F"),
        (
            {"AZURE_CLIENT_ID": "42"},
            "api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com%2F&client_id=42",
        ),
    ],
)
def test_a_read_carries_the_identity_s_token(client: dict[str, str], query: str) -> None:
    token = json.dumps({"access_token": "secret", "expires_on": "9999999999"}).encode()
    with serving(lambda *_: ok(token)) as identity:
        endpoint = f"http://127.0.0.1:{identity.port}/msi/token"
        store = open_url(
            "az://acc/con/p", {"IDENTITY_ENDPOINT": endpoint, "IDENTITY_HEADER": "header", **client}
        )
        assert store._reader is not None
        assert store._reader._authorize is not None
        for _ in range(2):
            assert store._reader._authorize("/con/p/a", time.monotonic() + 10) == {
                "authorization": "Bearer secret",
                "x-ms-version": "2021-12-02",
            }
    assert (store._reader._address.name, store._reader._prefix) == ("acc.blob.core.windows.net", "/con/p")
    ((target, headers),) = identity.asked
    assert (target, headers["x-identity-header"]) == (f"/msi/token?{query}", "header")


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"IDENTITY_ENDPOINT": "http://x"},
        {"IDENTITY_ENDPOINT": "http://x", "IDENTITY_HEADER": "h", "AZURE_STORAGE_ACCOUNT_KEY": "k"},
    ],
)
def test_elsewhere_the_library_finds_out_who_asks(environ: dict[str, str]) -> None:
    assert open_url("az://acc/con", environ)._reader is None
