"""Object storage behind one interface: what a function and `lastmile traffic` read, and write with compare-and-swap.

Each kind's module is imported when a store of it is opened.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    class Store(Protocol):
        """A place for objects, each a path and bytes. Every method raises StoreError when the place fails."""

        def get(self, path: str, etag: str | None = None, deadline_s: float | None = None) -> Object | None:
            """Return an object; None when it is still the one of `etag`.

            Raises NotFound; StoreError as well when there is no answer within `deadline_s`.
            """

        def put(
            self, path: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None
        ) -> str:
            """Write an object and return its etag. Nobody ever sees half of it.

            Raises Conflict, with nothing written, when it is there (`if_absent`) or not the one of `if_match`.
            """

        def list(self, prefix: str) -> list[str]:
            """Return the paths that begin so, in order."""

        def delete(self, path: str) -> None:
            """Delete an object, if it is there."""

        def stream(self, path: str, start: int, end: int) -> Iterator[bytes | memoryview]:
            """Return the bytes from `start` to before `end`, in pieces. Raises NotFound."""


class StoreError(Exception):
    """The store could not do what it was asked for."""


class NotFound(StoreError):
    """There is no such object."""


class Conflict(StoreError):
    """The object is not as the writer thought it was."""


class Object:
    """An object's bytes, and what tells this content from any other that the path has had."""

    __slots__ = ("content", "etag")

    def __init__(self, content: bytes, etag: str) -> None:
        self.content = content
        self.etag = etag


SCHEMES = {
    "file": "file",
    "http": "http",
    "https": "http",
    "s3": "cloud",
    "gs": "cloud",
    "az": "cloud",
    "azure": "cloud",
}


def open_store(url: str) -> Store:
    """Return the store at a URL: file:///folder, s3://bucket/prefix, gs://bucket/prefix, az://container/prefix, http(s)://.

    Credentials are those of the function's environment. Raises StoreError for another kind of URL.
    """
    scheme = url.partition("://")[0]
    if scheme not in SCHEMES or "://" not in url:
        raise StoreError(f"the store is {url!r}, but must begin with one of {', '.join(SCHEMES)} and ://.")
    package = __import__(f"lastmile_runtime.stores.{SCHEMES[scheme]}", fromlist=["open_url"])
    store: Store = package.open_url(url)
    return store


def check_path(path: str) -> str:
    """Return an object's path. Raises StoreError for one that is empty, absolute or leads upwards."""
    if {"", ".", ".."} & set(path.split("/")) or "\0" in path:
        raise StoreError(f"the path is {path!r}, but must be relative and have no empty, . or .. part.")
    return path
