"""Callbacks: who may be told, and what they are told, which the specification's own library verifies."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from lastmile_runtime.callbacks import Callbacks, open_callbacks, payload_of
from lastmile_runtime.errors import BundleError, RequestError
from lastmile_runtime.http import Request, Response
from tests.lastmile_runtime.bundles import DOUBLER
from tests.lastmile_runtime.fronts import Front, front
from tests.lastmile_runtime.test_jobs import MENDED, World, document, id_of

KEY = bytes(range(32))
SECRET = f"whsec_{b64encode(KEY).decode()}"


class Receiver:
    """Answers with one status after the other, the last one for good."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)

    def __call__(self, request: Request) -> Response:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return Response(status, {"location": "/elsewhere"} if status == 302 else {}, b"")


@contextmanager
def world(folder: Path, *statuses: int, source: str = DOUBLER) -> Iterator[tuple[World, Front]]:
    """Run a receiver, and jobs that may tell it."""
    with front(Receiver(*statuses)) as server:
        callbacks = Callbacks([f"{server.url}/hooks"], KEY)
        yield World(folder, source, callbacks), server


def verified(request: Request) -> Any:
    """Return what a receiver is told, as its own library reads it."""
    return Webhook(SECRET).verify(request.body, request.headers)


def deliver_all(world: World, attempt: int = 1) -> list[int]:
    """Deliver what was sent to the queue until nothing is left; return how each message ended."""
    statuses = []
    while world.queue.messages:
        statuses.append(world.deliver(attempt, message=world.queue.messages.pop(0)).status)
    return statuses


def test_whoever_waits_is_told_of_the_answer_once(tmp_path: Path) -> None:
    with world(tmp_path, 204) as (jobs, server):
        accepted = jobs.accept(callback_url=f"{server.url}/hooks/a?b=c")
        id_ = id_of(accepted)
        message = jobs.queue.messages.pop(0)
        assert jobs.deliver(message=message).status == 204
        assert json.loads(jobs.queue.messages[0]) == {"kind": "callback", "id": id_}
        told = jobs.deliver(message=jobs.queue.messages.pop(0))
        assert (told.status, told.facts["job"], told.facts["callback_status"]) == (204, id_, 204)
        # What is delivered once more tells nobody once more.
        for again in (message, json.dumps({"kind": "callback", "id": id_}).encode()):
            assert jobs.deliver(2, message=again).status == 204
        assert jobs.queue.messages == []
    (request,) = server.asked
    assert (request.method, request.path, request.query) == ("POST", "/hooks/a", "b=c")
    assert request.headers["webhook-id"] == id_
    assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 60
    assert verified(request) == {
        "type": "job.succeeded",
        "timestamp": "1970-01-01T00:16:40Z",
        "data": {
            "id": id_,
            "status": 200,
            "location": f"/jobs/{id_}",
            "result": document(jobs.get(accepted)),
        },
    }
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body + b" ", request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 32).verify(request.body, request.headers)


def test_the_url_is_kept_with_the_job_and_not_given_to_the_model(tmp_path: Path) -> None:
    with world(tmp_path, 204) as (jobs, server):
        jobs.accept(callback_url=f"{server.url}/hooks")
        (record,) = (json.loads((tmp_path / "jobs" / name).read_text()) for name in jobs.files())
        assert (record["callback"], record["request"]["headers"]) == (f"{server.url}/hooks", {})
        first = jobs.accept(idempotency_key="k", callback_url=f"{server.url}/hooks")
        again = jobs.accept(idempotency_key="k", callback_url=f"{server.url}/hooks/other")
        assert (first.status, again.status) == (202, 422)


def test_a_receiver_that_fails_is_told_again_and_the_result_is_there_all_the_same(tmp_path: Path) -> None:
    with world(tmp_path, 500, 302, 200) as (jobs, server):
        accepted = jobs.accept(callback_url=f"{server.url}/hooks")
        jobs.deliver(message=jobs.queue.messages.pop(0))
        message = jobs.queue.messages.pop(0)
        answers = [jobs.deliver(attempt, message=message) for attempt in (1, 2, 3, 4)]
        assert [answer.status for answer in answers] == [503, 503, 204, 204]
        told = f"the callback to {server.place} was answered with"
        assert [document(answer)["error"] for answer in answers[:2]] == [f"{told} 500", f"{told} 302"]
        assert jobs.get(accepted).status == 200
    assert [request.path for request in server.asked] == ["/hooks"] * 3
    assert {request.headers["webhook-id"] for request in server.asked} == {id_of(accepted)}
    assert all(verified(request) for request in server.asked)


