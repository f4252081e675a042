"""Which files are parts of one delivery of an export, and when it was delivered. Pure.

An export is delivered again and again, each time with more of the month in it. AWS writes a month's files into
`data/BILLING_PERIOD=YYYY-MM/` (or a folder below), and a manifest of them into `metadata/` when all are there
(https://docs.aws.amazon.com/cur/latest/userguide/dataexports-export-delivery.html, read 2026-11-30). Azure writes
`part_N_0001.csv` and a manifest into a folder of each run. BigQuery numbers the files of an EXPORT DATA with 12 digits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lastmile_sls.costs.find import Finding, Found

_PARTS = (
    re.compile(r"(?P<stem>.+)-\d{5}(?P<ending>(\.snappy)?\.(parquet|csv|csv\.gz))"),  # AWS
    re.compile(r"(?P<stem>part)_\d+_\d{4}(?P<ending>(\.snappy)?\.(parquet|csv|csv\.gz))"),  # Azure
    re.compile(r"(?P<stem>.*?)\d{12}(?P<ending>\.(parquet|csv|csv\.gz))"),  # BigQuery
)


@dataclass(frozen=True)
class Delivery:
    """Files that together are one state of an export."""

    name: str
    """The folder, and what its parts' names begin with; or the one file."""
    files: tuple[Found, ...]
    delivered: datetime
    """As its manifest says, else when its newest file was written."""


@dataclass(frozen=True)
class Sorted:
    """What is read, and what is left out."""

    deliveries: tuple[Delivery, ...]
    stale: tuple[Found, ...]
    """Files in a delivery's folder that its manifest does not have: an earlier one left them."""
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Manifest:
    folder: str
    """Where its files are."""
    files: frozenset[str]
    """Their names."""
    delivered: datetime | None


def deliveries_of(finding: Finding) -> Sorted:
    """Return the deliveries, in the order in which their first files were named."""
    places = {tuple(file.name.rpartition("/")[::2]) for file in finding.files}
    manifests = {
        m.folder: m
        for found in finding.manifests
        if (m := _read(found)) and any((m.folder, name) in places for name in m.files)
    }
    groups: dict[str, list[Found]] = {}
    stale: list[Found] = []
    said: dict[str, _Manifest] = {}
    for file in finding.files:
        folder, _, name = file.name.rpartition("/")
        manifest = manifests.get(folder)
        if manifest and name not in manifest.files:
            stale.append(file)
            continue
        key = _key(folder, name)
        groups.setdefault(key, []).append(file)
        if manifest:
            said[key] = manifest
    return Sorted(
        tuple(Delivery(key, tuple(files), _delivered(said.get(key), files)) for key, files in groups.items()),
        tuple(stale),
        tuple(_gaps(said, groups)),
    )


def _gaps(said: dict[str, _Manifest], groups: dict[str, list[Found]]) -> list[str]:
    """Tell of deliveries without some of the files that their manifests name."""
    told = []
    for key, manifest in said.items():
        absent = manifest.files - _names([file.name for file in groups[key]])
        if absent:
            told.append(
                f"{key} is not whole: its manifest names {len(manifest.files)} files, and {len(absent)} of them "
                f"are not there, such as {min(absent)}"
            )
    return told


def _key(folder: str, name: str) -> str:
    for pattern in _PARTS:
        if match := pattern.fullmatch(name):
            name = f"{match['stem']}*{match['ending']}"
            break
    return f"{folder}/{name}" if folder else name


def _delivered(manifest: _Manifest | None, files: Sequence[Found]) -> datetime:
    if manifest and manifest.delivered:
        return manifest.delivered
    return max(file.modified for file in files)


def _read(found: Found) -> _Manifest | None:
    """Return what a manifest says; None for a JSON file of another kind, or none."""
    try:
        document = json.loads(found.path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return None
    if not isinstance(document, dict):
        return None
    here = found.name.rpartition("/")[0]
    if isinstance(document.get("dataFiles"), list):
        return _of_aws(here, [str(path) for path in document["dataFiles"]], found.modified)
    if isinstance(document.get("blobs"), list):
        paths = [str(blob.get("blobName", "")) for blob in document["blobs"] if isinstance(blob, dict)]
        run = document.get("runInfo")
        delivered = _time(run.get("submittedTime") if isinstance(run, dict) else None)
        return _Manifest(here, _names(paths), delivered) if paths else None
    return None


def _of_aws(here: str, paths: Sequence[str], delivered: datetime) -> _Manifest | None:
    """Return a manifest of AWS's. A copy of an export may lie elsewhere than it says, so what is below `data/` counts."""
    root, metadata, _ = f"{here}/".partition("metadata/")
    if not metadata or not paths:
        return None
    below = paths[0].rpartition("/data/")[2].rpartition("/")[0]
    return _Manifest(f"{root}data/{below}".rstrip("/"), _names(paths), delivered)


def _names(paths: Sequence[str]) -> frozenset[str]:
    return frozenset(path.rpartition("/")[2] for path in paths)


def _time(text: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
