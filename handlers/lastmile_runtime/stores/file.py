"""A folder as an object store. A lock and `os.replace` give it the compare-and-swap that file systems have not."""

# pathlib would cost 10 ms of each cold start:
# ruff: noqa: PTH102, PTH105, PTH108, PTH110, PTH118, PTH120, PTH123

from __future__ import annotations

import fcntl
import io
import os
import time
from _stat import S_ISREG  # stat itself would have to be read

from lastmile_runtime.stores import Conflict, Head, NotFound, Object, StoreError, check_path

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK = ".lock"
_HALF = ".half-"
_PIECE_BYTES = 1 << 18
_LOCK_S = 30
_RETRY_S = 0.002


class FileStore:
    """Objects as files that only their owner can read; what begins with a dot is the store's own."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def get(self, path: str, etag: str | None = None, deadline_s: float | None = None) -> Object | None:
        """Return an object, None when it is still the one of `etag`; the deadline is not needed here."""
        try:
            with open(self._file(path), "rb") as file:
                found = _etag(os.fstat(file.fileno()))
                return None if found == etag else Object(file.read(), found)
        except OSError as error:
            raise _error(path, error) from error

    def put(self, path: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None) -> str:
        """Write an object and return its etag; it is on disk when this returns.

        Raises StoreError when another writer holds the store for more than 30 s.
        """
        file = self._file(path)
        try:
            _make_folders(os.path.dirname(file))
            with self._lock() as lock:
                self._check(path, if_absent=if_absent, if_match=if_match)
                return _replace(file, content, _later(lock))
        except OSError as error:
            raise _error(path, error) from error

    def list(self, prefix: str) -> list[str]:
        """Return the paths that begin so, in order."""
        found = []
        for folder, folders, files in os.walk(self.folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            inside = os.path.relpath(folder, self.folder).replace(os.sep, "/")
            parent = "" if inside == "." else f"{inside}/"
            found += [f"{parent}{name}" for name in files if not name.startswith(".")]
        return sorted(path for path in found if path.startswith(prefix))

    def head(self, path: str) -> Head:
        """Return what is known of an object without reading it."""
        try:
            status = os.stat(self._file(path))  # noqa: PTH116 - see above
        except OSError as error:
            raise _error(path, error) from error
        if not S_ISREG(status.st_mode):
            raise NotFound(f"there is no {path}.")
        return Head(_etag(status), status.st_size)

    def delete(self, path: str) -> None:
        """Delete an object, if it is there."""
        file = self._file(path)
        try:
            if os.path.exists(file):
                with self._lock():
                    os.unlink(file)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _error(path, error) from error

    def stream(self, path: str, start: int, end: int) -> Iterator[memoryview]:
        """Return the bytes from `start` to before `end`, in pieces that are valid until the next is asked for."""
        buffer = memoryview(bytearray(_PIECE_BYTES))
        try:
            with open(self._file(path), "rb", buffering=0) as file:
                file.seek(start)
                while start < end and (count := file.readinto(buffer[: end - start])):
                    start += count
                    yield buffer[:count]
        except OSError as error:
            raise _error(path, error) from error

    def _lock(self) -> io.FileIO:
        """Return the store's lock file, locked until it is closed: whatever ends its holder does that."""
        lock = io.FileIO(os.path.join(self.folder, _LOCK), "a", opener=_private)
        ends_at = time.monotonic() + _LOCK_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > ends_at:
                    lock.close()
                    raise TimeoutError(f"another writer has held {_LOCK} for {_LOCK_S} s") from None
                time.sleep(_RETRY_S)
            except BaseException:
                lock.close()
                raise
            else:
                return lock

    def _check(self, path: str, *, if_absent: bool, if_match: str | None) -> None:
        try:
            found = _etag(os.stat(self._file(path)))  # noqa: PTH116 - see above
        except FileNotFoundError:
            found = None
        if if_absent and found is not None:
            raise Conflict(f"{path} is there already.")
        if if_match is not None and found != if_match:
            raise Conflict(f"{path} was changed meanwhile." if found else f"{path} is gone.")

    def _file(self, path: str) -> str:
        parts = check_path(path).split("/")
        if any(part.startswith(".") for part in parts):
            raise StoreError(f"the path is {path!r}, but what begins with a dot is the store's own.")
        return os.path.join(self.folder, *parts)


def open_url(url: str) -> FileStore:
    """Return the store of a file URL. Raises StoreError unless it names a folder of this machine by its whole path."""
    folder = url.removeprefix("file://")
    if not folder.startswith("/"):
        raise StoreError(f"the store is {url!r}, but a file store is file:// and a path from the root on.")
    if "%" in folder:
        from urllib.parse import unquote

        folder = unquote(folder)
    return FileStore(folder)


def _make_folders(folder: str) -> None:
    """Make a folder and those above it that are missing, for their owner only (os.makedirs would open those above)."""
    try:
        os.mkdir(folder, 0o700)
    except FileNotFoundError:
        _make_folders(os.path.dirname(folder))
        _make_folders(folder)
    except FileExistsError:
        return


def _later(lock: io.FileIO) -> int:
    """Return a time (ns) that no object of this store has had, nor will have again, whatever the clock does.

    The lock's own time is the last that was given out. A file system's clock ticks every 4 ms and it gives numbers of
    deleted files out again, so they alone would make one etag of two contents.
    """
    moment = max(time.time_ns(), os.fstat(lock.fileno()).st_mtime_ns + 1)
    os.utime(lock.fileno(), ns=(moment, moment))
    return moment


def _replace(file: str, content: bytes, moment: int) -> str:
    """Write beside the file, then put it in the file's place: a kill in between leaves the old content."""
    folder, name = os.path.split(file)
    half = os.path.join(folder, f"{_HALF}{name}")
    with open(half, "wb", opener=_private) as output:
        output.write(content)
        output.flush()
        os.utime(output.fileno(), ns=(moment, moment))
        os.fsync(output.fileno())
        etag = _etag(os.fstat(output.fileno()))
    os.replace(half, file)
    _sync(folder)
    return etag


def _sync(folder: str) -> None:
    """Have a folder's entries on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _etag(status: os.stat_result) -> str:
    """The time is another one for each write (`_later`); the rest tells what others put there."""
    return f"{status.st_mtime_ns:x}-{status.st_ino:x}-{status.st_size:x}"


def _error(path: str, error: OSError) -> StoreError:
    if isinstance(error, (FileNotFoundError, NotADirectoryError, IsADirectoryError)):
        return NotFound(f"there is no {path}.")
    return StoreError(f"{path}: {error.strerror or error}.")
