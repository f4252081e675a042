"""Installs locked packages into a folder, whose bytes then depend on the lock alone."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lastmile_sls.bundle.dependencies.elf import foreign_binaries, machine_name, system_libraries
from lastmile_sls.bundle.dependencies.environment import Environment
from lastmile_sls.bundle.dependencies.lock import LockedPackage, LockedSet
from lastmile_sls.bundle.dependencies.records import Record, altered, is_idle, links, read_records, shared
from lastmile_sls.bundle.dependencies.resolve import Tell
from lastmile_sls.bundle.dependencies.uv_process import disk_full, forget, refusal, run_uv, unsafe
from lastmile_sls.errors import LastmileError

_DOING = "installing the packages"
_OF_THE_MACHINE = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")
"""What installers write beside a package's own metadata."""
_SCRIPTS = "bin"
"""Console scripts: their first line is a path of this machine, and no function calls them."""
_NOT_FOR_UV = (
    *("UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE", "UV_EXCLUDE_NEWER", "UV_RESOLUTION", "UV_PRERELEASE"),
    *("UV_NO_VERIFY_HASHES", "UV_COMPILE_BYTECODE"),
)
"""Variables that choose versions, which the lock has done; that let other bytes through; that make more files."""


@dataclass(frozen=True)
class Installed:
    """Packages in a folder."""

    folder: Path
    packages: tuple[LockedPackage, ...]
    size_bytes: int
    system_libraries: dict[str, str]
    """Libraries that they load and do not bring, but for the C and C++ runtimes: the function's image must have them.
    Each with the file that loads it."""


def install(
    locked: LockedSet,
    destination: Path,
    *,
    tell: Tell = lambda _: None,
    environ: Mapping[str, str] | None = None,
) -> Installed:
    """Install packages into a folder, whole or not at all.

    uv's cache is used first, so that no registry is needed where it has all wheels. Files that were changed in the
    cache, which is easily done in an environment that shares them with it, are noticed, and their wheels fetched anew.

    Args:
        locked: The packages, and where they will run.
        destination: The folder; it must not exist.
        tell: Told what is being done.
        environ: The environment's variables, for uv; by default this process's.

    Raises LastmileError for a wheel with other bytes than were locked, with names that lead out of its folder, with
    links, or with binaries for another processor; for packages that have a module in common; when the disk is full;
    and when the registry cannot be reached.
    """
    if destination.exists():
        raise LastmileError(f"{destination} is there already; packages are installed into a new folder.")
    try:
        with tempfile.TemporaryDirectory(
            dir=destination.parent, prefix=f".{destination.name}.", ignore_cleanup_errors=True
        ) as scratch:
            return _install_whole(locked, destination, Path(scratch) / "packages", environ, tell)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(_DOING) from error
        raise LastmileError(f"{_DOING} failed: {error}.") from error


def _install_whole(
    locked: LockedSet, destination: Path, target: Path, environ: Mapping[str, str] | None, tell: Tell
) -> Installed:
    target.mkdir()
    if locked.packages:
        tell(f"installing {len(locked.packages)} packages")
        _clean(target, _fetch(locked, target, environ, tell), locked.environment)
    found = Installed(
        destination,
        locked.packages,
        sum(path.stat().st_size for path in target.rglob("*") if path.is_file()),
        {name: path.relative_to(target).as_posix() for name, path in system_libraries(target).items()},
    )
    target.rename(destination)
    return found


def _fetch(locked: LockedSet, target: Path, environ: Mapping[str, str] | None, tell: Tell) -> list[Record]:
    """Fill the folder; return what is in it."""
    records = _run_uv(locked, target, environ)
    wrong = altered(target, records)
    if wrong:
        record, name = wrong[0]
        tell(f"uv's cache has {record} with a changed {name}; fetching the wheels anew")
        records = _run_uv(locked, target, environ, from_cache=False)
        wrong = altered(target, records)  # now by the wheel itself, whose hash is the locked one
    for record, name in links(target, records, wrong):
        raise LastmileError(
            f"{record} has a symbolic link, {name}, which a wheel cannot hold.",
            "Build its wheel again with the file itself in the link's place; nothing was installed.",
        )
    return records


def _run_uv(
    locked: LockedSet, target: Path, environ: Mapping[str, str] | None, *, from_cache: bool = True
) -> list[Record]:
    """Install into the folder from uv's cache alone, else from the registry; return what each package says it has."""
    arguments = _arguments(locked, target)
    outside: list[str] = []
    for options in (["--offline"], []) if from_cache else (["--no-cache"],):
        shutil.rmtree(target, ignore_errors=True)
        run = run_uv([*arguments, *options], environ, without=_NOT_FOR_UV)
        outside += run.unsafe_names
        if run.succeeded:
            break
    else:
        raise refusal(run, _DOING)
    if outside:
        forget([package.name for package in locked.packages], environ)
        raise unsafe(outside[0])
    return read_records(target, locked.packages)


def _arguments(locked: LockedSet, target: Path) -> list[str]:
    listed = target.with_name("requirements.txt")
    lines = [f"{p.name}=={p.version} --hash=sha256:{p.sha256}\n" for p in locked.packages]
    listed.write_text("".join(lines), encoding="utf-8")
    return [
        *("pip", "install"),
        *("--requirements", str(listed)),
        *("--target", str(target)),
        "--require-hashes",
        "--no-deps",
        *("--only-binary", ":all:"),
        *("--python-version", locked.environment.python),
        *("--python-platform", locked.environment.python_platform),
        "--no-compile-bytecode",
        *("--link-mode", "copy"),  # what is stripped later must not be the cache's
    ]


def _clean(target: Path, records: Sequence[Record], environment: Environment) -> None:
    """Remove what is no package's own, and give all files the same rights wherever they were installed."""
    dropped = _refuse_or_drop(shared(records))
    kept = {name for record in records for name in record.files} - dropped
    for path in sorted(target.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if any(path.iterdir()):
                path.chmod(0o755)
            else:
                path.rmdir()
        elif path.relative_to(target).as_posix() not in kept or _is_of_the_machine(path.relative_to(target)):
            path.unlink()
        else:
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    target.chmod(0o755)
    for path in foreign_binaries(target, environment.processor):
        name = path.relative_to(target).as_posix()
        owner = next(record for record in records if name in record.files)
        raise LastmileError(
            f"{owner} has {name}, which is for {machine_name(path)}, but the function runs on {environment.processor}; "
            f"the wheel, {owner.package.wheel}, says that it fits.",
            "Require another version of it, or build a wheel for the function's processor and put it into a folder of "
            "UV_FIND_LINKS.",
        )


def _refuse_or_drop(files: Mapping[str, Sequence[Record]]) -> set[str]:
    """Return the files of several packages that can be left out; refuse those that are part of a package."""
    for name, owners in files.items():
        if not is_idle(name) and not _is_of_the_machine(PurePosixPath(name)):
            raise LastmileError(
                f"{owners[0]} and {owners[1]} both have {name}, with different bytes: which of them a function gets is "
                "chance.",
                "Require only one of these packages.",
            )
    return set(files)


def _is_of_the_machine(name: PurePosixPath | Path) -> bool:
    in_metadata = len(name.parts) == 2 and name.parts[0].endswith(".dist-info")
    return (
        (in_metadata and name.name in _OF_THE_MACHINE)
        or name.parts[0] == _SCRIPTS
        or "__pycache__" in name.parts
    )
