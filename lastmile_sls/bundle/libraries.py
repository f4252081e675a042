"""The packages of a function, installed, stripped, compiled and compressed once per lock, and copied into each bundle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lastmile_runtime.manifest import hash_file
from lastmile_sls.bundle.archive import write_archive
from lastmile_sls.bundle.bytecode import BytecodeError, compile_packages
from lastmile_sls.bundle.cache import Cache, key_of
from lastmile_sls.bundle.dependencies.install import install
from lastmile_sls.bundle.dependencies.lock import LockedPackage, LockedSet
from lastmile_sls.bundle.dependencies.strip import strip
from lastmile_sls.errors import LastmileError

FOLDER = "libraries"
"""Where a bundle has them."""
_KIND, _PACKAGES, _ARCHIVE, _FACTS = "libraries", "packages", "packages.zip", "facts.json"
_CHUNK_BYTES = 1 << 20
Tell = Callable[[str], None]


class ChangedError(Exception):
    """A file in the cache is not what was put there."""


@dataclass(frozen=True)
class Libraries:
    """Packages in the cache."""

    folder: Path
    archive: Path
    """The same, compressed (see `lastmile_sls.bundle.archive`)."""
    files: Mapping[str, dict[str, Any]]
    """`sha256` and `size` by path relative to the folder."""
    packages: tuple[LockedPackage, ...]
    system: Mapping[str, str]
    """Libraries that the function's system must have, each with the file that loads it."""

    def copy_to(self, destination: Path) -> None:
        """Copy them. Raises OSError, and ChangedError when a file is not what was put into the cache."""
        for name, wanted in self.files.items():
            source, target = self.folder / name, destination / name
            target.parent.mkdir(parents=True, exist_ok=True)
            hasher = hashlib.sha256()
            with source.open("rb") as read, target.open("wb") as write:
                while chunk := read.read(_CHUNK_BYTES):
                    hasher.update(chunk)
                    write.write(chunk)
            if hasher.hexdigest() != wanted["sha256"]:
                raise ChangedError(name)
            target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)


def prepare_libraries(
    locked: LockedSet,
    cache: Cache,
    interpreter: Path | None,
    *,
    tell: Tell = lambda _: None,
    environ: Mapping[str, str] | None = None,
) -> Libraries:
    """Return a function's packages, from the cache where it has them.

    Args:
        locked: What they are.
        cache: Where they are kept.
        interpreter: A Python of the function's version, which compiles them; None leaves them as they are.
        tell: Told what is being done.
        environ: The environment's variables, for uv.

    Raises LastmileError as `install` does, and when they cannot be compiled.
    """

    def make(into: Path) -> None:
        installed = install(locked, into / _PACKAGES, tell=tell, environ=environ)
        tell("stripping the packages")
        strip(into / _PACKAGES)
        if interpreter is not None:
            tell("compiling the packages")
            try:
                compile_packages(into / _PACKAGES, str(interpreter))
            except BytecodeError as error:
                raise LastmileError(f"the packages could not be compiled: {error}") from error
        tell("compressing the packages")
        write_archive(into / _PACKAGES, into / _ARCHIVE)
        paths = sorted(path for path in (into / _PACKAGES).rglob("*") if path.is_file())
        hashes = {path.relative_to(into / _PACKAGES).as_posix(): hash_file(str(path)) for path in paths}
        facts = {"files": hashes, "system": installed.system_libraries}
        (into / _FACTS).write_text(json.dumps(facts), encoding="utf-8")

    key = _key(locked, interpreter)
    folder = cache.folder(_KIND, key, make)
    try:
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        forget(locked, cache, interpreter)
        folder = cache.folder(_KIND, key, make)
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    packages = folder / _PACKAGES
    return Libraries(packages, folder / _ARCHIVE, facts["files"], locked.packages, facts["system"])


def forget(locked: LockedSet, cache: Cache, interpreter: Path | None) -> None:
    """Remove packages from the cache, which are not what they were."""
    cache.drop(_KIND, _key(locked, interpreter))


def _key(locked: LockedSet, interpreter: Path | None) -> str:
    wheels = [[package.wheel, package.sha256] for package in locked.packages]
    return key_of([str(locked.environment), wheels, interpreter is not None, _own_digest()])


def _own_digest() -> str:
    """Return a digest of what makes them: another lastmile may make other bytes."""
    from lastmile_sls.bundle import archive, bytecode
    from lastmile_sls.bundle.dependencies import install as installing
    from lastmile_sls.bundle.dependencies import strip as stripping

    modules = (archive, bytecode, installing, stripping)
    return key_of([hash_file(str(module.__file__))["sha256"] for module in modules])
