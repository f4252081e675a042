"""A folder is an object store whose writers never lose each other's changes and whose readers never see half of one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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
    with pytest.raises(StoreError, match="but must be relative and have no empty"):
        store.put(path, b"")


def test_only_the_owner_reads_it(store: FileStore) -> None:
    store.put("deep/a", b"")
    root = Path(store.folder)
    assert {stat.S_IMODE(p.stat().st_mode) for p in root.rglob("*") if p.is_file()} == {0o600}
    assert stat.S_IMODE((root / "deep").stat().st_mode) == 0o700


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
            "the store is 'ftp://x', but must begin with one of file, http, https, s3, gs, az, azure and ://.",
        ),
        (
            "file",
            "the store is 'file', but must begin with one of file, http, https, s3, gs, az, azure and ://.",
        ),
        (
            "file://relative",
            "the store is 'file://relative', but a file store is file:// and a path from the root on.",
        ),
        ("http://", "the store is 'http://', but must name a host."),
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
