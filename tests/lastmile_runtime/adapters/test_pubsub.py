"""Pub/Sub's pushes: whose are taken, and what their answers tell Pub/Sub."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lastmile_runtime.adapters.pubsub import ISSUER, Pushes
from lastmile_runtime.http import Request, Response
from tests.lastmile_runtime.adapters.pushes import ACCOUNT, AUDIENCE, provider, token

ENVIRON = {
    "LASTMILE_PUSH_AUDIENCE": AUDIENCE,
    "LASTMILE_PUSH_ACCOUNT": ACCOUNT,
    "LASTMILE_QUEUE_ATTEMPTS": "5",
}
JOB = b'{"kind": "job"}'


class Working:
    """An application that notes its messages, and fails as it is told."""

    def __init__(self, error: Exception | None = None, answer: Response | None = None) -> None:
        self.error = error
        self.answer = answer
        self.taken: list[tuple[bytes, int, bool]] = []

    def work(self, message: bytes, *, attempt: int, last: bool) -> Response | None:
        self.taken.append((message, attempt, last))
        if self.error:
            raise self.error
        return self.answer


def nothing_more() -> None:
    raise AssertionError("it is the server's to call")


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider() as url:
        yield url


def push(application: Any, issuer: str, document: Any, authorization: str | None = None) -> Response:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    headers = {"authorization": token(issuer) if authorization is None else authorization}
    return Pushes(application, ENVIRON, issuer).take(Request("POST", "/_lastmile/queue", headers, body))


def envelope(message: bytes = JOB, **members: Any) -> dict[str, Any]:
    return {
        "message": {"data": base64.b64encode(message).decode(), "messageId": "1"},
        "subscription": "s",
        **members,
    }


@pytest.mark.parametrize(
    ("members", "taken"),
    [({}, (1, False)), ({"deliveryAttempt": 4}, (4, False)), ({"deliveryAttempt": 5}, (5, True))],
)
def test_a_push_is_worked_on_and_acknowledged(
    issuer: str, members: dict[str, Any], taken: tuple[int, bool]
) -> None:
    answer = Response(200, {}, b"", {"job": "7", "job_status": 200})
    answer.afterwards = nothing_more
    working = Working(answer=answer)
    response = push(working, issuer, envelope(**members))
    assert (response.status, response.body, response.afterwards) == (204, b"", nothing_more)
    assert response.facts == {"faas.trigger": "pubsub", "attempt": taken[0], "job_status": 200, "job": "7"}
    assert working.taken == [(JOB, *taken)]


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%S.%f123Z"])
def test_how_long_a_message_waited_is_told(issuer: str, form: str) -> None:
    pushed = envelope()
    pushed["message"]["publishTime"] = (datetime.now(UTC) - timedelta(seconds=90)).strftime(form)
    response = push(Working(), issuer, pushed)
    assert response.facts["queue_age_s"] == pytest.approx(90, abs=2)
    pushed["message"]["publishTime"] = (datetime.now(UTC) + timedelta(seconds=90)).strftime(form)
    assert push(Working(), issuer, pushed).facts["queue_age_s"] == 0


def test_what_was_not_done_is_sent_again(issuer: str) -> None:
    response = push(Working(RuntimeError("the model failed")), issuer, envelope())
    assert (response.status, json.loads(response.body)) == (503, {"error": "the model failed"})
    assert response.facts == {"faas.trigger": "pubsub", "attempt": 1, "error": "the model failed"}


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"nonsense", "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
        ({}, "KeyError: 'message'"),
        ({"message": {"data": "*"}}, "Error: Only base64 data is allowed"),
        ([1], "TypeError: list indices must be integers or slices, not str"),
    ],
)
def test_what_is_no_push_is_not_worked_on(issuer: str, document: Any, why: str) -> None:
    working = Working()
    response = push(working, issuer, document)
    assert (response.status, json.loads(response.body)) == (400, {"error": f"the body is not a push: {why}"})
    assert working.taken == []


@pytest.mark.parametrize(
    ("changed", "status", "message"),
    [
        ({"aud": "https://other.example"}, 401, "the token is not valid: Audience doesn't match."),
        ({"exp": 1}, 401, "the token is not valid: Signature has expired."),
        ({"iss": ISSUER}, 401, "the token is not valid: Invalid issuer."),
        ({"email": "x@y"}, 403, f"the push is of 'x@y', but must be of '{ACCOUNT}'."),
        ({"email_verified": False}, 403, f"the push is of '{ACCOUNT}', but must be of '{ACCOUNT}'."),
    ],
)
def test_a_push_of_somebody_else_is_not_worked_on(
    issuer: str, changed: dict[str, Any], status: int, message: str
) -> None:
    working = Working()
    response = push(working, issuer, envelope(), token(issuer, **changed))
    assert (response.status, json.loads(response.body)) == (status, {"error": message})
    assert working.taken == []


def test_a_push_without_a_token_is_not_worked_on(issuer: str) -> None:
    working = Working()
    response = push(working, issuer, envelope(), "")
    assert (response.status, response.headers["www-authenticate"]) == (401, "Bearer")
    assert working.taken == []


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 204),
        ({"email": "somebody@p.iam.gserviceaccount.com"}, 403),
        ({"email_verified": False}, 403),
        ({"aud": "https://other.example"}, 401),
    ],
    ids=["its own", "somebody else's", "not verified", "for somebody else"],
)
def test_a_token_that_cloud_run_has_checked_comes_without_its_signature(
    changed: dict[str, Any], status: int
) -> None:
    unsigned = f"{token(ISSUER, **changed).rpartition('.')[0]}.SIGNATURE_REMOVED_BY_GOOGLE"
    body = json.dumps(envelope()).encode()
    request = Request("POST", "/_lastmile/queue", {"authorization": unsigned}, body)
    checked = Working()
    assert Pushes(checked, {**ENVIRON, "LASTMILE_PUSH_CHECKED": "1"}).take(request).status == status  # type: ignore[arg-type]  # works as one
    assert len(checked.taken) == (status == 204)


def test_what_is_no_token_is_refused_even_where_tokens_were_checked() -> None:
    request = Request("POST", "/_lastmile/queue", {"authorization": "Bearer x"}, b"{}")
    answer = Pushes(Working(), {**ENVIRON, "LASTMILE_PUSH_CHECKED": "1"}).take(request)  # type: ignore[arg-type]  # works as one
    assert (answer.status, json.loads(answer.body)) == (401, {"error": "the push has no token."})
