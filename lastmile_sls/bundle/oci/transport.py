"""HTTP to registries: connections that are kept, redirects, proxies, and another try when one was in vain."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from lastmile_sls.bundle.oci.descriptor import DOCUMENT_LIMIT
from lastmile_sls.bundle.oci.new_file import cannot_write
from lastmile_sls.errors import LastmileError

TIMEOUT_S = 120
"""How long a registry may be silent; after the last byte of a large blob, some hash it before they answer."""
DELAYS_S = (0.2, 1.0, 3.0)
"""Between tries."""
LONGEST_DELAY_S = 30
"""When a registry asks for a longer one, it is not kept."""
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_RETRIED = (429, 500, 502, 503, 504)
_BLOCK = 2**18
_LONGEST_REASON = 300
_AGENT = "lastmile-sls"

Pause = Callable[[float], None]


@dataclass(frozen=True)
class Answer:
    """What was answered; no body where it went to a file."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Upload:
    """A file as a request's body."""

    def __init__(self, path: Path, size: int, tell: Callable[[int], None]) -> None:
        self.path = path
        self.size = size
        self._tell = tell
        """Told how many bytes have been read of it, each time that some were."""

    def __enter__(self) -> Self:
        try:
            self._file = self.path.open("rb")
        except OSError as error:
            raise self._cannot_read(error) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, size: int = -1) -> bytes:
        """Read a part."""
        left = self.size - self._file.tell()
        try:
            content = self._file.read(left if size < 0 else min(size, left))
        except OSError as error:
            raise self._cannot_read(error) from error
        if left and not content:
            raise LastmileError(f"{self.path} is shorter than {self.size} bytes.", "Make the image again.")
        self._tell(self._file.tell())
        return content

    def _cannot_read(self, error: OSError) -> LastmileError:
        return LastmileError(f"{self.path} cannot be read: {error.strerror}.")


