"""Requests that are answered later (RFC 7240, respond-async): accepted once, done at least once, answered once.

In the store, each job has a record, `<id>.json`, and once it is done a result, `<id>.result.json`, which the first
worker to finish writes and no other can. The queue carries the id alone, so a body may be as large as a request's.
A caller who named a callback is told of the result by a message of its own, so that the queue tries that again without
doing the job again; `<id>.callback.json` says which result was told.
A result that says that the job failed for good stands until the queue delivers the job anew, because somebody had
what was set aside delivered once more; then a worker may replace the failure that it found when it began.
"""

from __future__ import annotations

import os
import time
from base64 import b64decode, b64encode

from lastmile_runtime import jsons
from lastmile_runtime.errors import RequestError
from lastmile_runtime.hashing import sha256
from lastmile_runtime.http import AcceptedRequest, Request, Response, json_response, refusal
from lastmile_runtime.stores import Conflict, NotFound, StoreError

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lastmile_runtime.callbacks import Callbacks
    from lastmile_runtime.queues import Queue
    from lastmile_runtime.service import Service
    from lastmile_runtime.stores import Store

_DEADLINE_S = 5.0
_IN_FLIGHT_S = 10.0
"""A request that was accepted but not queued for longer than this was given up, so its repetition queues it."""
_POLL_AFTER_S = 1
_LONGEST_KEY = 255
_CALLBACK = "callback-url"
_DROPPED = frozenset(
    {"authorization", "x-api-key", "prefer", "idempotency-key", "connection", "expect", _CALLBACK}
)
"""Headers that are not kept: secrets, and what was about the first request alone."""


