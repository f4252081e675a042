"""The gateway of the embedded cloud: an ASGI application that checks a request and passes it to a function."""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from lastmile_runtime.auth import CHALLENGE, accepts_key, key_of
from lastmile_runtime.cors import EXPOSED, METHODS
from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import refusal
from lastmile_runtime.tokens import TokenVerifier
from lastmile_sls.local.exchange import Answer, Headers, NotConnected, Unanswered, exchange
from lastmile_sls.local.functions import FindPool, Pool, PoolClosed
from lastmile_sls.local.instances import Instance, InstanceGone
from lastmile_sls.local.ratelimit import TokenBucket

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

KEY_HEADER = b"x-api-key"
METRICS_PATH = "/metrics"
MAX_BODY_BYTES = 32 * 1024 * 1024
_REQUEST_ID = b"x-request-id"
_KEPT_BACK = frozenset({KEY_HEADER, b"authorization", _REQUEST_ID})
"""What the function does not see, as the caller sent it."""
_OURS = frozenset({_REQUEST_ID, b"ratelimit", b"ratelimit-policy"})
"""Answered by the gateway, whatever the function says."""


@dataclass(frozen=True)
class RouteConfig:
    """What a route lets through."""

    function: str
    auth: str
    key_digests: tuple[str, ...]
    allow_origins: tuple[str, ...]
    requests_per_s: float | None
    burst: int
    issuer: str | None = None
    """Who signs the tokens, with auth jwt."""
    audiences: tuple[str, ...] = ()


class Refused(Exception):
    """An answer of the gateway's own."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


class Busy(Refused):
    """There was no place in time, so the function was not asked."""


class Watch(Protocol):
    """What counts, and shows the counts at /metrics."""

    def refused(self, status: int) -> None:
        """Count a request that the function did not answer."""

    async def render(self, accept: str) -> tuple[str, bytes]:
        """Return the content type and the document for what a client says it accepts."""


class Gateway:
    """One route in front of its function."""

    def __init__(self, config: RouteConfig, find_pool: FindPool, watch: Watch) -> None:
        self.config = config
        self._find_pool = find_pool
        self._watch = watch
        self._verifier = TokenVerifier(config.issuer, list(config.audiences)) if config.issuer else None
        rate = config.requests_per_s
        self._bucket = TokenBucket(rate, config.burst) if rate is not None else None

    def application(self) -> App:
        """Return the ASGI application, with CORS in front where web pages may call."""
        if not self.config.allow_origins:
            return self
        from starlette.middleware.cors import CORSMiddleware

        return CORSMiddleware(
            self,
            allow_origins=self.config.allow_origins,
            allow_methods=METHODS,
            allow_headers=["*"],
            expose_headers=EXPOSED,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        headers: Headers = [(name.lower(), value) for name, value in scope["headers"]]
        request_id = _header(headers, _REQUEST_ID) or str(uuid.uuid4()).encode()
        try:
            check_path(scope["path"])
            await self._check_caller(headers)
            answer = await self._measures(scope, headers) or await self._ask(
                scope, receive, headers, request_id
            )
        except Refused as refused:
            self._watch.refused(refused.status)
            answer = refusal_answer(scope["path"], refused)
        extra: Headers = [(_REQUEST_ID, request_id), *(self._bucket.headers() if self._bucket else ())]
        await _send(send, answer, extra, head=scope["method"] == "HEAD")

    async def _check_caller(self, headers: Headers) -> None:
        if self._verifier:
            await self._check_token(self._verifier, headers)
        elif self.config.auth != "public":
            self._check_key(headers)

    async def _check_token(self, verifier: TokenVerifier, headers: Headers) -> None:
        given = (_header(headers, b"authorization") or b"").decode("latin-1")
        try:
            await asyncio.to_thread(verifier.check, given)
        except RequestError as error:
            raise Refused(error.status, error.message, error.headers) from error

    def _check_key(self, headers: Headers) -> None:
        key, authorization = _header(headers, KEY_HEADER) or b"", _header(headers, b"authorization") or b""
        given = key_of(key.decode("latin-1"), authorization.decode("latin-1"))
        if not accepts_key(given, list(self.config.key_digests)):
            raise Refused(
                HTTPStatus.UNAUTHORIZED,
                "send a valid API key in the header x-api-key (lastmile key prints it).",
                CHALLENGE,
            )

    def _check_rate(self) -> None:
        wait_s = self._bucket.take() if self._bucket else 0.0
        if wait_s:
            seconds = str(max(1, math.ceil(wait_s)))
            detail = (
                f"this endpoint takes {self.config.requests_per_s:g} requests per second; try again later."
            )
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, detail, {"retry-after": seconds})

    async def _measures(self, scope: Scope, headers: Headers) -> Answer | None:
        """Answer what a Prometheus server asks; None for any other request."""
        if scope["path"] != METRICS_PATH or scope["method"] not in ("GET", "HEAD"):
            return None
        accept = (_header(headers, b"accept") or b"").decode("latin-1")
        content_type, document = await self._watch.render(accept)
        return Answer(200, [(b"content-type", content_type.encode())], document)

    async def _ask(self, scope: Scope, receive: Receive, headers: Headers, request_id: bytes) -> Answer:
        self._check_rate()
        body = await _read_body(receive, headers)
        return await self._forward(scope, headers, request_id, body)

    async def _forward(self, scope: Scope, headers: Headers, request_id: bytes, body: bytes) -> Answer:
        target = scope.get("raw_path") or scope["path"].encode()
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        kept = [(name, value) for name, value in headers if name not in _KEPT_BACK]
        kept.append((_REQUEST_ID, request_id))
        return await forward(self._find_pool, self.config.function, scope["method"], target, kept, body)


def check_path(path: str) -> None:
    """Refuse, from outside, the paths on which a function is given the queue's messages."""
    if path.lstrip("/").startswith("_lastmile"):
        raise Refused(HTTPStatus.NOT_FOUND, f"{path} is not a path of this endpoint.")