def test_a_receiver_that_wants_no_more_is_not_told_again(tmp_path: Path) -> None:
    with world(tmp_path, 410) as (jobs, server):
        jobs.accept(callback_url=f"{server.url}/hooks")
        assert deliver_all(jobs) == [204, 204]
        assert len(server.asked) == 1


def test_a_failure_is_told_and_so_is_the_success_after_it(tmp_path: Path) -> None:
    with world(tmp_path, 200, source=MENDED) as (jobs, server):
        accepted = jobs.accept(callback_url=f"{server.url}/hooks")
        message = jobs.queue.messages.pop(0)
        jobs.deliver(1, message=message)
        assert jobs.queue.messages == []  # it will be tried again
        jobs.deliver(2, last=True, message=message)
        jobs.jobs.fail(id_of(accepted), "given up", 2)
        assert deliver_all(jobs) == [204, 204]
        jobs.mend()
        jobs.now += 60
        jobs.deliver(1, message=message)  # redriven
        assert deliver_all(jobs) == [204]
    failed, done = server.asked
    assert [verified(request)["type"] for request in server.asked] == ["job.failed", "job.succeeded"]
    assert verified(failed)["data"]["result"] == {
        "error": "version 'v1' failed on this request: ZeroDivisionError: broken"
    }
    assert (failed.headers["webhook-id"], done.headers["webhook-id"]) == (
        id_of(accepted),
        f"{id_of(accepted)}-2",
    )


def test_a_job_that_was_given_up_is_told(tmp_path: Path) -> None:
    with world(tmp_path, 200) as (jobs, server):
        accepted = jobs.accept(callback_url=f"{server.url}/hooks")
        jobs.queue.messages.clear()
        jobs.jobs.fail(id_of(accepted), "given up", 3)
        assert deliver_all(jobs) == [204]
    assert verified(server.asked[0])["data"]["result"] == {"error": "given up"}


def test_a_worker_that_was_killed_before_it_sent_the_message_has_it_sent_by_the_next(tmp_path: Path) -> None:
    with world(tmp_path, 200) as (jobs, server):
        jobs.accept(callback_url=f"{server.url}/hooks")
        message = jobs.queue.messages.pop(0)
        jobs.queue.down = "the queue is down."
        assert jobs.deliver(message=message).status == 503
        jobs.queue.down = ""
        assert jobs.deliver(2, message=message).status == 204
        assert deliver_all(jobs) == [204]
        assert len(server.asked) == 1


def test_without_callbacks_no_job_may_have_one(tmp_path: Path) -> None:
    jobs = World(tmp_path)
    refused = jobs.accept(callback_url="https://a.example/")
    assert (refused.status, document(refused)) == (
        400,
        {"error": "callback-url is not taken: this endpoint calls nobody back (queue.callback in its spec)."},
    )
    assert (jobs.files(), jobs.queue.messages) == ([], [])


def test_an_answer_that_is_no_short_json_is_to_be_fetched() -> None:
    def result(body: bytes, kind: str) -> dict[str, Any]:
        return {
            "status": 200,
            "headers": {"content-type": kind},
            "body": b64encode(body).decode(),
            "finished_at": 1_800_000_000.5,
        }

    for body, kind in ((b"x" * 20_000, "application/json"), (b"\0", "application/octet-stream")):
        payload = payload_of("1", result(body, kind))
        assert payload["data"] == {"id": "1", "status": 200, "location": "/jobs/1"}
        assert payload["timestamp"] == "2027-01-15T08:00:00Z"
    assert payload_of("1", result(b"{}", "application/problem+json; a=b"))["data"]["result"] == {}


