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

        def head(self, path: str) -> Head:
            """Return what is known of an object without reading it. Raises NotFound."""

        def delete(self, path: str) -> None:
            """Delete an object, if it is there."""

        def stream(self, path: str, start: int, end: int) -> Iterator[memoryview]:
            """Return the bytes from `start` to before `end`, in pieces that are valid until the next is asked for.

            Raises NotFound. Threads may stream at once.
            """


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


class Head:
    """An object's etag, which another head of the same store may be compared with, and how many bytes it has."""

    __slots__ = ("etag", "size")

    def __init__(self, etag: str, size: int) -> None:
        self.etag = etag
        self.size = size


SCHEMES = {"file": "file", "http": "http", "https": "http", "s3": "s3", "gs": "gs", "az": "az"}
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 !$&'()+,-./:;=@_")
"""What every store keeps as it is: object_store encodes some of the rest within an object's name, clouds refuse some."""


def open_store(url: str) -> Store:
    """Return the store at a URL, with the credentials of the function's environment.

    file:///FOLDER, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://ACCOUNT/CONTAINER/PREFIX; http(s)://HOST/PREFIX can be
    read only. Raises StoreError for another kind of URL.
    """
    scheme, colon, _ = url.partition("://")
    if scheme not in SCHEMES or not colon:
        raise StoreError(f"the store is {url!r}, but must begin with one of {', '.join(SCHEMES)} and ://.")
    package = __import__(f"lastmile_runtime.stores.{SCHEMES[scheme]}", fromlist=["open_url"])
    store: Store = package.open_url(url)
    return store


def check_path(path: str) -> str:
    """Return an object's path. Raises StoreError for one that leads elsewhere, or is not the same in every store."""
    if {"", ".", ".."} & set(path.split("/")):
        raise StoreError(f"the path is {path!r}, but must be relative and have no empty, . or .. part.")
    if not _PLAIN.issuperset(path):
        strange = min(set(path) - _PLAIN)
        raise StoreError(
            f"the path is {path!r}, but {strange!r} is not the same in every store; leave it out."
        )
    return path
