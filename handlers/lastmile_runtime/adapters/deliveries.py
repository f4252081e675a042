"""Messages of the queue that come as requests: from the embedded cloud's host, which alone reaches the socket."""

from __future__ import annotations

import time

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
    try:
        sent_at = float(request.headers["x-lastmile-sent-at"])
    except (LookupError, ValueError):
        sent_at = None
    return do_message(
        application, request.body, int(attempt) if attempt.isdigit() else 1, last=last, sent_at=sent_at
    )


def do_message(
    application: Application, message: bytes, attempt: int, *, last: bool, sent_at: float | None = None
) -> Response:
    """Do what a message says and answer whoever delivered it, as `deliver` does.

    Args:
        application: Does it.
        message: The message's body.
        attempt: How often it was delivered, this time included.
        last: Whether it is set aside if this fails.
        sent_at: When it was sent, seconds since 1970.
    """
    facts: dict[str, Any] = {"faas.trigger": "pubsub", "attempt": attempt}
    if sent_at is not None:
        facts["queue_age_s"] = age_s(sent_at)
    try:
        answer = application.work(message, attempt=attempt, last=last)
    except Exception as error:  # noqa: BLE001 - whatever it was, the queue decides what comes next
        return json_response({"error": str(error)}, 503, None, {**facts, "error": str(error)})
    response = Response(204, {}, b"", facts)
    if answer:
        response.facts = {**facts, **answer.facts}
        response.afterwards = answer.afterwards
    return response


def age_s(sent_at: float) -> float:
    """Return how long ago something was sent, seconds; 0 where another machine's clock is ahead of ours."""
    return max(0.0, round(time.time() - sent_at, 3))
