"""The gateway of the embedded cloud: an ASGI application that checks a request and passes it to a function."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from lastmile_sls.local.exchange import Answer, Headers, NotConnected, exchange
from lastmile_sls.local.functions import InstanceGone, Pool

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

KEY_HEADER = b"x-api-key"
MAX_BODY_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class RouteConfig:
    """What a route lets through."""

    function: str
    auth: str
    key_digests: tuple[str, ...]
    allow_origins: tuple[str, ...]
    requests_per_s: float | None
    burst: int


class Refused(Exception):
    """An answer of the gateway's own."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


class TokenBucket:
    """A sustained rate with room for a burst."""

    def __init__(self, rate_per_s: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate_per_s
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._at = clock()

    def take(self) -> float:
        """Take a token; return 0, or the seconds until there is one."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate

    def policy(self) -> str:
        """Return the `RateLimit-Policy` header (IETF draft ratelimit-headers)."""
        window = max(1, round(self._burst / self._rate))
        return f'"default";q={self._burst};w={window}'

    def remaining(self) -> int:
        """Return how many requests may come at once now."""
        return int(self._tokens)


class Gateway:
    """One route in front of the pool of its function."""

    def __init__(self, config: RouteConfig, pool: Pool) -> None:
        self.config = config
        self.pool = pool
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
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=["x-model-version", "x-model-route", "x-request-id", "server-timing"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        headers: Headers = [(name.lower(), value) for name, value in scope["headers"]]
        request_id = _header(headers, b"x-request-id") or str(uuid.uuid4()).encode()
        try:
            self._check_key(headers)
            self._check_rate()
            body = await _read_body(receive, headers)
            answer = await self._forward(scope, headers, request_id, body)
        except Refused as refused:
            answer = _refusal(scope["path"], refused)
        extra: Headers = [(b"x-request-id", request_id)]
        if self._bucket:
            extra.append((b"ratelimit-policy", self._bucket.policy().encode()))
            extra.append((b"ratelimit", f'"default";r={self._bucket.remaining()}'.encode()))
        await _send(send, answer, extra, head=scope["method"] == "HEAD")

    def _check_key(self, headers: Headers) -> None:
        if self.config.auth == "public":
            return
        given = _header(headers, KEY_HEADER) or b""
        found = f"sha256:{hashlib.sha256(given).hexdigest()}"
        # Every digest is compared, so the time taken tells nothing about which one is near.
        matches = [hmac.compare_digest(found, known) for known in self.config.key_digests]
        if not any(matches):
            raise Refused(
                HTTPStatus.UNAUTHORIZED,
                "send a valid API key in the header x-api-key (lastmile key prints it).",
            )

    def _check_rate(self) -> None:
        wait_s = self._bucket.take() if self._bucket else 0.0
        if wait_s:
            seconds = str(max(1, round(wait_s + 0.5)))
            detail = (
                f"this endpoint takes {self.config.requests_per_s:g} requests per second; try again later."
            )
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, detail, {"retry-after": seconds})

    async def _forward(self, scope: Scope, headers: Headers, request_id: bytes, body: bytes) -> Answer:
        target = scope.get("raw_path") or scope["path"].encode()
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        dropped = (KEY_HEADER, b"x-request-id")
        kept = [(name, value) for name, value in headers if name not in dropped]
        kept.append((b"x-request-id", request_id))
        deadline = asyncio.get_running_loop().time() + self.pool.config.timeout_s
        while True:
            answer = await self._try(scope["method"], target, kept, body, deadline)
            if answer is not None:
                return answer

    async def _try(
        self, method: str, target: bytes, headers: Headers, body: bytes, deadline: float
    ) -> Answer | None:
        """Ask one instance; None when it was gone before it was asked."""
        timeout_s = self.pool.config.timeout_s
        try:
            async with asyncio.timeout_at(deadline):
                instance = await self.pool.acquire()
        except TimeoutError:
            most = self.pool.config.max_instances * self.pool.config.concurrency
            detail = (
                f"all {most} places were busy for {timeout_s:g} s (resources.max_instances x concurrency)."
            )
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"retry-after": "1"}) from None
        except InstanceGone as gone:
            raise Refused(HTTPStatus.BAD_GATEWAY, str(gone)) from None
        answer = None
        try:
            async with asyncio.timeout_at(deadline):
                answer = await exchange(instance, method, target, headers, body)
        except NotConnected:
            await self.pool.retire(instance)
            return None
        except InstanceGone as gone:
            raise Refused(HTTPStatus.BAD_GATEWAY, str(gone)) from None
        except TimeoutError:
            await self.pool.retire(instance)
            detail = f"the function did not answer within resources.timeout_s, which is {timeout_s:g} s."
            raise Refused(HTTPStatus.GATEWAY_TIMEOUT, detail) from None
        finally:
            await self.pool.release(instance, answered=answer is not None)
        return answer


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


def _refusal(path: str, refused: Refused) -> Answer:
    """Return the gateway's own answer: `{"error"}` on the Open Inference Protocol's paths, else problem details."""
    title = HTTPStatus(refused.status).phrase
    if path == "/v2" or path.startswith("/v2/"):
        content_type, document = "application/json", {"error": refused.detail}
    else:
        content_type = "application/problem+json"
        document = {
            "type": "about:blank",
            "title": title,
            "status": int(refused.status),
            "detail": refused.detail,
        }  # type: ignore[dict-item]  # JSON
    headers = {"content-type": content_type, **refused.headers}
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Answer(int(refused.status), pairs, json.dumps(document).encode())


async def _send(send: Send, answer: Answer, extra: Headers, *, head: bool) -> None:
    length = (b"content-length", str(len(answer.body)).encode())
    headers = [*answer.headers, *extra, length]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})


def _header(headers: Headers, name: bytes) -> bytes | None:
    return next((value for key, value in headers if key == name), None)
