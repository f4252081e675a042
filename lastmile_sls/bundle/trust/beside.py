"""The documents beside a bundle, in the folder `<bundle>.trust`: written whole, each of them of that bundle and no other.

`documents.json` there holds the hash of each, so that a change is noticed. Only a signature tells who made them.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lastmile_sls.bundle.trust import bom, model_card, provenance, statement
from lastmile_sls.bundle.trust.facts import DIGEST
from lastmile_sls.errors import LastmileError

INDEX = "documents.json"
FORMAT = "lastmile.trust/1"
SIGNATURE, BOM, CARD, PROVENANCE = "signature.json", "bom.cdx.json", "model-card.md", "provenance.json"
IMPORTS = "import-profile.json"
_CERTIFICATION = re.compile(r"certification-[A-Za-z0-9][A-Za-z0-9._-]*\.json")
_MAX_BYTES = 64 << 20


@dataclass(frozen=True)
class Problem:
    """What is wrong with a document; the text goes on after its name."""

    document: str
    what: str

    def __str__(self) -> str:
        return f"{self.document} {self.what}"


@dataclass(frozen=True)
class Documents:
    """The documents beside a bundle."""

    bundle_digest: str
    """Of the bundle that they are of."""
    contents: Mapping[str, bytes]
    """By name."""


def folder_of(bundle_folder: Path) -> Path:
    """Return the folder of a bundle's documents."""
    return bundle_folder.with_name(f"{bundle_folder.name}.trust")


def certification_name(version: str) -> str:
    """Return the name of the proof that a version's compiled model answers as the original."""
    return f"certification-{version}.json"


