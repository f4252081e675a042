"""Weights are what the manifest says, or they are not there."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime import weights
from lastmile_runtime.application import Application
from lastmile_runtime.errors import BundleError
from lastmile_runtime.http import Request
from lastmile_runtime.manifest import FILE, digest
from lastmile_runtime.startup import start
from lastmile_runtime.stores import NotFound, Object, StoreError
from lastmile_runtime.telemetry import Log
from tests.lastmile_runtime.bundles import MODEL, matrix, python_version, routing, write_bundle

CONTENT = bytes(range(256)) * 10  # in chunks of 1000 bytes: two whole ones, and one of 560
NAME = "models/v1/weights.bin"


class Store:
    """One object in memory, which `spoil` may change or withhold: it gets start, attempt and bytes."""

    def __init__(self, spoil: Callable[[int, int, bytes], bytes] = lambda start, attempt, part: part) -> None:
        self.spoil = spoil
        self.attempts: dict[int, int] = {}
        self.lock = threading.Lock()

    def stream(self, path: str, start: int, end: int) -> Iterator[memoryview]:
        if path != hashlib.sha256(CONTENT).hexdigest():
            raise NotFound(f"there is no {path}.")
        with self.lock:
            self.attempts[start] = attempt = self.attempts.get(start, 0) + 1
        part = self.spoil(start, attempt, CONTENT[start:end])
        for at in range(0, len(part), 300):
            yield memoryview(part[at : at + 300])

    def get(self, path: str, etag: str | None = None, deadline_s: float | None = None) -> Object | None:
        raise AssertionError

    put = list = delete = get


@pytest.fixture
def entry(tmp_path: Path) -> dict[str, Any]:
    original = tmp_path / "original"
    original.write_bytes(CONTENT)
    return weights.describe(str(original), chunk_bytes=1000)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_PAUSE_S", 0)


def fetch(store: Store, entry: dict[str, Any], folder: Path) -> bytes:
    return Path(weights.fetch(store, NAME, entry, str(folder / "scratch"))).read_bytes()  # type: ignore[arg-type] # above


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "scratch").rglob("*") if path.is_file())


def test_a_file_is_described_as_a_whole_and_in_chunks(entry: dict[str, Any]) -> None:
    assert entry == {
        "size": 2560,
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "chunks": {
            "bytes": 1000,
            "sha256": [hashlib.sha256(CONTENT[at : at + 1000]).hexdigest() for at in (0, 1000, 2000)],
        },
    }


def test_it_is_fetched_once(entry: dict[str, Any], tmp_path: Path) -> None:
    store = Store()
    assert fetch(store, entry, tmp_path) == CONTENT
    assert fetch(store, entry, tmp_path) == CONTENT
    assert store.attempts == {0: 1, 1000: 1, 2000: 1}
    assert left_over(tmp_path) == ["weights.bin", "weights.bin.lock"]


@pytest.mark.parametrize(
    "spoil", [lambda part: part[::-1], lambda part: part[:-1], lambda part: part + b"x", lambda part: b""]
)
def test_a_corrupt_chunk_is_fetched_anew(
    spoil: Callable[[bytes], bytes], entry: dict[str, Any], tmp_path: Path
) -> None:
    store = Store(lambda start, attempt, part: spoil(part) if (start, attempt) == (1000, 1) else part)
    assert fetch(store, entry, tmp_path) == CONTENT
    assert store.attempts == {0: 1, 1000: 2, 2000: 1}


def test_a_chunk_that_stays_corrupt_is_refused_by_name_and_number(
    entry: dict[str, Any], tmp_path: Path
) -> None:
    store = Store(lambda start, _, part: part[::-1] if start == 1000 else part)
    with pytest.raises(BundleError) as refused:
        fetch(store, entry, tmp_path)
    assert str(refused.value) == (
        "models/v1/weights.bin is corrupt in the store: chunk 2 of 3 is not the deployed one."
    )
    assert store.attempts[1000] == 2
    assert left_over(tmp_path) == ["weights.bin.lock"]


def test_a_chunk_whose_last_attempt_is_corrupt_is_not_taken(entry: dict[str, Any], tmp_path: Path) -> None:
    def spoil(_: int, attempt: int, part: bytes) -> bytes:
        if attempt < 3:
            raise StoreError("the server answered 503, not 206.")
        return part[::-1]

    with pytest.raises(BundleError, match=r"is corrupt in the store: chunk [123] of 3"):
        fetch(Store(spoil), entry, tmp_path)
    assert left_over(tmp_path) == ["weights.bin.lock"]


def test_a_store_that_fails_is_asked_three_times(entry: dict[str, Any], tmp_path: Path) -> None:
    def fail(start: int, attempt: int, part: bytes) -> bytes:
        if start == 2000 and attempt < failures:
            raise StoreError("x: the server answered 503, not 206.")
        return part

    failures = 3
    assert fetch(Store(fail), entry, tmp_path / "in time") == CONTENT
    failures = 4
    with pytest.raises(BundleError) as refused:
        fetch(Store(fail), entry, tmp_path / "too late")
    assert str(refused.value) == (
        "models/v1/weights.bin could not be fetched: x: the server answered 503, not 206."
    )


def test_what_is_not_in_the_store(entry: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(BundleError) as refused:
        fetch(Store(), {**entry, "sha256": "0" * 64}, tmp_path)
    assert str(refused.value) == f"models/v1/weights.bin is not in the store: there is no {'0' * 64}."


def test_a_file_that_is_there_but_differs_is_replaced(entry: dict[str, Any], tmp_path: Path) -> None:
    store = Store()
    fetch(store, entry, tmp_path)
    there = tmp_path / "scratch" / NAME
    for other in (CONTENT[::-1], CONTENT[:-1], b""):
        there.write_bytes(other)
        assert fetch(store, entry, tmp_path) == CONTENT
    there.unlink()
    there.symlink_to(tmp_path / "original")
    assert fetch(store, entry, tmp_path) == CONTENT
    assert not there.is_symlink()


def test_what_a_killed_process_left_is_not_used(entry: dict[str, Any], tmp_path: Path) -> None:
    half = tmp_path / "scratch" / f"{NAME}.half"
    half.parent.mkdir(parents=True, mode=0o700)
    (tmp_path / "scratch").chmod(0o700)
    half.write_bytes(b"x" * 5000)
    assert fetch(Store(), entry, tmp_path) == CONTENT
    assert not half.exists()


def test_a_mapped_file_does_not_change_when_it_is_replaced(entry: dict[str, Any], tmp_path: Path) -> None:
    import mmap

    path = weights.fetch(Store(), NAME, entry, str(tmp_path / "scratch"))  # type: ignore[arg-type] # above
    with (
        open(path, "rb") as file,  # noqa: PTH123 - it is a path as the runtime has it
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view,
    ):
        changed = {**entry, "chunks": {"bytes": 2560, "sha256": [hashlib.sha256(b"z" * 2560).hexdigest()]}}
        weights.fetch(Store(lambda *_: b"z" * 2560), NAME, changed, str(tmp_path / "scratch"))  # type: ignore[arg-type] # above
        assert view[:] == CONTENT


def test_a_folder_that_others_can_write_to_is_refused(entry: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "scratch"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(BundleError) as refused:
        fetch(Store(), entry, tmp_path)
    assert str(refused.value) == f"{NAME} cannot be kept in {folder}: others can write to it."


def test_an_empty_file_is_one(tmp_path: Path) -> None:
    empty = {"size": 0, "sha256": hashlib.sha256(b"").hexdigest(), "chunks": {"bytes": 1000, "sha256": []}}
    assert fetch(Store(), empty, tmp_path) == b""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chunks": None}, "needs size, sha256, chunks.bytes and chunks.sha256 in the manifest."),
        ({"size": 3001}, "has 3 chunks of 1000 bytes, but its size is 3001 bytes."),
        ({"size": 2000}, "has 3 chunks of 1000 bytes, but its size is 2000 bytes."),
        (
            {"chunks": {"bytes": 0, "sha256": []}},
            "has 0 chunks of 0 bytes, but its size is 2560 bytes.",
        ),
    ],
)
def test_entries_refused(change: dict[str, Any], message: str, entry: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(BundleError) as refused:
        fetch(Store(), {**entry, **change}, tmp_path)
    assert str(refused.value) == f"{NAME} {message}"


def test_threads_that_need_one_file_fetch_it_once(entry: dict[str, Any], tmp_path: Path) -> None:
    store, found = Store(), []
    threads = [threading.Thread(target=lambda: found.append(fetch(store, entry, tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [CONTENT] * 4
    assert store.attempts == {0: 1, 1000: 1, 2000: 1}
    assert os.stat(tmp_path / "scratch").st_mode & 0o777 == 0o700  # noqa: PTH116 - one number of many


LOADS = """
import pathlib
class Model:
    def load(self, folder):
        self.table = pathlib.Path(folder, "table.bin").read_bytes()
        self.note = pathlib.Path(folder, "note.txt").read_text()
    def predict(self, inputs):
        return {"doubled": [[len(self.table), len(self.note)] for _ in inputs["x"]]}
