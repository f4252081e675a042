from __future__ import annotations

import json
import os
import time
from typing import Any

import pytest

from lastmile_runtime.adapters.aws_bootstrap import Context, answer_next
from lastmile_runtime.adapters.aws_runtime_api import Invocation

ARN = "arn:aws:lambda:us-east-2:123456789012:function:predict"
HEADERS = {
    "lambda-runtime-aws-request-id": "8476a536",
    "lambda-runtime-invoked-function-arn": ARN,
}


class Api:
    """A Runtime API that hands out one event and notes what becomes of it."""

    def __init__(self, event: bytes = b'{"a": 1}', status: int = 202, **headers: str) -> None:
        self.told: list[tuple[Any, ...]] = []
        self._event = event
        self._status = status
        self._headers = {**HEADERS, **{name.replace("_", "-"): value for name, value in headers.items()}}

    def next(self) -> Invocation:
        return Invocation(self._headers, self._event)

    def respond(self, id_: str, content: bytes) -> int:
        self.told.append(("response", id_, content))
        return self._status

    def fail(self, id_: str, error: bytes, kind: str) -> int:
        self.told.append(("error", id_, json.loads(error), kind))
        return 202


class Function:
    """A function that gives an answer, or raises it, and leaves something to do."""

    def __init__(self, answer: Any, afterwards: Any = None) -> None:
        self.asked: list[tuple[Any, Any]] = []
        self._answer = answer
        self._afterwards = afterwards

    def answer(self, event: Any, context: Any) -> tuple[Any, Any]:
        self.asked.append((event, context))
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer, self._afterwards


def run(api: Api, function: Function) -> None:
    answer_next(api, function)  # type: ignore[arg-type] # fakes with the members that it needs


def test_an_event_is_answered_and_what_is_left_is_done_afterwards() -> None:
    api = Api()
    function = Function({"text": "ü"}, lambda: api.told.append(("afterwards",)))
    run(api, function)
    assert api.told == [("response", "8476a536", '{"text":"ü"}'.encode()), ("afterwards",)]
    ((event, context),) = function.asked
    assert (event, context.aws_request_id, context.invoked_function_arn) == ({"a": 1}, "8476a536", ARN)


def test_the_trace_is_that_of_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
    run(Api(lambda_runtime_trace_id="Root=1"), Function({}))
    assert os.environ["_X_AMZN_TRACE_ID"] == "Root=1"
    run(Api(), Function({}))
    assert "_X_AMZN_TRACE_ID" not in os.environ


@pytest.mark.parametrize(
    ("event", "answer", "kind", "message"),
    [
        (b"{}", OSError("no disk ü"), "OSError", "no disk ü"),
        (b"{}", {"a": {1}}, "TypeError", "Object of type set is not JSON serializable"),
        (
            b"{",
            {},
            "JSONDecodeError",
            "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
    ],
)
def test_what_fails_is_told_to_lambda_and_to_the_log(
    capsys: pytest.CaptureFixture[str], event: bytes, answer: Any, kind: str, message: str
) -> None:
    api = Api(event)
    run(api, Function(answer))
    ((what, id_, document, told),) = api.told
    assert (what, id_, told) == ("error", "8476a536", f"Function.{kind}")
    assert (document["errorType"], document["errorMessage"]) == (kind, message)
    assert 'aws_bootstrap.py", line' in document["stackTrace"][0]
    # One event of the log: Lambda ends it at the line feed.
    written = capsys.readouterr().out
    assert written.startswith("[ERROR] Traceback (most recent call last):\r")
    assert written.endswith(f"{kind}: {message}\n")
    assert written.count("\n") == 1


def test_an_answer_that_lambda_does_not_take_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    run(Api(status=413), Function({}))
    assert capsys.readouterr().out == "Lambda did not take the answer to 8476a536: it said 413.\n"


def test_what_fails_after_the_answer_does_not_end_the_function(capsys: pytest.CaptureFixture[str]) -> None:
    def afterwards() -> None:
        raise OSError("no disk")

    api = Api()
    run(api, Function({}, afterwards))
    assert [what for what, *_ in api.told] == ["response"]
    written = capsys.readouterr().out
    assert written.startswith("[ERROR] Traceback (most recent call last):\r")
    assert written.endswith("\rOSError: no disk\n")
    assert written.count("\n") == 1


def test_the_context_is_what_lambda_says() -> None:
    deadline_ms = int(time.time() * 1000) + 60_000
    environ = {
        "AWS_LAMBDA_FUNCTION_NAME": "predict",
        "AWS_LAMBDA_FUNCTION_VERSION": "7",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/predict",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/31/[7]1",
    }
    context = Context(Invocation({**HEADERS, "lambda-runtime-deadline-ms": str(deadline_ms)}, b"{}"), environ)
    assert 0 < context.get_remaining_time_in_millis() <= 60_000
    assert {name: value for name, value in vars(context).items() if not name.startswith("_")} == {
        "aws_request_id": "8476a536",
        "invoked_function_arn": ARN,
        "function_name": "predict",
        "function_version": "7",
        "memory_limit_in_mb": "512",
        "log_group_name": "/aws/lambda/predict",
        "log_stream_name": "2026/01/31/[7]1",
    }
    assert Context(Invocation(HEADERS, b"{}"), {}).get_remaining_time_in_millis() == 0