async def forward(
    find_pool: FindPool, function: str, method: str, target: bytes, headers: Headers, body: bytes
) -> Answer:
    """Ask whichever instance of a function takes the request, and return its answer. Raises Refused without one."""
    while True:
        pool = find_pool()
        if pool is None:
            detail = f"the function {function} is not deployed."
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"retry-after": "1"})
        try:
            return await ask_function(pool, method, target, headers, body)
        except (PoolClosed, NotConnected):
            continue  # nothing was sent yet: another process can have the request


async def ask_function(pool: Pool, method: str, target: bytes, headers: Headers, body: bytes) -> Answer:
    """Ask one instance and return its answer.

    Raises PoolClosed or NotConnected when it was gone before it was asked, Refused when there is no answer.
    """
    instance = await _acquire(pool)
    timeout_s = pool.config.timeout_s
    answer = None
    try:
        async with asyncio.timeout(timeout_s):
            answer = await exchange(instance.path, method, target, headers, body)
    except NotConnected:
        await pool.set_aside(instance)
        raise
    except Unanswered:
        raise Refused(HTTPStatus.BAD_GATEWAY, await instance.explain()) from None
    except TimeoutError:
        await pool.retire(instance)
        detail = f"the function did not answer within resources.timeout_s, which is {timeout_s:g} s."
        raise Refused(HTTPStatus.GATEWAY_TIMEOUT, detail) from None
    finally:
        await pool.release(instance, answered=answer is not None)
    return answer


async def _acquire(pool: Pool) -> Instance:
    timeout_s = pool.config.timeout_s
    try:
        async with asyncio.timeout(timeout_s):
            return await pool.acquire()
    except TimeoutError:
        places = pool.config.max_instances * pool.config.concurrency
        detail = f"all {places} places were busy for {timeout_s:g} s (resources.max_instances x resources.concurrency)."
        raise Busy(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"retry-after": "1"}) from None
    except InstanceGone as gone:
        raise Refused(HTTPStatus.BAD_GATEWAY, str(gone)) from None


async def _read_body(receive: Receive, headers: Headers) -> bytes:
    too_large = Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body may have {MAX_BODY_BYTES} bytes.")
    declared = _header(headers, b"content-length")
    if declared and int(declared) > MAX_BODY_BYTES:
        raise too_large
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(HTTPStatus.BAD_REQUEST, "the client went away.")
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise too_large
        if not message.get("more_body"):
            return bytes(body)


def refusal_answer(path: str, refused: Refused) -> Answer:
    """Return the gateway's own answer, in the form that the function's would have on this path."""
    found = refusal(path, int(refused.status), refused.detail, dict(refused.headers))
    return Answer(
        found.status, [(name.encode(), value.encode()) for name, value in found.headers.items()], found.body
    )


async def _send(send: Send, answer: Answer, extra: Headers, *, head: bool) -> None:
    length = (b"content-length", str(len(answer.body)).encode())
    headers = [*(pair for pair in answer.headers if pair[0] not in _OURS), *extra, length]
    if head:  # the function's own length is the one that a GET would have
        headers.remove(length)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})


def _header(headers: Headers, name: bytes) -> bytes | None:
    return next((value for key, value in headers if key == name), None)
