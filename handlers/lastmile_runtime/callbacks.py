"""Signed callbacks: who may be told of an answer that came later, and the telling, by Standard Webhooks 1.0.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (read 2026-11-29). Whoever
receives one may get it more than once, always with the same webhook-id. Redirects are not followed.
"""

from __future__ import annotations

import time
from binascii import Error, a2b_base64, b2a_base64

from lastmile_runtime import jsons
from lastmile_runtime.errors import BundleError, RequestError
from lastmile_runtime.stores import StoreError
from lastmile_runtime.stores.exchange import Connection
from lastmile_runtime.stores.http import parse_url
from lastmile_runtime.stores.sigv4 import hmac_sha256

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from lastmile_runtime.stores.exchange import Address

HEADER = "callback-url"
_SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with
_LEAST_SECRET, _MOST_SECRET = 24, 64
"""Bytes: the specification's "Signature scheme"."""
_MOST_RESULT_BYTES = 16_384
"""Payloads are to have less than 20 kB (the specification, "Payload size"); larger answers are to be fetched."""
_DEADLINE_S = 15.0
"""15 to 30 s are usual (the specification, "Deliverability and reliability")."""
_LONGEST_URL = 2048
GONE = 410
"""By which a receiver says that it wants no more; it is not asked again."""


class Callbacks:
    """Which URLs may be told, and the secret that what they are told is signed with."""

    def __init__(
        self,
        prefixes: list[str],
        secret: bytes,
        clock: Callable[[], float] = time.time,
        deadline_s: float = _DEADLINE_S,
    ) -> None:
        self._prefixes = [_split(prefix) for prefix in prefixes]
        self._shown = ", ".join(prefixes)
        self._secret = secret
        self._clock = clock
        self._deadline_s = deadline_s

    def check(self, url: str) -> None:
        """Raise RequestError, 400, unless a URL has the scheme, host and port of one of ours, and lies below its path."""
        try:
            place = _split(url)
        except ValueError as error:
            raise RequestError(400, f"{HEADER} {error}.") from None
        if not any(_is_below(place, prefix) for prefix in self._prefixes):
            raise RequestError(400, f"{HEADER} must begin with one of {self._shown}.")

    def tell(self, url: str, id_: str, payload: dict[str, Any]) -> int:
        """Send a payload, signed, under an id that stays the same when it is sent again; return the status of the answer.

        The answer is one of success, or 410, with which the receiver says that it wants no more.
        Raises OSError for any other, and when there is none in time; it names the receiver's host alone, because the rest
        of a URL may be secret.
        """
        address, path = _address(url)
        body = jsons.dumps(payload).encode()
        ends_at = time.monotonic() + self._deadline_s
        try:
            connection = Connection(address, ends_at)
            try:
                answer = connection.ask(path, self._headers(id_, body), ends_at, "POST", body)
            finally:
                connection.close()
        except (OSError, ValueError) as error:
            raise OSError(f"the callback to {address.name} was not taken: {error}") from error
        if not (200 <= answer.status < 300 or answer.status == GONE):
            raise OSError(f"the callback to {address.name} was answered with {answer.status}")
        return answer.status

    def _headers(self, id_: str, body: bytes) -> Mapping[str, str]:
        stamp = str(int(self._clock()))
        signature = hmac_sha256(self._secret, f"{id_}.{stamp}.".encode() + body)
        return {
            "content-type": "application/json",
            "user-agent": "lastmile",
            "webhook-id": id_,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{b2a_base64(signature, newline=False).decode('ascii')}",
            "connection": "close",
        }


def open_callbacks(document: Any, environ: Mapping[str, str]) -> Callbacks:
    """Return the callbacks that a document describes, `{"urls": [...], "secret": "VARIABLE"}`.

    Raises BundleError, naming the variable; the secret is never shown.
    """
    try:
        urls, variable = document["urls"], document["secret"]
        found = Callbacks(urls, _secret_of(variable, environ)) if urls else None
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise BundleError(f"LASTMILE_CALLBACK cannot be used: {error}.") from None
    if found is None:
        raise BundleError("LASTMILE_CALLBACK cannot be used: urls is empty.")
    return found


