"""A function on Azure is asked with the key that the deployment's functions share."""

from __future__ import annotations

from typing import Any

import pytest

from lastmile_runtime.http import Response
from tests.lastmile_runtime.calls.functions import malformed, opened, refusal
from tests.lastmile_runtime.fronts import Front, front

KEY = {"LASTMILE_FUNCTIONS_KEY": "between-us"}


def function(server: Front) -> Any:
    return opened(f"key+{server.url}", KEY)


def test_the_key_is_sent_and_the_caller_s_own_is_not() -> None:
    personal = {"X-Api-Key": "users", "Authorization": "Basic users", "x-tag": "1"}
    with front(lambda _: Response(200, {}, b"answer")) as server:
        asked = function(server)
        answers = [asked.ask("POST", "/a", personal, b"body") for _ in range(2)]
    assert [answer.body for answer in answers] == [b"answer"] * 2
    sent = server.asked[0].headers
    assert (sent["x-api-key"], sent["x-tag"], "authorization" in sent) == ("between-us", "1", False)
    assert server.connections == 1


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "LASTMILE_FUNCTIONS_KEY is not set, but the function 'predict-v2' is asked with it."),
        (
            {"LASTMILE_FUNCTIONS_KEY": "a\r\nhost: b"},
            "LASTMILE_FUNCTIONS_KEY has characters that no header can carry; make the key anew.",
        ),
    ],
)
def test_without_a_key_nobody_is_asked(environ: dict[str, str], message: str) -> None:
    assert refusal("key+https://churn-v2.azurewebsites.net", environ) == message


@pytest.mark.parametrize("url", ["key+https://", "key+https://host/path", "key+http://host"])
def test_what_is_no_function_of_azure(url: str) -> None:
    assert refusal(url, KEY) == malformed(url)
