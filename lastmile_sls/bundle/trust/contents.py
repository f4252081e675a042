"""Which files lie in a bundle's folder, and how they differ from those that somebody vouched for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lastmile_runtime.errors import BundleError
from lastmile_runtime.manifest import FILE, RUNTIME_FILES, Manifest, digest, hash_file, parse, parse_files
from lastmile_sls.errors import LastmileError

_SHOWN = 5
"""Files of each kind that a message names."""
_HINT = "Build the bundle again, or take it from where it was built."

Hashes = Mapping[str, str]
"""Files by their paths relative to the bundle, with their hexadecimal SHA-256."""


@dataclass(frozen=True)
class Differences:
    """How the files that were found differ from those that were wanted; each a sorted list of paths."""

    changed: list[str]
    renamed: list[tuple[str, str]]
    """From, to."""
    missing: list[str]
    added: list[str]

    def __bool__(self) -> bool:
        return bool(self.changed or self.renamed or self.missing or self.added)

    def told(self) -> str:
        """Return them for people, a few of each kind."""
        renamed = [f"{old} to {new}" for old, new in self.renamed]
        kinds = {"changed": self.changed, "renamed": renamed, "missing": self.missing, "added": self.added}
        return "; ".join(f"{kind}: {_some(names)}" for kind, names in kinds.items() if names)


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """Return the manifest in a bundle's folder, the runtime's files among its own, and its digest.

    Raises LastmileError when it cannot be read.
    """
    path = folder / FILE
    try:
        content = path.read_bytes()
        manifest = parse(content)
        if (folder / RUNTIME_FILES).is_file():  # a comparison says so where it is missing
            manifest.files |= parse_files((folder / RUNTIME_FILES).read_bytes())
        return manifest, digest(content)
    except OSError as error:
        raise LastmileError(
            f"{path} cannot be read: {error.strerror}.", "Name the folder of a bundle."
        ) from error
    except BundleError as error:
        raise LastmileError(f"{folder}: {error}", _HINT) from error


def files_of(manifest: Manifest, bundle_digest: str) -> dict[str, str]:
    """Return the files that the folder of a bundle must hold, its manifest among them; none that a store keeps."""
    kept = {name: entry["sha256"] for name, entry in manifest.files.items() if "chunks" not in entry}
    return {**kept, FILE: bundle_digest.removeprefix("sha256:")}


def hash_files(folder: Path) -> dict[str, str]:
    """Return the files in a folder.

    Raises LastmileError for a link, for anything else that is no plain file, and for what cannot be read.
    """
    try:
        return {name: hash_file(str(folder / name))["sha256"] for name in list_files(folder)}
    except OSError as error:
        raise LastmileError(f"{error.filename} cannot be read: {error.strerror}.", _HINT) from error


def list_files(folder: Path) -> list[str]:
    """Return the paths of all files below a folder, sorted, hidden ones too. Raises LastmileError as `hash_files` does."""
    found: list[str] = []
    for parent, folders, files in os.walk(folder, onerror=_refuse):
        for path in (Path(parent, name) for name in (*folders, *files)):
            name = path.relative_to(folder).as_posix()
            if path.is_symlink():
                raise LastmileError(f"{path} is a link, but a bundle holds plain files only.", _HINT)
            if path.is_file():
                found.append(name)
            elif not path.is_dir():
                raise LastmileError(f"{path} is no plain file, but a bundle holds nothing else.", _HINT)
    return sorted(found)


def compare(wanted: Hashes, found: Hashes) -> Differences:
    """Return how what was found differs from what was wanted."""
    missing = sorted(set(wanted) - set(found))
    added = sorted(set(found) - set(wanted))
    renamed = []
    for old in list(missing):
        new = next((name for name in added if found[name] == wanted[old]), None)
        if new is not None:
            renamed.append((old, new))
            missing.remove(old)
            added.remove(new)
    changed = sorted(name for name in set(wanted) & set(found) if wanted[name] != found[name])
    return Differences(changed, renamed, missing, added)


def require_whole(folder: Path) -> dict[str, str]:
    """Return the files of a bundle's folder. Raises LastmileError unless they are exactly those of its manifest."""
    wanted = files_of(*read_manifest(folder))
    found = hash_files(folder)
    if differences := compare(wanted, found):
        raise LastmileError(f"{folder} is not the bundle of its {FILE}: {differences.told()}.", _HINT)
    return found


def _refuse(error: OSError) -> None:
    raise LastmileError(f"{error.filename} cannot be read: {error.strerror}.", _HINT) from error


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
