"""A function on Cloud Run is asked with a token for its own URL, which is kept while it is good."""

from __future__ import annotations

from typing import Any

import pytest

from lastmile_runtime.http import Response
from tests.lastmile_runtime.calls.functions import malformed, opened, refusal
from tests.lastmile_runtime.calls.tokens import metadata, token
from tests.lastmile_runtime.fronts import Front, front


def ok(_: object) -> Response:
    return Response(200, {}, b"answer")


def function(server: Front, platform: Front) -> Any:
    return opened(f"run+{server.url}", {"GCE_METADATA_HOST": platform.place})


@pytest.mark.parametrize(("expires_in_s", "times"), [(3600, 1), (60, 2)])
def test_a_token_is_sent_and_asked_for_again_before_it_expires(expires_in_s: float, times: int) -> None:
    with metadata(expires_in_s) as platform, front(ok) as server:
        asked = function(server, platform)
        answers = [asked.ask("POST", "/a", {"x-some": "thing"}, b"body") for _ in range(2)]
    assert [(answer.status, answer.body) for answer in answers] == [(200, b"answer")] * 2
    audience = server.url.replace(":", "%3A")
    assert [request.query for request in platform.asked] == [f"audience={audience}"] * times
    sent = server.asked[0]
    assert (sent.path, sent.headers["x-some"], sent.body) == ("/a", "thing", b"body")
    assert sent.headers["authorization"].split(".")[1] == token(server.url, expires_in_s).split(".")[1]
    assert server.connections == 1


def test_what_proves_who_the_caller_is_stays_here() -> None:
    personal = {"authorization": "Bearer users", "X-Serverless-Authorization": "users", "x-api-key": "users"}
    with metadata() as platform, front(ok) as server:
        function(server, platform).ask("GET", "/", personal)
    sent = server.asked[0].headers
    assert "users" not in str(sent)
    assert sent["authorization"].startswith("Bearer ey")


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (404, b"no such account", "gives this function no credentials: it answered 404"),
        (200, b"s3cr3t", "answered with what is no identity token"),
        (200, b"a.b.c", "answered with what is no identity token"),
        (200, b"a.e30.c", "answered with what is no identity token"),
        (200, b"\xff", "answered with what is no identity token"),
    ],
)
def test_a_token_that_cannot_be_had(status: int, body: bytes, message: str) -> None:
    with front(lambda _: Response(status, {}, body)) as platform, front(ok) as server:
        with pytest.raises(OSError, match="answered") as failed:
            function(server, platform).ask("GET", "/")
        assert str(failed.value) == f"{platform.place} {message}"
    assert server.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "run+https://",
        "run+https://host/path",
        "run+https://user@host",
        "run+http://host",
        "run+https://h?x",
        "run+https:host",
    ],
)
def test_what_is_no_function_of_cloud_run(url: str) -> None:
    assert refusal(url, {}) == malformed(url)


def test_where_a_function_lies() -> None:
    asked = opened("run+https://churn-predict-v2-x7.a.run.app", {}, 27.0)
    address = asked._client.address
    assert (address.name, address.port, address.tls) == ("churn-predict-v2-x7.a.run.app", 443, True)
    assert asked.deadline_s == 27.0