def bind(document: Mapping[str, Any], bundle_digest: str) -> bytes:
    """Return a document of one's own form as JSON that says which bundle it is of: certifications, import profiles."""
    bound = {**document, "bundle": bundle_digest}
    return (json.dumps(bound, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_documents(folder: Path, bundle_digest: str, contents: Mapping[str, bytes]) -> None:
    """Make a folder hold exactly these documents: all of them or, when that fails, what it held before.

    Args:
        folder: See `folder_of`.
        bundle_digest: Of the bundle that they are of.
        contents: By name: SIGNATURE, BOM, CARD, PROVENANCE, IMPORTS, and those of `certification_name`.

    Raises LastmileError for a document of another bundle, of another name, and when the folder cannot be written.
    """
    for name, content in sorted(contents.items()):
        if problem := _belongs(name, content, bundle_digest):
            raise LastmileError(f"{problem}.", "Write the documents of this bundle.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as scratch:
            new, old = Path(scratch, "new"), Path(scratch, "old")
            new.mkdir()
            for name, content in {**contents, INDEX: _index(bundle_digest, contents)}.items():
                (new / name).write_bytes(content)
            _swap(folder, new, old)
    except OSError as error:
        raise LastmileError(
            f"the documents in {folder} could not be written: {error.strerror or error}.",
            "Free space or mend the folder's rights, then run again.",
        ) from error


def read_documents(folder: Path) -> Documents:
    """Read the documents beside a bundle.

    Raises LastmileError when there are none, one was changed since it was written, or they are of several bundles.
    """
    found, problems = _read(folder)
    if found is not None:
        problems += _all_belong(found, found.bundle_digest)
    if found is None or problems:
        raise LastmileError(
            f"the documents in {folder} cannot be used: {'; '.join(map(str, problems))}.",
            "Build the bundle again.",
        )
    return found


def verify_documents(bundle_digest: str, folder: Path) -> list[Problem]:
    """Return what is wrong with the documents beside a bundle; nothing when they are whole, and of that bundle.

    Who made them is not looked at: see `signature.verify`.
    """
    found, problems = _read(folder)
    if found is None:
        return problems
    if found.bundle_digest != bundle_digest:
        problems.append(Problem(INDEX, f"is of the bundle {found.bundle_digest}, not of {bundle_digest}"))
    return problems + _all_belong(found, bundle_digest)


def _bound_digest(content: bytes) -> str:
    document = json.loads(content)
    digest = document.get("bundle") if isinstance(document, dict) else None
    if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise ValueError("it names no bundle")
    return digest


def _signed_digest(content: bytes) -> str:
    try:
        return statement.parse(content).bundle_digest
    except statement.GarbledError as error:
        raise ValueError(str(error)) from error


_DIGEST_OF: dict[str, Callable[[bytes], str]] = {
    SIGNATURE: _signed_digest,
    BOM: bom.bundle_digest_of,
    CARD: model_card.bundle_digest_of,
    PROVENANCE: provenance.bundle_digest_of,
    IMPORTS: _bound_digest,
}


def _digest_reader(name: str) -> Callable[[bytes], str] | None:
    """Return what reads the bundle's digest from a document of this name; None for a name that no document has."""
    return _bound_digest if _CERTIFICATION.fullmatch(name) else _DIGEST_OF.get(name)


def _belongs(name: str, content: bytes, bundle_digest: str) -> Problem | None:
    """Return what is wrong with a document of a bundle."""
    digest_of = _digest_reader(name)
    if digest_of is None:
        return Problem(name, "is no document of a bundle")
    try:
        found = digest_of(content)
    except (ValueError, RecursionError) as error:
        return Problem(name, f"cannot be read: {error}")
    if found != bundle_digest:
        return Problem(name, f"is of the bundle {found}, not of {bundle_digest}")
    return None


def _all_belong(found: Documents, bundle_digest: str) -> list[Problem]:
    problems = (_belongs(name, content, bundle_digest) for name, content in sorted(found.contents.items()))
    return [problem for problem in problems if problem]


def _index(bundle_digest: str, contents: Mapping[str, bytes]) -> bytes:
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    return _render_index(bundle_digest, hashes)


def _render_index(bundle_digest: str, hashes: Mapping[str, str]) -> bytes:
    document = {"format": FORMAT, "bundle": bundle_digest, "documents": hashes}
    return (json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def _swap(folder: Path, new: Path, old: Path) -> None:
    """Put a new folder in the place of another; put that one back when it fails."""
    if not folder.exists():
        new.rename(folder)
        return
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise


def _read(folder: Path) -> tuple[Documents | None, list[Problem]]:
    """Return the documents, and what of them is not as it was written; no documents without their index."""
    try:
        names = {path.name for path in folder.iterdir()} - {INDEX}
        index = _read_file(folder / INDEX)
    except OSError as error:
        return None, [Problem(INDEX, f"cannot be read: {error.strerror or error}")]
    try:
        digest, hashes = _parse_index(index)
    except (KeyError, TypeError, ValueError, RecursionError):
        return None, [Problem(INDEX, "is not as it was written")]
    problems = [Problem(name, "is not among the documents that were written") for name in names - set(hashes)]
    contents = {}
    for name, expected in hashes.items():
        try:
            contents[name] = _read_file(folder / name)
        except OSError as error:
            problems.append(Problem(name, f"cannot be read: {error.strerror or error}"))
            continue
        if hashlib.sha256(contents[name]).hexdigest() != expected:
            problems.append(Problem(name, "is not as it was written"))
    return Documents(digest, contents), sorted(problems, key=str)


def _parse_index(content: bytes) -> tuple[str, dict[str, str]]:
    """Return the bundle's digest and the documents' hashes. Raises ValueError for what was not written here."""
    document = json.loads(content)
    digest, hashes = document["bundle"], document["documents"]
    if not DIGEST.fullmatch(digest) or not isinstance(hashes, dict) or not all(map(_digest_reader, hashes)):
        raise ValueError("it names other things than a bundle and its documents")
    if content != _render_index(digest, hashes):
        raise ValueError("it is not written as it would be")
    return digest, hashes


def _read_file(path: Path) -> bytes:
    """Read a plain file. Raises OSError also for a link, and for what is too large to be a document."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return content