"""


def start_with_stored_weights(tmp_path: Path, **environ: str) -> Application:
    """Start a function whose model has its table in an object store, and a note in the bundle."""
    table = tmp_path / "table.bin"
    table.write_bytes(CONTENT)
    entry = weights.describe(str(table), chunk_bytes=1000)
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / entry["sha256"]).write_bytes(CONTENT)
    folder = tmp_path / "bundle"
    write_bundle(folder, [python_version()], {"models/v1/model.py": LOADS, "models/v1/note.txt": "hello"})
    manifest = json.loads((folder / FILE).read_text())
    manifest["files"]["models/v1/table.bin"] = entry
    (folder / FILE).write_text(json.dumps(manifest))
    given = {
        "LASTMILE_BUNDLE": str(folder),
        "LASTMILE_MANIFEST_DIGEST": digest((folder / FILE).read_bytes()),
        "LASTMILE_ROUTING": json.dumps(routing()),
        **environ,
    }
    return start(given, Log("predict", lambda line: None), keeps_running=False)


def predict(application: Application) -> Any:
    body = json.dumps({"inputs": [matrix([[1, 2]])]}).encode()
    return json.loads(application.handle(Request("POST", f"/v2/models/{MODEL}/infer", body=body)).body)


def test_a_model_finds_its_stored_weights_beside_what_the_bundle_has(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    environ = {"LASTMILE_WEIGHTS_URL": (tmp_path / "store").as_uri(), "LASTMILE_WEIGHTS_FOLDER": str(kept)}
    answer = predict(start_with_stored_weights(tmp_path, **environ))
    assert answer["outputs"][0]["data"] == [len(CONTENT), len("hello")]
    assert kept.stat().st_mode & 0o077 == 0


def test_weights_that_were_changed_in_the_store_are_not_loaded(tmp_path: Path) -> None:
    environ = {
        "LASTMILE_WEIGHTS_URL": (tmp_path / "store").as_uri(),
        "LASTMILE_WEIGHTS_FOLDER": str(tmp_path / "kept"),
    }
    application = start_with_stored_weights(tmp_path, **environ)
    (stored,) = (tmp_path / "store").iterdir()
    stored.write_bytes(CONTENT[:-1] + b"!")
    assert "chunk 3 of 3 is not the deployed one" in predict(application)["error"]


def test_without_a_store_it_is_said_what_to_set(tmp_path: Path) -> None:
    error = predict(start_with_stored_weights(tmp_path))["error"]
    assert "models/v1/table.bin is not in the bundle but in a store: set LASTMILE_WEIGHTS_URL." in error
