"""A folder is an object store whose writers never lose each other's changes and whose readers never see half of one."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastmile_runtime.stores import Conflict, NotFound, StoreError, open_store
from lastmile_runtime.stores.file import FileStore


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(str(tmp_path / "store"))


def read(store: FileStore, path: str = "a") -> bytes:
    found = store.get(path)
    assert found is not None
    return found.content


def test_what_was_written_is_read(store: FileStore) -> None:
    etag = store.put("deep/down/a.json", b"one")
    found = store.get("deep/down/a.json")
    assert found is not None
    assert (found.content, found.etag) == (b"one", etag)
    assert store.get("deep/down/a.json", etag=etag) is None


def test_every_write_has_an_etag_of_its_own_though_the_content_is_the_same(store: FileStore) -> None:
    assert len({store.put("a", b"same") for _ in range(50)}) == 50


def test_a_head_says_which_content_it_is_and_how_much(store: FileStore) -> None:
    etag = store.put("deep/a", b"one")
    head = store.head("deep/a")
    assert (head.etag, head.size) == (etag, 3)
    for path in ("b", "deep"):
        with pytest.raises(NotFound, match=rf"^there is no {path}\.$"):
            store.head(path)


def test_create_only(store: FileStore) -> None:
    store.put("a", b"first", if_absent=True)
    with pytest.raises(Conflict, match=r"^a is there already\.$"):
        store.put("a", b"second", if_absent=True)
    assert read(store) == b"first"


def test_compare_and_swap(store: FileStore) -> None:
    first = store.put("a", b"1")
    second = store.put("a", b"2", if_match=first)
    with pytest.raises(Conflict, match=r"^a was changed meanwhile\.$"):
        store.put("a", b"3", if_match=first)
    assert read(store) == b"2"
    store.delete("a")
    with pytest.raises(Conflict, match=r"^a is gone\.$"):
        store.put("a", b"3", if_match=second)


def test_listing_knows_objects_only(store: FileStore) -> None:
    for path in ("jobs/2", "jobs/1", "other"):
        store.put(path, b"")
    assert store.list("jobs/") == ["jobs/1", "jobs/2"]
    assert store.list("") == ["jobs/1", "jobs/2", "other"]
    assert FileStore("/nowhere/at/all").list("") == []


def test_what_is_not_there(store: FileStore) -> None:
    store.put("folder/a", b"")
    for path in ("nothing", "folder", "folder/a/b"):
        with pytest.raises(NotFound, match=f"^there is no {path}\\.$"):
            store.get(path)
    store.delete("nothing")


@pytest.mark.parametrize("path", ["", "/a", "../a", "a/../b", "a//b", "./a"])
def test_a_path_stays_in_the_store(store: FileStore, path: str) -> None:
    with pytest.raises(StoreError) as refused:
        store.put(path, b"")
    message = f"the path is {path!r}, but must be relative and have no empty, . or .. part."
    assert str(refused.value) == message


def test_a_path_is_one_that_every_store_keeps_as_it_is(store: FileStore) -> None:
    with pytest.raises(StoreError) as refused:
        store.put("50%", b"")
    message = "the path is '50%', but '%' is not the same in every store; leave it out."
    assert str(refused.value) == message


def test_the_store_s_own_files_are_not_objects(store: FileStore) -> None:
    with pytest.raises(StoreError) as refused:
        store.put("a/.lock", b"")
    assert str(refused.value) == "the path is 'a/.lock', but what begins with a dot is the store's own."


def test_only_the_owner_reads_it(store: FileStore) -> None:
    previous = os.umask(0o022)
    try:
        store.put("very/deep/a", b"")
    finally:
        os.umask(previous)
    root = Path(store.folder)
    assert {stat.S_IMODE(p.stat().st_mode) for p in root.rglob("*") if p.is_file()} == {0o600}
    assert {stat.S_IMODE(p.stat().st_mode) for p in (root, root / "very", root / "very/deep")} == {0o700}


def test_a_clock_that_steps_back_makes_no_etag_twice(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([2_000_000_000_000_000_000, 1_000_000_000_000_000_000, 1_000_000_000_000_000_000])
    monkeypatch.setattr("lastmile_runtime.stores.file.time.time_ns", lambda: next(times))
    etags = [store.put("a", b"1")]
    store.delete("a")
    etags += [store.put("a", b"1"), store.put("a", b"1")]
    moments = [int(etag.partition("-")[0], 16) for etag in etags]
    assert moments == [2_000_000_000_000_000_000, 2_000_000_000_000_000_001, 2_000_000_000_000_000_002]


def test_a_stuck_writer_is_not_waited_for_without_end(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("a", b"1")
    monkeypatch.setattr("lastmile_runtime.stores.file._LOCK_S", 0)
    with Path(store.folder, ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match=r"^a: another writer has held \.lock for 0 s\.$"):
            store.put("a", b"2")
    assert read(store) == b"1"


# Every sequence of operations does to the store what it does to a dict; etags are those of the last write.
_PATHS = st.sampled_from(["a", "b", "c/d"])
_STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "create", "swap", "stale", "delete"]), _PATHS, st.binary())
)


@settings(deadline=None, max_examples=50)
@given(_STEPS)
def test_it_is_a_dict_with_compare_and_swap(steps: list[tuple[str, str, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = FileStore(folder)
        model: dict[str, tuple[bytes, str]] = {}
        seen: set[str] = set()
        for action, path, content in steps:
            etag = model[path][1] if path in model else "none"
            allowed = {
                "put": True,
                "create": path not in model,
                "swap": path in model,
                "stale": False,
                "delete": True,
            }
            rules: dict[str, dict[str, Any]] = {
                "create": {"if_absent": True},
                "swap": {"if_match": etag},
                "stale": {"if_match": "none"},
            }
            try:
                if action == "delete":
                    store.delete(path)
                    model.pop(path, None)
                else:
                    etag = store.put(path, content, **rules.get(action, {}))
                    assert etag not in seen
                    seen.add(etag)
                    model[path] = (content, etag)
                assert allowed[action]
            except Conflict:
                assert not allowed[action]
        assert store.list("") == sorted(model)
        for path, (content, etag) in model.items():
            found = store.get(path)
            assert found is not None
            assert (found.content, found.etag) == (content, etag)


def test_a_range_is_streamed(store: FileStore) -> None:
    store.put("a", bytes(range(100)))
    assert b"".join(store.stream("a", 10, 20)) == bytes(range(10, 20))


def count_up(folder: str, times: int, queue: Any) -> None:
    store, conflicts = FileStore(folder), 0
    for _ in range(times):
        while True:
            found = store.get("counter")
            assert found is not None
            try:
                store.put("counter", b"%d" % (int(found.content) + 1), if_match=found.etag)
                break
            except Conflict:
                conflicts += 1
    queue.put(conflicts)


def test_writers_that_race_lose_no_update(store: FileStore) -> None:
    store.put("counter", b"0")
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    workers = [context.Process(target=count_up, args=(store.folder, 100, queue)) for _ in range(3)]
    for worker in workers:
        worker.start()
    conflicts = [queue.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join(60)
    assert read(store, "counter") == b"300"
    assert len(conflicts) == 3


WRITER = """
import sys
sys.path.insert(0, sys.argv[1])
from lastmile_runtime.stores.file import FileStore
store = FileStore(sys.argv[2])
while True:
    for letter in (b"x", b"y"):
        store.put("a", letter * 4_000_000)
        print("written", flush=True)