class Jobs:
    """The jobs of a deployment."""

    def __init__(
        self,
        store: Store,
        queue: Queue,
        clock: Callable[[], float] = time.time,
        callbacks: Callbacks | None = None,
    ) -> None:
        """Keep jobs in a store; without callbacks nobody is told of them."""
        self._store = store
        self._queue = queue
        self._clock = clock
        self._callbacks = callbacks

    def accept(self, request: Request) -> Response:
        """Keep a request and queue it; answer 202 with where its answer will be.

        A repetition with the same Idempotency-Key and payload gets the same answer and makes no second job.
        Raises RequestError: 400 for the key or the callback, 409 while the first is in flight, 422 for a key that was
        used with another payload, 503 when the store or the queue does not take it.
        """
        key = request.headers.get("idempotency-key")
        if key is not None and not 0 < len(key) <= _LONGEST_KEY:
            raise RequestError(
                400, f"idempotency-key has {len(key)} characters, but may have 1 to {_LONGEST_KEY}."
            )
        callback = request.headers.get(_CALLBACK)
        if callback is not None:
            self._check(callback)
        id_ = os.urandom(16).hex() if key is None else _digest(f"{key}\0{request.path}".encode())[:32]
        record: dict[str, Any] = {
            "fingerprint": _fingerprint(request),
            "accepted_at": self._clock(),
            "queued": False,
            "request": _to_json(request),
        }
        if callback is not None:
            record["callback"] = callback
        try:
            etag = self._store.put(f"{id_}.json", _render(record), if_absent=True)
        except Conflict:
            record, etag = self._repeated(id_, record["fingerprint"])
        except StoreError as error:
            raise _unavailable(f"the job could not be kept: {error}") from error
        if not record["queued"]:
            self._send(id_)
            if key is not None:
                self._note_queued(id_, record, etag)
        headers = {"location": f"/jobs/{id_}", "preference-applied": "respond-async"}
        return _pending(id_, "queued", headers)

    def answer(self, service: Service, request: Request) -> Response:
        """Answer `GET /jobs/{id}`: 202 while it is not done, then the answer itself. Raises RequestError (404, 405, 503)."""
        id_ = request.path.removeprefix("/jobs/")
        if request.method not in ("GET", "HEAD"):
            raise RequestError(
                405, f"{request.path} takes GET, not {request.method}.", {"allow": "GET, HEAD"}
            )
        if not (len(id_) == 32 and id_.isalnum()):
            raise RequestError(404, f"there is no job {id_!r}.")
        try:
            result = self._read(f"{id_}.result.json")[0]
            if result is not None:
                headers = {**result["headers"], "x-job-attempts": str(result["attempts"])}
                return Response(result["status"], headers, b64decode(result["body"]), {"job": id_})
            if self._read(f"{id_}.json")[0] is None:
                raise RequestError(404, f"there is no job {id_!r}.")
        except StoreError as error:
            raise _unavailable(f"the job could not be read: {error}") from error
        return _pending(id_, "running", {})

    def run(
        self, message: dict[str, Any], handle: Callable[[Request], Response], *, last: bool, attempt: int
    ) -> Response | None:
        """Do the job that a message names; return its answer, None when another worker had done it before.

        Raises RuntimeError when the model failed, so that the message is delivered again, or set aside; after the last
        attempt the failure is the job's answer. Raises StoreError as well.
        """
        id_ = str(message["id"])
        record, (earlier, etag) = self._read(f"{id_}.json")[0], self._read(f"{id_}.result.json")
        if record is None:
            return None
        if earlier and not earlier["failed"]:
            self._announce(id_, record, earlier)  # whoever finished it may have been killed before that
            return None
        response = handle(_from_json(record["request"]))
        failed = response.status >= 500
        if not failed or last:
            result = self._finish(id_, response, attempt, etag, failed=failed)
            if result is None:
                return None
            self._announce(id_, record, result)
        if failed:
            raise RuntimeError(f"job {id_} was answered with {response.status}.")
        response.facts.update(job=id_, job_status=response.status)
        return response

    def call_back(self, message: dict[str, Any]) -> Response | None:
        """Tell whoever waits for the job that a message names of its result; None when that is done, or nobody does.

        Raises OSError when the receiver does not take it, so that the message is delivered again; StoreError as well.
        """
        id_ = str(message["id"])
        record, result = (self._read(f"{id_}{kind}.json")[0] for kind in ("", ".result"))
        if record is None or result is None or "callback" not in record:
            return None
        told, etag = self._read(f"{id_}.callback.json")
        if told and told["result"] == result["finished_at"]:
            return None
        if self._callbacks is None:
            raise OSError(f"job {id_} has a callback, but LASTMILE_CALLBACK is not set any more.")
        from lastmile_runtime.callbacks import payload_of

        # A failure may have been told before the job was done after all; that is news, under an id of its own.
        number = told["number"] + 1 if told else 1
        name = id_ if number == 1 else f"{id_}-{number}"
        status = self._callbacks.tell(record["callback"], name, payload_of(id_, result))
        noted = {"result": result["finished_at"], "number": number, "status": status}
        self._note_told(id_, noted, etag)
        return Response(204, {}, b"", {"job": id_, "callback_status": status})

    def fail(self, id_: str, message: str, attempt: int) -> None:
        """Answer a job that was given up, 500; do nothing for one that has an answer. Raises StoreError."""
        record = self._read(f"{id_}.json")[0]
        if record is None:
            return
        result = self._read(f"{id_}.result.json")[0]
        if result is None:
            refused = refusal(record["request"]["path"], 500, message)
            result = self._finish(id_, refused, attempt, None, failed=True)
        if result is not None:
            self._announce(id_, record, result)

    def _announce(self, id_: str, record: dict[str, Any], result: dict[str, Any]) -> None:
        """Have whoever waits for a job told of its result, unless that is done. Raises OSError or StoreError."""
        if "callback" not in record:
            return
        told = self._read(f"{id_}.callback.json")[0]
        if not told or told["result"] != result["finished_at"]:
            self._queue.send(_render({"kind": "callback", "id": id_}), _DEADLINE_S)

    def _note_told(self, id_: str, noted: dict[str, Any], etag: str | None) -> None:
        """Let a repetition know that there is nothing to tell."""
        try:
            self._store.put(f"{id_}.callback.json", _render(noted), if_absent=etag is None, if_match=etag)
        except StoreError:
            return  # at worst it is told once more, under the same id

    def _check(self, callback: str) -> None:
        if self._callbacks is None:
            raise RequestError(
                400,
                f"{_CALLBACK} is not taken: this endpoint calls nobody back (queue.callback in its spec).",
            )
        self._callbacks.check(callback)

    def _finish(
        self, id_: str, response: Response, attempt: int, etag: str | None, *, failed: bool
    ) -> dict[str, Any] | None:
        """Keep a job's answer in place of the one that was there when it began; None when another one came first."""
        result: dict[str, Any] = {
            "status": response.status,
            "headers": response.headers,
            "body": b64encode(response.body).decode(),
            "attempts": attempt,
            "failed": failed,
            "finished_at": self._clock(),
        }
        try:
            self._store.put(f"{id_}.result.json", _render(result), if_absent=etag is None, if_match=etag)
        except Conflict:
            return None
        return result

    def _repeated(self, id_: str, fingerprint: str) -> tuple[dict[str, Any], str]:
        """Return the record that a repetition meets. Raises RequestError."""
        try:
            record, etag = self._read(f"{id_}.json")
        except StoreError as error:
            raise _unavailable(f"the job could not be read: {error}") from error
        if record is None or etag is None:  # the first one was refused just now
            raise _unavailable("the first request with this idempotency-key was refused; try again.")
        if record["fingerprint"] != fingerprint:
            raise RequestError(422, "idempotency-key was used before with another payload; use a new key.")
        if not record["queued"] and self._clock() - record["accepted_at"] < _IN_FLIGHT_S:
            message = "the first request with this idempotency-key is still in flight; try again."
            raise RequestError(409, message, {"retry-after": str(_POLL_AFTER_S)})
        return record, etag

    def _send(self, id_: str) -> None:
        try:
            self._queue.send(_render({"kind": "job", "id": id_}), _DEADLINE_S)
        except OSError as error:
            self._forget(id_)
            raise _unavailable(f"the job could not be queued: {error}") from error

    def _note_queued(self, id_: str, record: dict[str, Any], etag: str) -> None:
        """Let a repetition know that there is nothing to queue."""
        try:
            self._store.put(f"{id_}.json", _render({**record, "queued": True}), if_match=etag)
        except StoreError:
            return  # a repetition queues it once more, and still one result is kept

    def _forget(self, id_: str) -> None:
        """Leave no record of a job that was refused, so that its key can be used again."""
        try:
            self._store.delete(f"{id_}.json")
        except StoreError:
            return

    def _read(self, name: str) -> tuple[dict[str, Any] | None, str | None]:
        """Return a document and its etag, None for both when there is none."""
        try:
            found = self._store.get(name, deadline_s=_DEADLINE_S)
        except NotFound:
            return None, None
        assert found is not None
        return jsons.loads(found.content), found.etag


