"""Which revision of its repository a spec's folder is, and who works in it, as git tells; git may be missing."""

from __future__ import annotations

import getpass
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

_TIMEOUT_S = 30
_WITHOUT_WRITING = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false")
"""Options of git: only read, and run no program that the repository names."""


@dataclass(frozen=True)
class Source:
    """A spec's folder as git sees it."""

    revision: str = ""
    """The commit, hexadecimal; empty where there is none."""
    changes: int = 0
    """Files in the folder that are not as they were committed, or not committed at all."""
    remote: str = ""
    """Where the repository is kept, without any password; empty where it is not told."""
    missing: str = ""
    """Why there is no revision."""

    @property
    def dirty(self) -> bool:
        """Tell whether the folder holds something else than the revision."""
        return self.changes > 0


@dataclass(frozen=True)
class Person:
    """Who built something."""

    name: str
    email: str = ""


def find_source(folder: Path, environ: Mapping[str, str], output: str = ".lastmile") -> Source:
    """Return which revision a folder is.

    Args:
        folder: The spec's folder.
        environ: The environment; git's own variables in it, as a git hook has them, are left aside.
        output: A folder in it that builds write to, whose files are no changes.
    """
    try:
        revision = _git(folder, environ, "rev-parse", "--verify", "HEAD")
        lines = _git(
            *(folder, environ, "status", "--porcelain", "--untracked-files=all", "--"),
            *(".", f":(exclude){output}"),
        )
    except _GitError as error:
        return Source(missing=str(error))
    try:
        remote = without_password(_git(folder, environ, "remote", "get-url", "origin"))
    except _GitError:
        remote = ""
    return Source(revision, len(lines.splitlines()), remote)


def find_person(folder: Path, environ: Mapping[str, str]) -> Person | None:
    """Return who works in a folder: as git is told for it, else the operating system's user; None when neither says."""
    try:
        name = _git(folder, environ, "config", "user.name")
    except _GitError:
        try:
            return Person(getpass.getuser())
        except (KeyError, OSError):  # a container's user may have no name
            return None
    try:
        return Person(name, _git(folder, environ, "config", "user.email"))
    except _GitError:
        return Person(name)


def without_password(remote: str) -> str:
    """Return where a repository is kept as a URL without user and password; empty for a path on this machine."""
    if "://" not in remote:
        host, colon, path = remote.partition(":")
        if not colon or "/" in host:
            return ""
        remote = f"ssh://{host}/{path.removeprefix('/')}"  # git@host:path
    parts = urlsplit(remote)
    if parts.scheme == "file" or not parts.hostname:
        return ""
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


class _GitError(Exception):
    """Git is missing, or says no; the message says which."""


def _git(folder: Path, environ: Mapping[str, str], *arguments: str) -> str:
    command = ["git", *_WITHOUT_WRITING, *arguments]
    kept = {name: value for name, value in environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**kept, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError as error:
        raise _GitError("git is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise _GitError(f"git took longer than {_TIMEOUT_S} s") from error
    except OSError as error:
        raise _GitError(f"git cannot be run: {error.strerror}") from error
    if done.returncode:
        raise _GitError(_told(done.stderr))
    return done.stdout.rstrip("\n")


def _told(message: str) -> str:
    """Return what stands in git's way, without the paths of this machine that its own message may have."""
    if "not a git repository" in message:
        return "the folder is in no git repository"
    if "dubious ownership" in message:
        return "the folder's git repository belongs to somebody else"
    if "Needed a single revision" in message:
        return "the folder's git repository has no commit"
    return "git cannot read the folder's repository"
