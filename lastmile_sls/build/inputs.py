"""All that a build depends on, as one key: while it stays the same, there is nothing to build."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from lastmile_sls.bundle.cache import FileDigests, key_of
from lastmile_sls.bundle.dependencies.lock import FILE as LOCK
from lastmile_sls.plan.document import Target
from lastmile_sls.spec.model import Spec

_PACKAGES = ("lastmile_sls", "lastmile_runtime")


def key_of_inputs(spec: Spec, folder: Path, target: Target, digests: FileDigests) -> str:
    """Return the key. Raises OSError when a file cannot be read.

    Args:
        spec: The spec; its files are there.
        folder: What its paths are relative to.
        target: Where the deployment goes.
        digests: Knows files that did not change.
    """
    lock = folder / LOCK
    return key_of(
        [
            spec.model_dump(mode="json"),
            {name: digests.of(folder / name) for name in _files(spec)},
            digests.of(lock) if lock.exists() else None,
            target,
            tools_of(digests),
        ]
    )


def tools_of(digests: FileDigests) -> list[object]:
    """Return what builds: lastmile itself, the interpreter, and all that is installed here, which a model may import."""
    own = []
    for package in _PACKAGES:
        found = find_spec(package)
        assert found is not None
        assert found.origin is not None
        own += [[path.name, digests.of(path)] for path in _sources(Path(found.origin).parent)]
    return [own, sys.version, sys.prefix, sorted(_installed())]


def _installed() -> set[str]:
    """Return the distributions that are installed here, each with its version, as their folders are called."""
    folders = [Path(path) for path in sys.path]
    return {path.name for folder in folders if folder.is_dir() for path in folder.glob("*.dist-info")}


def _files(spec: Spec) -> Iterator[str]:
    """Yield the paths of the files and folders that the spec names."""
    for version in spec.versions:
        yield version.artifact
        if version.sample:
            yield version.sample
    if spec.endpoint.app:
        file = spec.endpoint.app.partition(":")[0]
        yield file.partition("/")[0]


def _sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".py", ".so", ".json", ".html") and path.is_file():
            yield path