ADMITTED = [
    "https://a.example",
    "https://b.example:8443/hooks/",
    "https://c.example/in?token=",
    "http://localhost:80",
]


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example",
        "https://A.EXAMPLE:443/any/path?q=1",
        "https://a.example?q=1",
        "https://b.example:8443/hooks/x",
        "https://c.example/in?token=5",
        "http://localhost/x",
    ],
)
def test_a_url_below_one_of_ours_may_be_told(url: str) -> None:
    Callbacks(ADMITTED, KEY).check(url)


BELOW = "must begin with one of " + ", ".join(ADMITTED)
HTTPS = "must begin with https:// and a host, with no user in it"
DOTS = "must not have . or .. in its path, nor %2e, %2f or %5c"
ASCII = "must be a URL of at most 2048 ASCII characters"


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("https://a.example.evil", BELOW),
        ("https://a.example:444/", BELOW),
        ("http://a.example/", BELOW),
        ("https://xa.example/", BELOW),
        ("https://a.example.", BELOW),
        ("https://b.example:8443/hooksx", BELOW),
        ("https://b.example:8443/hooks", BELOW),
        ("https://b.example/hooks/x", BELOW),
        ("https://c.example/inside", BELOW),
        ("https://a.example@evil", HTTPS),
        ("https://a.example:443@evil/", HTTPS),
        ("https://evil?@a.example", BELOW),
        ("https:a.example", HTTPS),
        ("//a.example", HTTPS),
        ("ftp://a.example", HTTPS),
        ("", HTTPS),
        ("https://b.example:8443/hooks/../admin", DOTS),
        ("https://b.example:8443/hooks/%2E%2e/admin", DOTS),
        ("https://b.example:8443/hooks/..%2fadmin", DOTS),
        ("https://a.example\\@evil", ASCII),
        ("https://a.example/\r\nx: y", ASCII),
        ("https://a.example/ü", ASCII),
        ("https://a.example/" + "x" * 2048, ASCII),
        ("https://a.example/#x", "must not have a #"),
    ],
)
def test_no_other_url_may_be_told(url: str, rule: str) -> None:
    with pytest.raises(RequestError) as refused:
        Callbacks(ADMITTED, KEY).check(url)
    assert (refused.value.status, refused.value.message) == (400, f"callback-url {rule}.")


def test_nobody_there_and_nobody_who_answers_is_told_without_the_path() -> None:
    with front(lambda _: Response(200, {}, b"")) as server:
        url = f"{server.url}/hooks?token=s3cret"
    with pytest.raises(OSError, match="was not taken") as failed:
        Callbacks([server.url], KEY).tell(url, "1", {})
    assert str(failed.value).startswith(f"the callback to {server.place} was not taken: ")
    assert "s3cret" not in str(failed.value)

    def late(_: Request) -> Response:
        time.sleep(0.3)
        return Response(200, {}, b"")

    with front(late) as server, pytest.raises(OSError, match=r"no answer in time|timed out"):
        Callbacks([server.url], KEY, deadline_s=0.05).tell(f"{server.url}/", "1", {})


def test_the_secret_is_the_variable_s_and_is_never_shown() -> None:
    described = {"urls": ["https://a.example"], "secret": "HOOK"}
    open_callbacks(described, {"HOOK": SECRET})
    rule = "HOOK, the secret of callbacks, must be whsec_ and the base64 of 24 to 64 bytes."
    unset = "HOOK is not set, but LASTMILE_CALLBACK names it as the secret of callbacks."
    short = f"whsec_{b64encode(KEY[:23]).decode()}"
    for value, told in (
        ("", unset),
        (short, rule),
        (SECRET[6:], rule),
        ("whsec_!", rule),
        (SECRET[:-1], rule),
    ):
        with pytest.raises(BundleError) as refused:
            open_callbacks(described, {"HOOK": value})
        assert str(refused.value) == told


@pytest.mark.parametrize(
    "document", [{}, [], None, {"urls": [], "secret": "HOOK"}, {"urls": ["x"], "secret": "HOOK"}]
)
def test_what_describes_no_callbacks_is_refused(document: Any) -> None:
    with pytest.raises(BundleError, match=r"\ALASTMILE_CALLBACK cannot be used: "):
        open_callbacks(document, {"HOOK": SECRET})
