"""Objects behind HTTP GET, plain or authorised: the quickest way to one small document, and to parts of a large one."""

from __future__ import annotations

import time

from lastmile_runtime.hashing import blake2b64
from lastmile_runtime.stores import Head, NotFound, Object, StoreError, check_path
from lastmile_runtime.stores.exchange import Address, Client, Connection, quote

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lastmile_runtime.stores.exchange import Answer

    Authorize = Callable[[str, float], Mapping[str, str]]

_PIECE_BYTES = 1 << 18  # fits a core's second cache, where the next to look at it still finds it
_DEADLINE_S = 30.0
_SILENCE_S = 10.0


class HttpStore:
    """Objects below a URL, to be read only."""

    def __init__(
        self,
        address: Address,
        prefix: str,
        authorize: Authorize | None = None,
        version_header: str = "",
    ) -> None:
        """Ask nothing yet.

        Args:
            address: The server.
            prefix: What every path begins with, percent-encoded, without a slash at its end.
            authorize: Returns the headers that permit a GET of a percent-encoded path, before a time of `time.monotonic`.
            version_header: Where the server gives an object's version, if the etag is to be both (see `cloud`).
        """
        self._address = address
        self._prefix = prefix
        self._authorize = authorize
        self._version_header = version_header
        self._client = Client(address)

    def get(self, path: str, etag: str | None = None, deadline_s: float | None = None) -> Object | None:
        """Return an object, None when the server says that it is still the one of `etag`."""
        ends_at = time.monotonic() + (deadline_s or _DEADLINE_S)
        headers = {"connection": "close"}
        if etag:
            headers["if-none-match"] = etag.partition("|")[0] if self._version_header else etag
        connection = None
        try:
            sent = self._sent(path, headers, ends_at)
            connection = Connection(self._address, ends_at)
            answer = connection.ask(self._place(path), sent, ends_at)
            content = answer.read(ends_at)
        except (OSError, ValueError) as error:
            raise _failure(path, error) from error
        finally:
            if connection:
                connection.close()
        if answer.status == 304:
            return None
        _require(path, answer.status, 200, content)
        found = self._etag(answer, content)
        return None if found == etag else Object(content, found)

    def put(self, path: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None) -> str:
        """Raise StoreError: plain HTTP is read only."""
        raise StoreError(f"{path} cannot be written: http stores are read only.")

    def list(self, prefix: str) -> list[str]:
        """Raise StoreError: plain HTTP does not list."""
        raise StoreError(f"{prefix} cannot be listed: http stores are read by path only.")

    def head(self, path: str) -> Head:
        """Raise StoreError: nothing that is behind plain HTTP is scored."""
        raise StoreError(f"{path} cannot be looked at: http stores are read whole, or in parts.")

    def delete(self, path: str) -> None:
        """Raise StoreError: plain HTTP is read only."""
        raise StoreError(f"{path} cannot be deleted: http stores are read only.")

    def stream(self, path: str, start: int, end: int) -> Iterator[memoryview]:
        """Return the bytes from `start` to before `end`, in pieces that are valid until the next is asked for.

        Raises StoreError also when nothing comes for 10 s.
        """
        if start >= end:
            return
        headers = {"range": f"bytes={start}-{end - 1}"}
        try:
            ends_at = time.monotonic() + _SILENCE_S
            answer = self._client.ask(self._place(path), self._sent(path, headers, ends_at), ends_at)
        except (OSError, ValueError) as error:
            raise _failure(path, error) from error
        try:
            if answer.status != 206 or answer.length is None:
                _require(path, answer.status, 206, answer.read(time.monotonic() + _SILENCE_S))
            yield from answer.pieces(memoryview(bytearray(_PIECE_BYTES)), _SILENCE_S)
        except (OSError, ValueError) as error:
            raise _failure(path, error) from error
        finally:
            self._client.release(answer)

    def _place(self, path: str) -> str:
        return f"{self._prefix}/{quote(check_path(path))}"

    def _sent(self, path: str, headers: dict[str, str], ends_at: float) -> dict[str, str]:
        return {**headers, **self._authorize(self._place(path), ends_at)} if self._authorize else headers

    def _etag(self, answer: Answer, content: bytes) -> str:
        etag = answer.headers.get("etag", "")
        if self._version_header:
            return f"{etag}|{answer.headers.get(self._version_header, '')}"
        return etag or f'"{blake2b64(content):016x}"'


def open_url(url: str) -> HttpStore:
    """Return the store of an HTTP URL. Raises StoreError for one without a host."""
    address, prefix = parse_url(url)
    return HttpStore(address, prefix)


def parse_url(url: str, issuers: tuple[bytes, ...] = ()) -> tuple[Address, str]:
    """Return where an HTTP URL leads: the server, and the path without a slash at its end. Raises StoreError."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    if authority.startswith("["):
        host, _, port = authority[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = authority.partition(":")
    if not host or "@" in authority or (port and not port.isdigit()) or scheme not in ("http", "https"):
        raise StoreError(
            f"the URL is {url!r}, but must be http:// or https:// and a host, with no user in it."
        )
    address = Address(host, int(port or 0), tls=scheme == "https", issuers=issuers)
    return address, f"{slash}{path}".rstrip("/")


def _require(path: str, status: int, wanted: int, content: bytes) -> None:
    """Raise NotFound or StoreError unless the answer has the status; clouds say in `<Code>` why not."""
    if status == wanted:
        return
    code = content.partition(b"<Code>")[2].partition(b"</Code>")[0].decode("latin-1")
    if status == 404 and code not in ("NoSuchBucket", "ContainerNotFound"):
        raise NotFound(f"there is no {path}.")
    reason = f" ({code})" if code.isalnum() else ""
    raise StoreError(f"{path}: the server answered {status}{reason}, not {wanted}.")


def _failure(path: str, error: Exception) -> StoreError:
    return StoreError(f"{path}: {str(error) or type(error).__name__}.")
