"""A folder as an object store. A lock and `os.replace` give it the compare-and-swap that file systems have not."""

# pathlib would cost 10 ms of each cold start:
# ruff: noqa: PTH103, PTH105, PTH108, PTH118, PTH119, PTH120, PTH123

from __future__ import annotations

import fcntl
import os

from lastmile_runtime.stores import Conflict, NotFound, Object, StoreError, check_path

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK = ".lock"
_HALF = ".half-"
_CHUNK_BYTES = 1 << 20


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
        """Write an object and return its etag; it is on disk when this returns."""
        file = self._file(path)
        try:
            os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)
            with open(os.path.join(self.folder, _LOCK), "a", opener=_private) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._check(path, if_absent=if_absent, if_match=if_match)
                half = os.path.join(os.path.dirname(file), f"{_HALF}{os.path.basename(file)}")
                return _replace(half, file, content)
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

    def delete(self, path: str) -> None:
        """Delete an object, if it is there."""
        try:
            os.unlink(self._file(path))
        except FileNotFoundError:
            return
        except OSError as error:
            raise _error(path, error) from error

    def stream(self, path: str, start: int, end: int) -> Iterator[bytes]:
        """Return the bytes from `start` to before `end`, in pieces."""
        try:
            with open(self._file(path), "rb") as file:
                file.seek(start)
                while start < end and (chunk := file.read(min(_CHUNK_BYTES, end - start))):
                    start += len(chunk)
                    yield chunk
        except OSError as error:
            raise _error(path, error) from error

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
        return os.path.join(self.folder, *check_path(path).split("/"))


def open_url(url: str) -> FileStore:
    """Return the store of a file URL. Raises StoreError unless it names a folder of this machine by its whole path."""
    folder = url.removeprefix("file://")
    if not folder.startswith("/"):
        raise StoreError(f"the store is {url!r}, but a file store is file:// and a path from the root on.")
    if "%" in folder:
        from urllib.parse import unquote

        folder = unquote(folder)
    return FileStore(folder)


def _replace(half: str, file: str, content: bytes) -> str:
    """Write beside the file, then put it in the file's place: a kill in between leaves the old content."""
    with open(half, "wb", opener=_private) as output:
        output.write(content)
        output.flush()
        os.fsync(output.fileno())
        etag = _etag(os.fstat(output.fileno()))
    os.replace(half, file)
    return etag


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _etag(status: os.stat_result) -> str:
    """A new file takes each content's place, so its number or its time is another one."""
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"


def _error(path: str, error: OSError) -> StoreError:
    if isinstance(error, (FileNotFoundError, NotADirectoryError, IsADirectoryError)):
        return NotFound(f"there is no {path}.")
    return StoreError(f"{path}: {error.strerror or error}.")