"""


def test_a_killed_writer_leaves_a_whole_object_and_no_lock(store: FileStore) -> None:
    root = Path(sys.modules[FileStore.__module__].__file__ or "").parents[2]
    for _ in range(5):
        command = [sys.executable, "-c", WRITER, str(root), store.folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            os.kill(writer.pid, signal.SIGKILL)
        content = read(store)
        assert (len(content), len(set(content))) == (4_000_000, 1)
    store.put("a", b"after")
    assert (read(store), store.list("")) == (b"after", ["a"])


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "ftp://x",
            "the store is 'ftp://x', but must begin with one of file, http, https, s3, gs, az and ://.",
        ),
        ("file", "the store is 'file', but must begin with one of file, http, https, s3, gs, az and ://."),
        (
            "file://relative",
            "the store is 'file://relative', but a file store is file:// and a path from the root on.",
        ),
        (
            "http://",
            "the URL is 'http://', but must be http:// or https:// and a host, with no user in it.",
        ),
        (
            "http://user@host",
            "the URL is 'http://user@host', but must be http:// or https:// and a host, with no user in it.",
        ),
        ("s3://", "the store is 's3://', but must be s3://BUCKET or s3://BUCKET/PREFIX."),
        ("gs:///x", "the store is 'gs:///x', but must be gs://BUCKET or gs://BUCKET/PREFIX."),
        (
            "az://account",
            "the store is 'az://account', but must be az://ACCOUNT/CONTAINER or az://ACCOUNT/CONTAINER/PREFIX.",
        ),
    ],
)
def test_urls_refused(url: str, message: str) -> None:
    with pytest.raises(StoreError) as refused:
        open_store(url)
    assert str(refused.value) == message


def test_a_url_s_escapes_are_undone(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    open_store(folder.as_uri()).put("x", b"1")
    assert (folder / "x").read_bytes() == b"1"
