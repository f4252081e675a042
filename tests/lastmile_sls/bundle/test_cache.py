"""What was made once: whole or not there, the same for everybody, never poisoned."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from lastmile_sls.bundle.cache import KEPT_S, Cache, FileDigests, find_cache, key_of
from lastmile_sls.errors import LastmileError


def test_the_folder_of_a_key_is_made_once(tmp_path: Path) -> None:
    cache, made = Cache(tmp_path), []

    def make(into: Path) -> None:
        made.append(into)
        (into / "file").write_text("content")

    first = cache.folder("things", "k", make)
    assert (first / "file").read_text() == "content"
    assert cache.folder("things", "k", make) == first
    assert len(made) == 1
    cache.drop("things", "k")
    cache.folder("things", "k", make)
    assert len(made) == 2


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(into: Path) -> None:
        (into / "half").write_text("")
        raise LastmileError("no such wheel")

    with pytest.raises(LastmileError, match="no such wheel"):
        Cache(tmp_path).folder("things", "k", fail)
    assert list((tmp_path / "things").iterdir()) == []


def test_two_that_make_the_same_at_once_both_get_it(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=20)
    found = []

    def make(into: Path) -> None:
        (into / "file").write_text("content")
        both.wait()

    def ask() -> None:
        found.append(Cache(tmp_path).folder("things", "k", make))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [tmp_path / "things/k"] * 2
    assert [path.name for path in (tmp_path / "things").iterdir()] == ["k"]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        LastmileError, match=r"^the cache in .*file could not be written: Not a directory\."
    ) as told:
        Cache(tmp_path / "file").folder("things", "k", lambda into: None)
    assert told.value.hint == "Free space, or name another folder in LASTMILE_CACHE."


def test_what_nobody_used_for_long_is_removed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    old, new = (cache.folder("things", key, lambda into: None) for key in ("old", "new"))
    os.utime(old, (1000, 1000))
    cache.clean(1001 + KEPT_S)
    assert not old.exists()
    assert new.exists()
    os.utime(new, (1000, 1000))
    cache.folder("things", "new", lambda into: None)  # using it counts
    cache.clean(1001 + KEPT_S)
    assert new.exists()


def test_where_it_lies() -> None:
    assert find_cache({"LASTMILE_CACHE": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a")
    assert find_cache({"XDG_CACHE_HOME": "/b"}) == Path("/b/lastmile")
    assert find_cache({}) == Path.home() / ".cache/lastmile"


def test_keys_are_of_content() -> None:
    assert key_of({"a": 1, "b": [2]}) == key_of({"b": [2], "a": 1})
    assert key_of({"a": 1}) != key_of({"a": 2})


def settled(path: Path, seconds: int) -> None:
    os.utime(path, (seconds, seconds))


def test_files_are_read_again_when_they_changed(tmp_path: Path) -> None:
    file, memory = tmp_path / "model", tmp_path / "memory.json"
    file.write_text("one")
    settled(file, 1000)
    digests = FileDigests(memory)
    first = digests.of(file)
    digests.save()
    file.write_text("two")
    settled(file, 1000)
    assert FileDigests(memory).of(file) == first  # the same size, time and inode: it is not read
    settled(file, 2000)
    assert FileDigests(memory).of(file) != first


def test_a_file_that_was_just_written_is_not_remembered(tmp_path: Path) -> None:
    file, memory = tmp_path / "model", tmp_path / "memory.json"
    file.write_text("one")
    digests = FileDigests(memory)
    first = digests.of(file)
    file.write_text("two")
    assert digests.of(file) != first


def test_a_folder_is_its_files_and_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "app"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/a.py").write_text("1")
    digests = FileDigests(tmp_path / "memory.json")
    first = digests.of(folder)
    (folder / "deep/a.py").rename(folder / "deep/b.py")
    assert digests.of(folder) != first


@pytest.mark.parametrize("content", ["", "[]", "{", '{"/x": 1}'])
def test_a_memory_that_is_garbled_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "memory.json").write_text(content)
    (tmp_path / "file").write_text("x")
    assert len(FileDigests(tmp_path / "memory.json").of(tmp_path / "file")) == 64
