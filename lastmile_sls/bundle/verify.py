"""Compares a bundle on disk with the one that was built: every file, and nothing beside them."""

from __future__ import annotations

from pathlib import Path

from lastmile_runtime.errors import BundleError
from lastmile_runtime.manifest import FILE, Bundle
from lastmile_sls.errors import LastmileError

_HINT = "Build it anew: remove .lastmile beside the spec and run `lastmile up`."


def verify_bundle(folder: Path, digest: str) -> int:
    """Check the manifest's digest, every file's hash, and that nothing else is there; return how many files there are.

    Raises LastmileError, naming the file.
    """
    try:
        bundle = Bundle(str(folder), digest)
        for name in bundle.manifest.files:
            bundle.verify(name)
        names = {*bundle.manifest.files, *bundle.verify_runtime()}
    except BundleError as error:
        raise LastmileError(f"the bundle is not the one that the plan names: {error}", _HINT) from error
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    foreign = there - names - {FILE}
    if foreign:
        raise LastmileError(f"the bundle holds {min(foreign)}, which its manifest does not name.", _HINT)
    return len(names)
