"""The settings that go with the code, where an app's settings change before its code does.

LASTMILE_RELEASES, JSON: the settings of each bundle that may be there, by its digest, `sha256:...`. A function that finds
its own there runs as if they were set, and its digest as LASTMILE_MANIFEST_DIGEST with them.
"""

from __future__ import annotations

import os

from lastmile_runtime import jsons
from lastmile_runtime.errors import BundleError
from lastmile_runtime.manifest import FILE, digest

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def with_release(environ: Mapping[str, str], folder: str) -> dict[str, str]:
    """Return an environment with the settings that LASTMILE_RELEASES has for the bundle in a folder.

    Raises BundleError, naming the digest, for a bundle of which it says nothing, and when it says it wrong.
    """
    releases = _releases(environ["LASTMILE_RELEASES"])
    found = _digest_of(folder)
    if found not in releases:
        known = " and ".join(sorted(releases)) or "no release"
        raise BundleError(f"{FILE} has the digest {found}, but LASTMILE_RELEASES has {known}.")
    settings = releases[found]
    if not isinstance(settings, dict) or not all(isinstance(value, str) for value in settings.values()):
        raise BundleError(f"LASTMILE_RELEASES must have texts by their names for {found}.")
    return {**environ, **settings, "LASTMILE_MANIFEST_DIGEST": found}


def _releases(text: str) -> dict[str, Any]:
    try:
        releases = jsons.loads(text)
    except ValueError as error:
        raise BundleError(f"LASTMILE_RELEASES is not JSON: {error}.") from error
    if not isinstance(releases, dict):
        raise BundleError("LASTMILE_RELEASES must be an object: a bundle's settings by its digest.")
    return releases


def _digest_of(folder: str) -> str:
    try:
        with open(os.path.join(folder, FILE), "rb") as file:  # noqa: PTH118, PTH123 - pathlib would cost 10 ms
            return digest(file.read())
    except OSError as error:
        raise BundleError(f"{FILE} cannot be read: {error.strerror}.") from error