def _pending(id_: str, status: str, headers: dict[str, str]) -> Response:
    headers = {"retry-after": str(_POLL_AFTER_S), **headers}
    return json_response({"id": id_, "status": status}, 202, headers, {"job": id_})


def _unavailable(message: str) -> RequestError:
    return RequestError(503, message, {"retry-after": str(_POLL_AFTER_S)})


def _fingerprint(request: Request) -> str:
    parts = [request.method, request.path, request.query, request.headers.get("content-type", "")]
    if _CALLBACK in request.headers:
        parts.append(request.headers[_CALLBACK])
    return _digest("\0".join(parts).encode() + b"\0" + request.body)


def _digest(content: bytes) -> str:
    hasher = sha256(len(content))
    hasher.update(content)
    found: str = hasher.hexdigest()
    return found


def _to_json(request: Request) -> dict[str, Any]:
    kept = {name: value for name, value in request.headers.items() if name not in _DROPPED}
    body = b64encode(request.body).decode()
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": kept,
        "body": body,
    }


def _from_json(document: dict[str, Any]) -> Request:
    body = b64decode(document["body"])
    return AcceptedRequest(document["method"], document["path"], document["headers"], body, document["query"])


def _render(document: dict[str, Any]) -> bytes:
    return jsons.dumps(document).encode()
