"""Costs in a bucket: listed and fetched, from a store in memory."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.store import MemoryStore

from lastmile_runtime.stores.cloud import CloudStore
from lastmile_sls.costs import stores
from lastmile_sls.costs.find import Finding
from lastmile_sls.errors import LastmileError

NAMES = (
    "data/BILLING_PERIOD=2026-10/x-00001.csv.gz",
    "data/BILLING_PERIOD=2026-10/x-00002.parquet",
    "metadata/x-Manifest.json",
)


class Bucket:
    """A bucket's objects, and what opens it."""

    def __init__(self, names: tuple[str, ...], prefix: str = "") -> None:
        self._store = MemoryStore()
        self.opened: list[str] = []
        for name in names:
            obstore.put(self._store, name, name.encode())

    def open(self, url: str, _: Mapping[str, str]) -> CloudStore:
        self.opened.append(url)
        return CloudStore(lambda: self._store, None)


def fetched(bucket: Bucket, url: str, folder: Path, told: list[str] | None = None) -> Finding:
    return stores.fetch(url, {}, folder, (told if told is not None else []).append, bucket.open)


def test_what_is_below_a_url_is_copied(tmp_path: Path) -> None:
    told: list[str] = []
    found = fetched(Bucket((*NAMES, "readme.txt")), "s3://bucket/focus/", tmp_path, told)
    assert [(file.name, file.path.read_text()) for file in (*found.files, *found.manifests)] == [
        (f"s3://bucket/focus/{name}", name) for name in NAMES
    ]
    assert [file.path.suffixes for file in found.files] == [[".csv", ".gz"], [".parquet"]]
    assert told[-1].endswith("fetched from s3://bucket/focus")


def test_one_object(tmp_path: Path) -> None:
    bucket = Bucket(("a.csv", "b.csv"))
    found = fetched(bucket, "gs://bucket/focus/a.csv", tmp_path)
    assert bucket.opened == ["gs://bucket/focus"]
    assert [file.name for file in found.files] == ["gs://bucket/focus/a.csv"]
    with pytest.raises(LastmileError) as error:
        fetched(bucket, "gs://bucket/focus/c.csv", tmp_path)
    assert str(error.value) == (
        "gs://bucket/focus/c.csv cannot be read: there is no c.csv.\n"
        "Is the address right, and may you read it? Credentials are the cloud's own tools'."
    )


def test_nothing_too_much_and_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*names: str) -> str:
        with pytest.raises(LastmileError) as error:
            fetched(Bucket(names), "az://account/container", tmp_path)
        return error.value.message

    assert (
        refused("a.txt")
        == "az://account/container holds no costs: none of its 1 files ends in .csv, .csv.gz or .parquet."
    )
    monkeypatch.setattr(stores, "MOST_FILES", 2)
    assert refused("1.csv", "2.csv", "3.csv") == (
        "az://account/container has more than 2 files of costs; nothing of it was read."
    )
    monkeypatch.setattr(stores, "MOST_ENTRIES", 3)
    assert refused("1.txt", "2.txt", "3.txt", "4.txt") == (
        "az://account/container has more than 3 objects; nothing of it was read."
    )
    full: Any = shutil._ntuple_diskusage(10, 9, 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    assert refused("1.csv") == f"az://account/container holds 5 B of costs, and {tmp_path} has 1 kB free."


def test_urls() -> None:
    assert stores.is_url("s3://bucket/x")
    assert not stores.is_url("folder/x")
    with pytest.raises(LastmileError) as error:
        stores.is_url("https://x/y.csv")
    assert error.value.message == (
        "https://x/y.csv begins with https://, but costs are read from s3://, gs:// and az://, and from files."
    )
