"""Google Cloud Storage is asked with the token of the service account that Cloud Run runs as."""

from __future__ import annotations

import json
import time

import pytest

from lastmile_runtime.stores.gs import open_url
from lastmile_runtime.stores.http import HttpStore
from tests.lastmile_runtime.stores.fake_gcs import fake_gcs
from tests.lastmile_runtime.stores.servers import ok, serving


@pytest.mark.parametrize(("expires_in", "times"), [(3600, 1), (60, 2)])
def test_a_token_is_asked_for_again_before_it_expires(expires_in: int, times: int) -> None:
    token = json.dumps({"access_token": "secret", "expires_in": expires_in}).encode()
    with serving(lambda *_: ok(token)) as metadata:
        store = open_url("gs://b", {"K_SERVICE": "s", "GCE_METADATA_HOST": f"127.0.0.1:{metadata.port}"})
        assert store._reader is not None
        assert store._reader._authorize is not None
        for _ in range(2):
            assert store._reader._authorize("/b/a", time.monotonic() + 10) == {
                "authorization": "Bearer secret"
            }
    target = "/computeMetadata/v1/instance/service-accounts/default/token"
    assert [(asked, headers["metadata-flavor"]) for asked, headers in metadata.asked] == [
        (target, "Google")
    ] * times


@pytest.mark.parametrize(
    "environ", [{}, {"K_SERVICE": "s", "GOOGLE_APPLICATION_CREDENTIALS": "/key.json"}, {"K_SERVICE": ""}]
)
def test_elsewhere_the_library_finds_out_who_asks(environ: dict[str, str]) -> None:
    assert open_url("gs://b", environ)._reader is None


def test_where_a_bucket_lies() -> None:
    reader = open_url("gs://b/a b/c", {"K_SERVICE": "s"})._reader
    assert isinstance(reader, HttpStore)
    assert (reader._address.name, reader._prefix) == ("storage.googleapis.com", "/b/a%20b/c")


def test_what_the_library_writes_is_read_without_it() -> None:
    with fake_gcs() as server:
        emulator = {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{server.server_port}"}
        store = open_url("gs://bucket/pre", emulator)
        etag = store.put("a", b"1", if_absent=True)
        found = store.get("a", deadline_s=10)
        assert found is not None
        assert (found.content, found.etag) == (b"1", etag)
        assert server.objects == {"pre/a": (b"1", int(etag.partition("|")[2]))}
