"""What each installed package says it has (`RECORD`), held against what is in the folder."""

from __future__ import annotations

import base64
import csv
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lastmile_sls.bundle.dependencies.elf import machine
from lastmile_sls.bundle.dependencies.lock import LockedPackage
from lastmile_sls.bundle.dependencies.uv_process import unsafe
from lastmile_sls.errors import LastmileError

LONGEST_LINK = 4096
"""The longest path that Linux knows."""
_LIBRARY = re.compile(r"\.so(\.\d+)*$")
_CODE = (".py", ".so", ".pyd", ".dylib")
_IDLE = ("test", "tests", "doc", "docs", "example", "examples", "benchmarks")


@dataclass(frozen=True)
class Record:
    """The files of one package."""

    package: LockedPackage
    files: Mapping[str, str]
    """The sha256 of each, as RECORD writes it; empty where the wheel does not tell it."""

    def __str__(self) -> str:
        return f"{self.package.name} {self.package.version}"


def read_records(folder: Path, packages: Sequence[LockedPackage]) -> list[Record]:
    """Read the packages' RECORD files, in the packages' order.

    Raises LastmileError for a package that was not locked, and for names that lead out of the folder.
    """
    from packaging.utils import canonicalize_name

    places = {}
    for place in sorted(folder.glob("*.dist-info")):
        places[str(canonicalize_name(place.name.partition("-")[0]))] = place
    if strangers := sorted(places.keys() ^ {package.name for package in packages}):
        raise LastmileError(
            f"What was installed is not what is locked: {strangers[0]} is only in one of them.",
            "A package brings files of another one. Require another version of it; nothing was installed.",
        )
    return [Record(package, _files(places[package.name], package)) for package in packages]


def altered(folder: Path, records: Iterable[Record]) -> list[tuple[Record, str]]:
    """Return the files that are missing, or have other bytes than their package's RECORD says."""
    return [
        (record, name)
        for record in records
        for name, told in record.files.items()
        if told and not _is_same(folder / name, told)
    ]


def shared(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Return the files that several packages have with different bytes: which one is installed is chance."""
    owners: dict[str, list[Record]] = {}
    for record in records:
        for name in record.files:
            owners.setdefault(name, []).append(record)
    return {
        name: found for name, found in owners.items() if len({(r.files[name] or str(r)) for r in found}) > 1
    }


def is_idle(name: str) -> bool:
    """Tell whether a file beside the packages is nothing that they look for: a README, or top-level tests."""
    path = PurePosixPath(name)
    return path.parts[0] in _IDLE or (len(path.parts) == 1 and path.suffix not in _CODE)


def links(
    folder: Path, records: Iterable[Record], suspects: Iterable[tuple[Record, str]]
) -> list[tuple[Record, str]]:
    """Return what was a symbolic link in a wheel. Wheels can hold none; uv writes a file with the link's text instead.

    Such files are looked for among those whose hash the wheel does not tell, `suspects`, and libraries that are none.
    """
    looked_at = [
        (record, name)
        for record in records
        for name, told in record.files.items()
        if not told
        or (_LIBRARY.search(name) and (folder / name).is_file() and machine(folder / name) is None)
    ]
    return [(record, name) for record, name in (*suspects, *looked_at) if _is_link(folder / name)]


def _files(place: Path, package: LockedPackage) -> dict[str, str]:
    """Return the files of a RECORD but itself and what else uv writes, which differs from machine to machine."""
    found = {}
    with (place / "RECORD").open(encoding="utf-8", newline="") as file:
        for name, told, *_ in (row for row in csv.reader(file) if row):
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts:
                raise unsafe(name, f"{package.name} {package.version}")
            found[str(path)] = told.removeprefix("sha256=") if told.startswith("sha256=") else ""
    return found


def _is_same(path: Path, told: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == told.rstrip("=")


def _is_link(path: Path) -> bool:
    if path.is_symlink():
        return True
    if not path.is_file() or not 0 < path.stat().st_size <= LONGEST_LINK:
        return False
    try:
        text = path.read_bytes().decode()
        return (
            "\n" not in text
            and "\0" not in text
            and (text.startswith(("/", "../")) or (path.parent / text).exists())
        )
    except (UnicodeDecodeError, OSError):
        return False
