"""The lock on disk: read, and changed by one build at a time; kept current with what functions require."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from lastmile_sls.bundle.dependencies.environment import Environment
from lastmile_sls.bundle.dependencies.lock import Lock, LockedSet, parse_lock
from lastmile_sls.bundle.dependencies.resolve import Tell, resolve
from lastmile_sls.errors import LastmileError


def read_lock(path: Path) -> Lock:
    """Read the file; where there is none, the lock is empty.

    Raises LastmileError, naming the file and the line or the field, for what lastmile cannot have written.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return Lock()
    except UnicodeDecodeError as error:
        told = f"{path.name} is no text: byte {error.start} is not UTF-8."
        raise LastmileError(told, f"Take {path.name} as it was last committed.") from error
    except OSError as error:
        raise LastmileError(f"{path} could not be read: {error.strerror}.") from error
    return parse_lock(text, path.name)


def change_lock(path: Path, change: Callable[[Lock], Lock]) -> Lock:
    """Change the file whole or not at all, while no other build does, and return what it then holds.

    A file that would stay the same is not touched. Raises LastmileError as `read_lock` does, and when the file cannot
    be written; the old one then stands.

    Args:
        path: The file.
        change: Returns the new content for the present one. It must be quick: other builds wait for it.
    """
    real = path.resolve()
    try:
        with _alone_in(real.parent):
            before = read_lock(real)
            after = change(before)
            if after != before:
                _replace(real, after.render().encode())
            return after
    except OSError as error:
        raise LastmileError(
            f"{path} could not be written: {error.strerror or error}.",
            "The file is as it was. Free space or mend the folder's rights, then run again.",
        ) from error


def current_sets(
    path: Path,
    requirements: Mapping[str, Sequence[str]],
    environment: Environment,
    *,
    upgrade: bool = False,
    constraints: Sequence[str] = (),
    tell: Tell = lambda _: None,
    environ: Mapping[str, str] | None = None,
) -> dict[str, LockedSet]:
    """Return the packages of each function, and bring the lock up to date.

    A function whose requirements are as they were keeps its packages, and no registry is asked. Of one whose
    requirements have changed, versions are kept where they still fit; of one that is new in this environment, those
    that it has in another one.

    Args:
        path: The lock.
        requirements: What each function of the deployment requires.
        environment: Where they run.
        upgrade: Choose all versions anew.
        constraints: What versions must satisfy, if the packages are needed at all.
        tell: Told what is being done.
        environ: The environment's variables, for uv; by default this process's.

    Raises LastmileError as `change_lock` and `resolve` do.
    """
    before = read_lock(path)
    found = {
        function: resolve(
            wanted,
            environment,
            previous=before.nearest(function, environment),
            upgrade=upgrade,
            constraints=constraints,
            tell=tell,
            environ=environ,
        )
        for function, wanted in requirements.items()
    }

    def put_in(lock: Lock) -> Lock:
        lock = lock.only(found, environment)
        for function, locked in found.items():
            lock = lock.with_set(function, locked)
        return lock

    change_lock(path, put_in)
    return found


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process changes a lock in the folder; the system lets go when a process ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, content: bytes) -> None:
    """Write a file beside the old one and move it there, with the rights that the user's other files get."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o666
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
