"""S3, Google Cloud Storage and Azure Blob Storage through obstore, at a tenth of a cloud SDK's import time."""

from __future__ import annotations

import threading

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotFoundError,
    NotModifiedError,
    PreconditionError,
)
from obstore.store import from_url

from lastmile_runtime.stores import Conflict, NotFound, Object, StoreError, check_path

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    Found = TypeVar("Found")

_TIMEOUT_S = 30


class CloudStore:
    """Objects below a prefix of a bucket.

    An etag here is obstore's etag and version: S3 and Azure compare the first when they swap, GCS the second, its
    generation.
    """

    def __init__(self, store: Any) -> None:
        self._store = store

    def get(self, path: str, etag: str | None = None, deadline_s: float | None = None) -> Object | None:
        """Return an object, None when it is still the one of `etag`."""
        known = etag.partition("|")[0] if etag else None

        def read() -> Object | None:
            try:
                found = obstore.get(
                    self._store, check_path(path), options={"if_none_match": known} if known else None
                )
                return Object(bytes(found.bytes()), _etag(found.meta))
            except NotModifiedError:
                return None

        return _in_time(lambda: _told(path, read), deadline_s, path)

    def put(self, path: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None) -> str:
        """Write an object and return its etag."""
        mode: Any = "create" if if_absent else "overwrite"
        if if_match is not None:
            etag, _, version = if_match.partition("|")
            mode = {"e_tag": etag or None, "version": version or None}
        return _told(path, lambda: _etag(obstore.put(self._store, check_path(path), content, mode=mode)))

    def list(self, prefix: str) -> list[str]:
        """Return the paths that begin so, in order. `prefix` ends at a whole part of the path."""
        found = _told(prefix, lambda: obstore.list(self._store, prefix or None).collect())
        return sorted(str(entry["path"]) for entry in found)

    def delete(self, path: str) -> None:
        """Delete an object, if it is there."""
        try:
            _told(path, lambda: obstore.delete(self._store, check_path(path)))
        except NotFound:
            return

    def stream(self, path: str, start: int, end: int) -> Iterator[memoryview]:
        """Return the bytes from `start` to before `end`, in pieces."""
        options: Any = {"range": (start, end)}
        found = _told(path, lambda: obstore.get(self._store, check_path(path), options=options))
        pieces = iter(found.stream(min_chunk_size=1 << 20))
        while True:
            piece = _told(path, lambda: next(pieces, None))
            if piece is None:
                return
            yield memoryview(piece)


def open_url(url: str) -> CloudStore:
    """Return the store of a cloud's URL, with the credentials of the environment. Raises StoreError."""
    options: Any = {"timeout": f"{_TIMEOUT_S}s", "allow_http": True}
    return CloudStore(_told(url, lambda: from_url(url, client_options=options)))


def _etag(meta: Any) -> str:
    return f"{meta.get('e_tag') or ''}|{meta.get('version') or ''}"


def _told(path: str, action: Callable[[], Found]) -> Found:
    """Return what an action returns; its errors become ours."""
    try:
        return action()
    except (NotFoundError, FileNotFoundError) as error:
        raise NotFound(f"there is no {path}.") from error
    except (AlreadyExistsError, PreconditionError) as error:
        raise Conflict(f"{path} was changed meanwhile.") from error
    except (BaseError, OSError, ValueError) as error:
        raise StoreError(f"{path}: {str(error).splitlines()[0]}") from error


def _in_time(action: Callable[[], Found], deadline_s: float | None, path: str) -> Found:
    """Return what an action returns, or raise StoreError at the deadline; the action is then left to itself."""
    if deadline_s is None:
        return action()
    found: list[Found | StoreError] = []

    def run() -> None:
        try:
            found.append(action())
        except StoreError as error:
            found.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(deadline_s)
    if not found:
        raise StoreError(f"{path}: the store did not answer within {deadline_s:g} s.")
    (result,) = found
    if isinstance(result, StoreError):
        raise result
    return result
