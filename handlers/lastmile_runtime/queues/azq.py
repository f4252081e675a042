"""Azure's Storage Queues (learn.microsoft.com/rest/api/storageservices/put-message, read 2026-11-29).

A message is sent as it is, not in base64: `messageEncoding` in the app's host.json is none.
"""

from __future__ import annotations

import time

from lastmile_runtime.errors import BundleError
from lastmile_runtime.queues import parts
from lastmile_runtime.stores.az import ISSUERS, VERSION, bearer_of
from lastmile_runtime.stores.exchange import Address, Client, told
from lastmile_runtime.stores.http import parse_url

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Authorize = Callable[[Mapping[str, str], int, float], str]
    """Returns the header `authorization` of a request: from its headers, its body's length, and until when it has time."""

_MOST_BYTES = 48 * 1024
"""A message may have 64 KiB; the rest is for what XML escapes."""
_ENDPOINT, _RETENTION = "LASTMILE_QUEUE__queueServiceUri", "LASTMILE_QUEUE_RETENTION_S"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class StorageQueue:
    """A queue of a storage account."""

    most_bytes = _MOST_BYTES

    def __init__(self, address: Address, path: str, authorize: Authorize) -> None:
        """Ask nothing yet."""
        self._client = Client(address)
        self._path = path
        self._authorize = authorize

    def send(self, message: bytes, deadline_s: float) -> None:
        """Add a message: the account keeps it when this returns. Raises OSError when it does not."""
        ends_at = time.monotonic() + deadline_s
        text = message.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")
        body = b"<QueueMessage><MessageText>" + text + b"</MessageText></QueueMessage>"
        headers = {"x-ms-date": _date(time.gmtime()), "x-ms-version": VERSION}
        try:
            headers["authorization"] = self._authorize(headers, len(body), ends_at)
            headers["content-type"] = _XML
            answer, content = self._client.fetch(self._path, headers, ends_at, "POST", body)
        except (ValueError, LookupError) as error:
            raise ConnectionError(f"Azure's Storage Queues cannot be asked: {told(error)}") from error
        if answer.status != 201:
            code = answer.headers.get("x-ms-error-code", "") or _code(content)
            raise OSError(
                f"Azure's Storage Queues answered {answer.status}{f' ({code})' if code.isalnum() else ''}"
            )


def open_url(url: str, environ: Mapping[str, str]) -> StorageQueue | None:
    """Return the queue at `azq://ACCOUNT/NAME`, None for no such URL.

    LASTMILE_QUEUE__queueServiceUri says where the account's queues are, as it does to the functions' host;
    LASTMILE_QUEUE_RETENTION_S for how long a message is kept, seconds (by default seven days). AZURE_STORAGE_ACCOUNT_KEY
    takes the place of the app's identity, for an emulator. Raises BundleError when the environment does not say who is
    asking.
    """
    found = parts(url, 2)
    if found is None:
        return None
    account, name = found
    retention = environ.get(_RETENTION)
    if retention and not retention.isdigit():
        raise BundleError(f"{_RETENTION} is {retention!r}, but must be a number of seconds.")
    query = f"?messagettl={retention}" if retention else ""
    place = environ.get(_ENDPOINT) or f"https://{account}.queue.core.windows.net"
    address, base = parse_url(place, ISSUERS)
    path = f"{base}/{name}/messages"
    return StorageQueue(address, path + query, _authorize(account, path, retention, environ, address))


def _authorize(
    account: str, path: str, retention: str | None, environ: Mapping[str, str], address: Address
) -> Authorize:
    key = environ.get("AZURE_STORAGE_ACCOUNT_KEY")
    if key:
        from binascii import a2b_base64

        return _shared_key(account, a2b_base64(key), path, retention)
    bearer = bearer_of(environ)
    if bearer is None:
        raise BundleError(
            "the queue is sent to in this function's name, but the environment has no managed identity of Azure's."
        )
    if not address.tls:
        raise BundleError(f"{_ENDPOINT} must begin with https://, because a token is sent there.")
    return lambda _, __, ends_at: f"Bearer {bearer.current(ends_at)[0]}"


_XML = "application/xml"


def _shared_key(account: str, key: bytes, path: str, retention: str | None) -> Authorize:
    """Return what signs with the account's key: learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key."""
    from binascii import b2a_base64

    from lastmile_runtime.stores.sigv4 import hmac_sha256

    resource = f"/{account}{path}" + (f"\nmessagettl:{retention}" if retention else "")

    def authorize(headers: Mapping[str, str], length: int, ends_at: float) -> str:
        named = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
        text = f"POST\n\n\n{length}\n\n{_XML}\n\n\n\n\n\n\n{named}{resource}"
        signature = b2a_base64(hmac_sha256(key, text.encode()), newline=False).decode("ascii")
        return f"SharedKey {account}:{signature}"

    return authorize


def _date(now: time.struct_time) -> str:
    """Return a time as HTTP writes it, whatever the process's language is."""
    clock = f"{now.tm_hour:02}:{now.tm_min:02}:{now.tm_sec:02}"
    return f"{_DAYS[now.tm_wday]}, {now.tm_mday:02} {_MONTHS[now.tm_mon - 1]} {now.tm_year} {clock} GMT"


def _code(content: bytes) -> str:
    return content.partition(b"<Code>")[2].partition(b"</Code>")[0].decode("latin-1")
