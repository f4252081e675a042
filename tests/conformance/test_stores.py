"""Every store keeps the same promises: S3 (moto), Google Cloud Storage (a fake, an emulator), Azure (Azurite), a folder."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lastmile_runtime.stores import Conflict, NotFound, StoreError, open_store
from tests.conformance.emulators import az, file, gs, gs_emulator, s3

if TYPE_CHECKING:
    from lastmile_runtime.stores import Store

pytestmark = pytest.mark.conformance


@pytest.fixture(scope="module", params=[file, s3, gs, gs_emulator, az], ids=lambda start: start.__name__)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with (
        pytest.MonkeyPatch.context() as environ,
        request.param(environ, tmp_path_factory.mktemp("store")) as url,
    ):
        yield url


@pytest.fixture
def store(url: str, request: pytest.FixtureRequest) -> Store:
    return open_store(f"{url}/{request.node.originalname}")


@pytest.fixture(params=["as it is", "through the library"])
def reader(store: Store, request: pytest.FixtureRequest) -> Store:
    """The store, once with our own quick reads where it has them, and once without."""
    if request.param == "through the library":
        if not getattr(store, "_reader", None):
            pytest.skip("this store has no reads of its own")
        store._reader = None  # type: ignore[attr-defined] # a cloud's
    return store


def content(store: Store, path: str) -> bytes:
    found = store.get(path, deadline_s=10)
    assert found is not None
    return found.content


def test_what_was_written_is_read_with_its_etag(reader: Store) -> None:
    etag = reader.put("deep/a b+c=d.json", b"one")
    found = reader.get("deep/a b+c=d.json", deadline_s=10)
    assert found is not None
    assert (found.content, found.etag) == (b"one", etag)


def test_a_head_says_which_content_it_is_and_how_much(store: Store) -> None:
    store.put("a", b"one")
    first, again = store.head("a"), store.head("a")
    assert (first.size, first.etag) == (3, again.etag)
    store.put("a", b"other")
    assert store.head("a").etag != first.etag
    with pytest.raises(NotFound, match="there is no b"):
        store.head("b")


def test_what_has_not_changed_is_not_read_again(reader: Store) -> None:
    etag = reader.put("a", b"one")
    assert reader.get("a", etag=etag, deadline_s=10) is None
    reader.put("a", b"two")
    found = reader.get("a", etag=etag, deadline_s=10)
    assert found is not None
    assert found.content == b"two"


def test_an_empty_object_is_one(reader: Store) -> None:
    reader.put("a", b"")
    assert content(reader, "a") == b""


def test_what_is_not_there(reader: Store) -> None:
    with pytest.raises(NotFound, match=r"^there is no nothing\.$"):
        reader.get("nothing", deadline_s=10)
    with pytest.raises(NotFound, match=r"^there is no nothing\.$"):
        list(reader.stream("nothing", 0, 10))


def test_create_only(store: Store) -> None:
    store.put("a", b"first", if_absent=True)
    with pytest.raises(Conflict):
        store.put("a", b"second", if_absent=True)
    assert content(store, "a") == b"first"


def test_compare_and_swap(reader: Store) -> None:
    first = reader.put("a", b"1")
    found = reader.get("a", deadline_s=10)
    assert found is not None
    reader.put("a", b"2", if_match=found.etag)
    with pytest.raises(Conflict, match=r"^a was changed meanwhile\.$"):
        reader.put("a", b"3", if_match=first)
    assert content(reader, "a") == b"2"


def test_swapping_what_is_gone_writes_nothing(store: Store) -> None:
    etag = store.put("a", b"1")
    store.delete("a")
    with pytest.raises(Conflict):
        store.put("a", b"2", if_match=etag)
    with pytest.raises(NotFound):
        store.get("a", deadline_s=10)


def test_an_object_that_was_made_again_is_another_one(store: Store) -> None:
    etag = store.put("a", b"1")
    store.delete("a")
    store.put("a", b"2")
    with pytest.raises(Conflict):
        store.put("a", b"3", if_match=etag)


def test_listing_is_by_what_a_path_begins_with(store: Store) -> None:
    for path in ("jobs/10", "jobs/2", "jobs-old", "other"):
        store.put(path, b"x")
    assert store.list("") == ["jobs-old", "jobs/10", "jobs/2", "other"]
    assert store.list("jobs/") == ["jobs/10", "jobs/2"]
    assert store.list("jobs/1") == ["jobs/10"]
    assert store.list("jo") == ["jobs-old", "jobs/10", "jobs/2"]
    assert store.list("nothing/") == []


def test_deleting_is_done_when_it_is_gone(store: Store) -> None:
    store.put("a", b"1")
    store.delete("a")
    store.delete("a")
    with pytest.raises(NotFound):
        store.get("a", deadline_s=10)


def test_a_part_is_streamed(reader: Store) -> None:
    whole = bytes(range(256)) * 8192
    reader.put("a", whole)
    assert b"".join(map(bytes, reader.stream("a", 1_000, 1_500_000))) == whole[1_000:1_500_000]
    assert list(reader.stream("a", 5, 5)) == []


def test_a_bucket_that_does_not_exist_is_no_missing_object(url: str) -> None:
    if url.startswith("file:"):
        pytest.skip("a folder is made when it is needed")
    with pytest.raises(StoreError) as failed:
        open_store(url.replace("/bucket/", "/nowhere/", 1)).put("a", b"")
    assert not isinstance(failed.value, Conflict)


@pytest.mark.parametrize("size", [0, 3_000_001])
def test_weights_come_as_they_were_stored(store: Store, size: int, tmp_path: Path) -> None:
    from lastmile_runtime.weights import describe, fetch

    original = tmp_path / "original"
    original.write_bytes((bytes(range(251)) * (size // 251 + 1))[:size])
    entry = describe(str(original), chunk_bytes=1_000_000)
    store.put(entry["sha256"], original.read_bytes())
    found = fetch(store, "models/v1/weights.bin", entry, str(tmp_path / "scratch"))
    assert Path(found).read_bytes() == original.read_bytes()


@pytest.mark.parametrize("token", [None, "a/session+token=="])
@pytest.mark.parametrize("path", ["/bucket/a", "/a%20b/c%2Bd%3D~e.json", "/"])
def test_signatures_are_botocore_s(token: str | None, path: str) -> None:
    auth = pytest.importorskip("botocore.auth")
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as Theirs

    from lastmile_runtime.stores.sigv4 import Credentials, sign

    sent = AWSRequest("GET", f"http://localhost:9000{path}", headers={})
    auth.S3SigV4Auth(Theirs("KEY", "s/e+c=ret", token), "s3", "eu-west-1").add_auth(sent)
    now = time.strptime(sent.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
    ours = sign(Credentials("KEY", "s/e+c=ret", token), "eu-west-1", "localhost:9000", path, now)
    theirs = {name.lower(): value for name, value in sent.headers.items()}
    assert ours == {name: theirs[name] for name in ours}