def payload_of(id_: str, result: dict[str, Any]) -> dict[str, Any]:
    """Return what is told of a job's result (see `lastmile_runtime.jobs`): the answer itself only if it is short JSON."""
    data: dict[str, Any] = {"id": id_, "status": result["status"], "location": f"/jobs/{id_}"}
    body = a2b_base64(result["body"])
    kind = result["headers"].get("content-type", "").partition(";")[0]
    if len(body) <= _MOST_RESULT_BYTES and (kind == "application/json" or kind.endswith("+json")):
        data["result"] = jsons.loads(body)
    finished = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(result["finished_at"]))
    succeeded = 200 <= result["status"] < 300
    return {"type": "job.succeeded" if succeeded else "job.failed", "timestamp": finished, "data": data}


def _secret_of(variable: str, environ: Mapping[str, str]) -> bytes:
    text = environ.get(variable)
    if not text:
        raise BundleError(
            f"{variable} is not set, but LASTMILE_CALLBACK names it as the secret of callbacks."
        )
    rule = f"must be {_SECRET_PREFIX} and the base64 of {_LEAST_SECRET} to {_MOST_SECRET} bytes"
    try:
        secret = a2b_base64(text.strip().removeprefix(_SECRET_PREFIX), strict_mode=True)
    except (Error, ValueError):
        raise BundleError(f"{variable}, the secret of callbacks, {rule}.") from None
    if not (text.strip().startswith(_SECRET_PREFIX) and _LEAST_SECRET <= len(secret) <= _MOST_SECRET):
        raise BundleError(f"{variable}, the secret of callbacks, {rule}.")
    return secret


def _split(url: str) -> tuple[tuple[str, int, bool], str]:
    """Return a URL's server (host, port, whether by TLS), and its path with its query. Raises ValueError with the rule."""
    if not (url.isascii() and url.isprintable()) or len(url) > _LONGEST_URL or set(url) & set(' "<>\\^`{|}'):
        raise ValueError(f"must be a URL of at most {_LONGEST_URL} ASCII characters")
    if "#" in url:
        raise ValueError("must not have a #")
    authority, path = _parts(url)
    try:
        address = parse_url(f"{url.partition('://')[0]}://{authority}")[0]
    except StoreError:
        raise ValueError("must begin with https:// and a host, with no user in it") from None
    if _leads_up(path.partition("?")[0]):
        raise ValueError("must not have . or .. in its path, nor %2e, %2f or %5c")
    return (address.host.lower(), address.port, address.tls), path or "/"


def _parts(url: str) -> tuple[str, str]:
    """Return a URL's authority, and what follows it."""
    rest = url.partition("://")[2]
    end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    path = rest[end:]
    return rest[:end], f"/{path}" if path.startswith("?") else path


def _address(url: str) -> tuple[Address, str]:
    authority, path = _parts(url)
    return parse_url(f"{url.partition('://')[0]}://{authority}")[0], path or "/"


def _leads_up(path: str) -> bool:
    """Tell whether a path may mean another folder to its server: by dots, or by dots and slashes that are hidden."""
    return bool({".", ".."} & set(path.split("/"))) or any(
        hidden in path.lower() for hidden in ("%2e", "%2f", "%5c")
    )


def _is_below(place: tuple[tuple[str, int, bool], str], prefix: tuple[tuple[str, int, bool], str]) -> bool:
    """Tell whether a URL begins with another one, which ends where a part of its path or query ends."""
    (server, path), (admitted, beginning) = place, prefix
    if server != admitted or not path.startswith(beginning):
        return False
    rest = path[len(beginning) :]
    ends = "/?&" if "?" in beginning else "/?"
    return not rest or beginning[-1] in "/?&=" or rest[0] in ends
