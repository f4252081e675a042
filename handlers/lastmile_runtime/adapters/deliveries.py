"""Messages of the queue that come as requests: from the embedded cloud's host, which alone reaches the socket."""

from __future__ import annotations

from lastmile_runtime.http import Request, Response, json_response

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.application import Application

PATH = "/_lastmile/queue"


def deliver(application: Application, request: Request) -> Response:
    """Do what a message says: 204 when it is done, 503 when it is not, so that it is delivered again or set aside."""
    attempt = request.headers.get("x-lastmile-attempt", "1")
    last = request.headers.get("x-lastmile-last") == "1"
    return do_message(application, request.body, int(attempt) if attempt.isdigit() else 1, last=last)


def do_message(application: Application, message: bytes, attempt: int, *, last: bool) -> Response:
    """Do what a message says and answer whoever delivered it, as `deliver` does."""
    facts: dict[str, Any] = {"faas.trigger": "pubsub", "attempt": attempt}
    try:
        answer = application.work(message, attempt=attempt, last=last)
    except Exception as error:  # noqa: BLE001 - whatever it was, the queue decides what comes next
        return json_response({"error": str(error)}, 503, None, {**facts, "error": str(error)})
    response = Response(204, {}, b"", facts)
    if answer:
        response.facts = {**facts, "job_status": answer.status, **answer.facts}
        response.afterwards = answer.afterwards
    return response
