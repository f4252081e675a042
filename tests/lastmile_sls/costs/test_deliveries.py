"""Which files are one delivery of an export, by its layout and its manifest."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from lastmile_sls.costs.deliveries import Sorted, deliveries_of
from lastmile_sls.costs.find import Finding, Found, find

AT = 1_790_000_000


def put(path: Path, content: object = "x", at: int = AT) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    os.utime(path, (at, at))


def sorted_in(folder: Path) -> Sorted:
    return deliveries_of(find([folder]))


def names(found: Sorted, folder: Path) -> dict[str, list[str]]:
    return {
        delivery.name.removeprefix(f"{folder}/"): [Path(file.name).name for file in delivery.files]
        for delivery in found.deliveries
    }


def test_aws_has_a_folder_for_each_period_and_a_manifest_of_what_is_in_it(tmp_path: Path) -> None:
    period = "focus/data/BILLING_PERIOD=2026-10"
    for number in (1, 2, 3):
        put(tmp_path / f"{period}/focus-0000{number}.snappy.parquet")
    put(tmp_path / "focus/data/BILLING_PERIOD=2026-11/focus-00001.snappy.parquet", at=AT + 5)
    # The bucket it was copied from was laid out otherwise above data/.
    files = [f"s3://bucket/some/prefix/{period}/focus-0000{number}.snappy.parquet" for number in (1, 2, 4)]
    manifest = {
        "executionId": "e-1",
        "exportArn": "arn:aws:bcm-data-exports:...",
        "dataFiles": files,
        "columns": [],
    }
    put(tmp_path / "focus/metadata/BILLING_PERIOD=2026-10/focus-Manifest.json", manifest, at=AT + 9)

    found = sorted_in(tmp_path)
    assert names(found, tmp_path) == {
        f"{period}/focus*.snappy.parquet": ["focus-00001.snappy.parquet", "focus-00002.snappy.parquet"],
        "focus/data/BILLING_PERIOD=2026-11/focus*.snappy.parquet": ["focus-00001.snappy.parquet"],
    }
    assert [int(delivery.delivered.timestamp()) for delivery in found.deliveries] == [AT + 9, AT + 5]
    assert [Path(file.name).name for file in found.stale] == ["focus-00003.snappy.parquet"]
    (warning,) = found.warnings
    assert warning == (
        f"{tmp_path}/{period}/focus*.snappy.parquet is not whole: its manifest names 3 files, and 1 of them are not "
        "there, such as focus-00004.snappy.parquet"
    )


def test_azure_has_a_folder_for_each_run(tmp_path: Path) -> None:
    for run, at in (("aaa", "2026-10-05T06:00:00.1234567Z"), ("bbb", "2026-10-06T06:00:00Z")):
        folder = tmp_path / f"daily/20261001-20261031/{run}"
        blobs = [{"blobName": f"daily/20261001-20261031/{run}/part_{n}_0001.csv.gz"} for n in (0, 1)]
        put(folder / "part_0_0001.csv.gz")
        put(folder / "part_1_0001.csv.gz")
        put(folder / "manifest.json", {"blobs": blobs, "runInfo": {"submittedTime": at}})
    found = sorted_in(tmp_path)
    assert names(found, tmp_path) == {
        f"daily/20261001-20261031/{run}/part*.csv.gz": ["part_0_0001.csv.gz", "part_1_0001.csv.gz"]
        for run in ("aaa", "bbb")
    }
    assert [delivery.delivered.replace(microsecond=0) for delivery in found.deliveries] == [
        datetime(2026, 10, 5, 6, tzinfo=UTC),
        datetime(2026, 10, 6, 6, tzinfo=UTC),
    ]
    assert not found.warnings


def test_in_a_bucket_names_are_urls(tmp_path: Path) -> None:
    put(tmp_path / "m.json", {"dataFiles": ["s3://b/p/focus/data/BILLING_PERIOD=2026-10/focus-00001.csv.gz"]})
    root, at = "s3://copy/focus", datetime(2026, 10, 5, tzinfo=UTC)
    names = [f"{root}/data/BILLING_PERIOD=2026-10/focus-0000{number}.csv.gz" for number in (1, 2)]
    manifest = Found(
        f"{root}/metadata/BILLING_PERIOD=2026-10/focus-Manifest.json", tmp_path / "m.json", 1, at
    )
    found = deliveries_of(Finding(tuple(Found(name, tmp_path / "x", 1, at) for name in names), (manifest,)))
    assert [delivery.name for delivery in found.deliveries] == [
        f"{root}/data/BILLING_PERIOD=2026-10/focus*.csv.gz"
    ]
    assert [file.name for file in found.stale] == names[1:]


def test_google_numbers_files_and_others_stand_alone(tmp_path: Path) -> None:
    for name in ("x-000000000000.parquet", "x-000000000001.parquet", "2026-10-01.csv", "2026-10-02.csv"):
        put(tmp_path / name)
    put(tmp_path / "manifest.json", "not JSON")
    put(tmp_path / "other-manifest.json", {"columns": []})
    put(tmp_path / "renamed/manifest.json", {"blobs": [{"blobName": "x/part_0_0001.csv"}]})
    put(tmp_path / "renamed/october.csv")
    assert names(sorted_in(tmp_path), tmp_path) == {
        "2026-10-01.csv": ["2026-10-01.csv"],
        "2026-10-02.csv": ["2026-10-02.csv"],
        "renamed/october.csv": ["october.csv"],
        "x-*.parquet": ["x-000000000000.parquet", "x-000000000001.parquet"],
    }