class Transport:
    """Connections to a registry, and to where it sends us."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._connections: dict[tuple[str, str], http.client.HTTPConnection] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._connections.values():
            connection.close()

    def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Upload = b"",
        sink: IO[bytes] | None = None,
    ) -> Answer:
        """Send a request once and return what is answered, redirects followed.

        Args:
            method: HTTP's.
            url: Absolute.
            headers: `authorization` is not sent on to another host.
            body: Sent whole.
            sink: Where the body of an answer of 200 goes; it is written from the beginning.

        Raises OSError or http.client.HTTPException when there is no answer, LastmileError for a redirect that
        must not be followed and for a file that cannot be read or written.
        """
        kept = dict(headers)
        for _ in range(_MOST_REDIRECTS):
            answer = self._exchange(method, urlsplit(url), kept, body, sink)
            location = answer.headers.get("location", "")
            if answer.status not in _REDIRECTS or method not in ("GET", "HEAD") or not location:
                return answer
            target = urljoin(url, location)
            if urlsplit(target).scheme != "https" and urlsplit(url).scheme == "https":
                host = urlsplit(url).netloc
                raise LastmileError(f"{host} redirects to {urlsplit(target).scheme}, which is not encrypted.")
            if urlsplit(target).netloc != urlsplit(url).netloc:
                kept.pop("authorization", None)
            url = target
        raise LastmileError(f"{urlsplit(url).netloc} redirects more than {_MOST_REDIRECTS} times.")

    def _exchange(
        self,
        method: str,
        url: SplitResult,
        headers: Mapping[str, str],
        body: bytes | Upload,
        sink: IO[bytes] | None,
    ) -> Answer:
        connection = self._connection(url)
        was_open = connection.sock is not None
        try:
            response = _send(connection, method, url, headers, body)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            if not was_open or isinstance(error, TimeoutError) or isinstance(body, Upload):
                raise
            # It was closed at the other end while nobody used it. (Uploads go to a place that is good for one.)
            try:
                response = _send(connection, method, url, headers, body)
            except (OSError, http.client.HTTPException):
                connection.close()
                raise
        try:
            return _receive(response, sink)
        except BaseException:
            connection.close()
            raise

    def _connection(self, url: SplitResult) -> http.client.HTTPConnection:
        key = (url.scheme, url.netloc)
        if key not in self._connections:
            self._connections[key] = _connection_to(url, self._timeout_s)
        return self._connections[key]


def _connection_to(url: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    host = url.hostname or ""
    if url.scheme == "http":
        return http.client.HTTPConnection(host, url.port or 80, timeout=timeout_s, blocksize=_BLOCK)
    context = ssl.create_default_context()
    proxy = urlsplit(urllib.request.getproxies().get("https", ""))
    if not proxy.hostname or urllib.request.proxy_bypass(host):
        return http.client.HTTPSConnection(
            host, url.port or 443, timeout=timeout_s, blocksize=_BLOCK, context=context
        )
    connection = http.client.HTTPSConnection(
        proxy.hostname, proxy.port or 80, timeout=timeout_s, blocksize=_BLOCK, context=context
    )
    login = f"{unquote(proxy.username or '')}:{unquote(proxy.password or '')}"
    proof = {"proxy-authorization": f"Basic {b64encode(login.encode()).decode()}"} if proxy.username else {}
    connection.set_tunnel(host, url.port or 443, proof)
    return connection


def _send(
    connection: http.client.HTTPConnection,
    method: str,
    url: SplitResult,
    headers: Mapping[str, str],
    body: bytes | Upload,
) -> http.client.HTTPResponse:
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    sent = {"user-agent": _AGENT, **headers}
    if isinstance(body, bytes):
        connection.request(method, target, body or None, sent)
        return connection.getresponse()
    with body as file:
        sent["content-length"] = str(body.size)
        try:
            connection.request(method, target, file, sent)
        except (BrokenPipeError, ConnectionResetError):
            # Who refuses a large body may answer and close before it has read all of it.
            with suppress(OSError, http.client.HTTPException):
                return connection.getresponse()
            raise
        return connection.getresponse()


def _receive(response: http.client.HTTPResponse, sink: IO[bytes] | None) -> Answer:
    if sink is None or response.status != 200:
        content = response.read(DOCUMENT_LIMIT + 1)
        if len(content) > DOCUMENT_LIMIT:
            raise LastmileError(f"a registry's answer is larger than {DOCUMENT_LIMIT} bytes.")
        if response.length:
            raise http.client.IncompleteRead(content, response.length)
        return Answer(response.status, response.headers, content)
    expected = response.length
    received = 0
    _write(sink, b"", start=True)
    while block := response.read(_BLOCK):
        _write(sink, block)
        received += len(block)
    if expected is not None and received != expected:
        raise http.client.IncompleteRead(b"", expected - received)
    return Answer(response.status, response.headers, b"")


def _write(sink: IO[bytes], content: bytes, *, start: bool = False) -> None:
    try:
        if start:
            sink.seek(0)
            sink.truncate()
        sink.write(content)
    except OSError as error:
        raise cannot_write(Path(sink.name).parent, error) from error


def with_retries(attempt: Callable[[], Answer], host: str, pause: Pause) -> Answer:
    """Return the answer of the first try that a server gave one without fault, or of the last.

    Raises LastmileError when the last try had no answer, or at once when another would have none either.
    """
    for delay in DELAYS_S:
        try:
            answer = attempt()
        except (ssl.SSLCertVerificationError, socket.gaierror, TimeoutError) as error:
            raise _unreachable(host, error) from error
        except (OSError, http.client.HTTPException):
            pause(delay)
        else:
            if answer.status not in _RETRIED:
                return answer
            pause(_asked_delay(answer) or delay)
    try:
        return attempt()
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(host, error) from error


def reason(answer: Answer) -> str:
    """Return what a server says of an error, as one printable line in brackets; empty when it says nothing."""
    try:
        errors = json.loads(answer.body)["errors"]
        said = "; ".join(f"{error.get('code', '')}: {error.get('message', '')}" for error in errors)
    except (ValueError, KeyError, TypeError, AttributeError):
        said = answer.body[:_LONGEST_REASON].decode(errors="replace")
    line = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    return f" ({line[:_LONGEST_REASON].rstrip('.')})" if line else ""


def _asked_delay(answer: Answer) -> float:
    asked = answer.headers.get("retry-after", "")
    return min(float(asked), LONGEST_DELAY_S) if asked.isdecimal() else 0.0


def _unreachable(host: str, error: OSError | http.client.HTTPException) -> LastmileError:
    match error:
        case ssl.SSLCertVerificationError():
            why = f"its certificate is not trusted: {error.verify_message}"
            hint = "If it is your own registry, name its authority's file in SSL_CERT_FILE."
        case TimeoutError():
            why, hint = "it did not answer in time", "Run again; what has arrived is not sent again."
        case OSError(strerror=str(why)) | OSError(args=(str(why),)):
            hint = "Check the name and the network, then run again; what has arrived is not sent again."
        case _:
            why = f"the connection broke ({type(error).__name__})"
            hint = "Run again; what has arrived is not sent again."
    return LastmileError(f"{host} cannot be reached: {why}.", hint)
