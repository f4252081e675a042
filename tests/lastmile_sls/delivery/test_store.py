"""The deployer's stores: of every scheme that can be written to, in the bucket's region, with Azure's token."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.stores import Conflict, StoreError, s3
from lastmile_sls.delivery.store import open_for_deployer
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.delivery.kudu import TOKEN


def test_a_folder_is_opened(tmp_path: Path) -> None:
    open_for_deployer(tmp_path.as_uri(), {}).put("a", b"b")
    assert (tmp_path / "a").read_bytes() == b"b"


@pytest.mark.parametrize("url", ["https://host/a", "ftp://host", "nothing"])
def test_what_cannot_be_written_to_is_refused(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_for_deployer(url, {})
    assert str(caught.value) == f"the store is {url!r}, but must begin with one of file, s3, gs, az and ://."


@pytest.mark.parametrize(
    ("environ", "region", "found"),
    [
        ({"AWS_REGION": "eu-west-1"}, "eu-north-1", "eu-north-1"),
        ({"AWS_REGION": "eu-west-1"}, None, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-2"}, None, "eu-west-2"),
    ],
)
def test_a_bucket_is_looked_for_in_its_region(
    environ: dict[str, str], region: str | None, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    monkeypatch.setattr(s3, "open_url", lambda url, environ: opened.append((url, environ["AWS_REGION"])))
    open_for_deployer("s3://bucket", environ, region)
    assert opened == [("s3://bucket", found)]


def test_azure_gets_the_deployers_token(azure_cli: Path) -> None:
    asked: list[tuple[str, str, str]] = []
    statuses = [201, 409]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            asked.append((self.path, self.headers["authorization"], self.headers["if-none-match"]))
            self.send_response(statuses.pop(0))
            for name, value in {"content-length": "0", "etag": '"1"', "x-ms-version-id": "1"}.items():
                self.send_header(name, value)
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_address[1]}/account"
        store = open_for_deployer("az://account/container/in", {"AZURE_STORAGE_ENDPOINT": endpoint})
        store.put("routing.json", b"{}", if_absent=True)
        with pytest.raises(Conflict):
            store.put("routing.json", b"{}", if_absent=True)
        server.shutdown()
    assert asked == [("/account/container/in/routing.json", f"Bearer {TOKEN}", "*")] * 2
    assert "--resource https://storage.azure.com" in azure_cli.read_text()


def test_who_is_not_logged_in_at_azure_is_told_how(azure_cli: Path) -> None:
    (azure_cli.parent / "az" / "az").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(LastmileError) as caught:
        open_for_deployer("az://account/container", {}).put("a", b"b")
    assert caught.value.message.startswith("Azure gives us no token: ")
