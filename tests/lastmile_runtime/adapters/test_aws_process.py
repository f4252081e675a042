"""The function as Lambda runs it: under its own bootstrap, and (conformance) under AWS's runtime interface client."""

from __future__ import annotations

import json
import os
import struct
import sys
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from lastmile_runtime import adapters
from lastmile_runtime.http import Request
from lastmile_runtime.jobs import Jobs
from lastmile_runtime.stores.file import FileStore
from tests.lastmile_runtime.adapters import aws_samples as samples
from tests.lastmile_runtime.adapters.process import copy_runtime
from tests.lastmile_runtime.adapters.runtime_api import (
    BODY,
    BOOTSTRAP,
    INFER,
    RUNTIMES,
    make_bundle,
    outputs,
    running,
)
from tests.lastmile_runtime.bundles import (
    DOUBLER,
    matrix,
    python_version,
    routing,
    write_bundle,
)
from tests.lastmile_runtime.test_boundary import COSTLY, NEVER

PATCHES = {"_virtualenv", "_distutils_hack", "google", "sitecustomize"}
"""What a virtual environment may load at its start."""
# Says what is loaded, and what Lambda said of the request.
WITNESS = """
import os
import sys

class Model:
    def predict(self, inputs):
        print("grüße")
        trace = os.environ.get("_X_AMZN_TRACE_ID", "")
        return {"modules": sorted(sys.modules), "trace": [trace]}
"""
# Waits for a file before it predicts.
WAITS = """
import os
import time

class Model:
    def predict(self, inputs):
        while not os.path.exists(os.environ["GO"]):
            time.sleep(0.01)
        return {"doubled": inputs["x"]}
"""


@RUNTIMES
def test_http_events_are_answered(tmp_path: Path, runtime: str) -> None:
    folder, digest = make_bundle(tmp_path)
    timing = "faas.coldstart, "
    with running(runtime, folder, digest) as function:
        for event in (
            samples.http_api(body=BODY),
            samples.rest_api(body=BODY),
            samples.load_balancer(body=BODY),
        ):
            answer = function.invoke(event)
            assert answer["headers"].pop("server-timing").partition("predict;")[0] == timing
            timing = ""
            expected = {
                "statusCode": 200,
                "headers": {
                    "content-type": "application/json",
                    "x-model-version": "v1",
                    "x-model-digest": digest,
                    "x-model-route": "rule=only",
                },
                "body": '{"model_name":"breast-cancer","model_version":"v1","outputs":'
                '[{"name":"doubled","shape":[1,2],"datatype":"FP64","data":[2,4]}]}',
                "isBase64Encoded": False,
            }
            balanced = {"statusDescription": "200 OK"} if "elb" in event["requestContext"] else {}
            assert answer == {**expected, **balanced}
        lines = function.events()
    assert [line["status"] for line in lines] == [200, 200, 200]
    assert [line.get("faas.coldstarts") for line in lines] == [1, None, None]
    assert [line["faas.invocation_id"][-1] for line in lines] == ["1", "2", "3"]


@RUNTIMES
def test_binary_tensors_go_in_and_out(tmp_path: Path, runtime: str) -> None:
    folder, digest = make_bundle(tmp_path)
    values = struct.pack("<2d", 1, 2)
    tensor = {"name": "x", "shape": [1, 2], "datatype": "FP64", "parameters": {"binary_data_size": 16}}
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    event = samples.http_api(body=b64encode(head + values).decode(), isBase64Encoded=True)
    event["headers"] |= {
        "content-type": "application/octet-stream",
        "inference-header-content-length": str(len(head)),
    }
    with running(runtime, folder, digest) as function:
        answer = function.invoke(event)
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
    assert b64decode(answer["body"])[-16:] == struct.pack("<2d", 2, 4)


@RUNTIMES
def test_errors_have_their_own_status_and_the_log_tells_them(tmp_path: Path, runtime: str) -> None:
    folder, digest = make_bundle(tmp_path)
    with running(runtime, folder, digest) as function:
        answer = function.invoke(samples.http_api(body="{"))
        assert (answer["statusCode"], json.loads(answer["body"])["error"][:24]) == (
            400,
            "the body is not JSON: Ex",
        )
        answer = function.invoke(samples.http_api("/nothing", "GET"))
        assert (answer["statusCode"], answer["headers"]["content-type"]) == (404, "application/problem+json")
        lines = function.events()
    assert [(line["status"], line["path"]) for line in lines] == [(400, INFER), (404, "/nothing")]


@RUNTIMES
def test_an_event_that_is_not_taken_is_an_error_and_the_next_is_answered(
    tmp_path: Path, runtime: str
) -> None:
    folder, digest = make_bundle(tmp_path)
    with running(runtime, folder, digest) as function:
        outcome = function.api.invoke({"token": "secret"})
        assert (outcome.kind, outcome.document["errorType"]) == ("error", "EventError")
        message = outcome.document["errorMessage"]
        assert message.startswith(
            "the event is an object with the members token, but this function takes events of"
        )
        assert outcome.document["stackTrace"]
        if runtime == BOOTSTRAP:
            assert outcome.headers["lambda-runtime-function-error-type"] == "Function.EventError"
        assert function.api.invoke(b"{").kind == "error"
        assert outputs(function.invoke(samples.http_api(body=BODY))) == {"doubled": [2, 4]}
        function.events()
        errors = [line for line in function.lines if line.startswith("[ERROR]")]
    assert len(errors) == 2
    assert message in errors[0]
    assert "secret" not in "".join(function.lines)


@RUNTIMES
@pytest.mark.parametrize("chunked", [False, True])
def test_large_events_are_read_whole(tmp_path: Path, runtime: str, chunked: bool) -> None:
    folder, digest = make_bundle(tmp_path)
    rows = [[float(row), 0.5] for row in range(40_000)]
    with running(runtime, folder, digest, chunked=chunked) as function:
        event = samples.http_api(body=json.dumps({"inputs": [matrix(rows)]}))
        assert outputs(function.invoke(event))["doubled"] == [2 * value for row in rows for value in row]


class Messages:
    """A queue that keeps what it is sent."""

    most_bytes = 262_144

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, message: bytes, deadline_s: float) -> None:
        self.sent.append(message.decode())


@RUNTIMES
def test_a_batch_is_done_but_for_the_messages_that_fail(tmp_path: Path, runtime: str) -> None:
    folder, digest = make_bundle(tmp_path)
    store, messages = FileStore(str(tmp_path / "jobs")), Messages()
    jobs = Jobs(store, messages)
    for content in (BODY, json.dumps({"inputs": [matrix([[1, 3]])]})):
        assert jobs.accept(Request("POST", INFER, {}, content.encode())).status == 202
    first, second = messages.sent
    batch = samples.queue(("a1", first), ("a2", '{"kind": "other"}'), ("a3", second), ("a4", "{"), attempt=2)
    further = {"LASTMILE_JOBS_URL": f"file://{store.folder}", "LASTMILE_QUEUE_URL": "unix:///none#jobs"}
    with running(runtime, folder, digest, environ=further) as function:
        assert function.invoke(batch) == {
            "batchItemFailures": [{"itemIdentifier": "a2"}, {"itemIdentifier": "a4"}]
        }
        # Delivered once more, what is done is not done again.
        assert function.invoke(samples.queue(("a1", first))) == {"batchItemFailures": []}
        found = [
            function.invoke(samples.http_api(f"/jobs/{json.loads(sent)['id']}", "GET"))
            for sent in messages.sent
        ]
        lines = function.events()
    assert [outputs(answer)["doubled"] for answer in found] == [[2, 4], [2, 6]]
    assert [answer["headers"]["x-job-attempts"] for answer in found] == ["2", "2"]
    queued = [(line["message_id"], line["status"], line["attempt"]) for line in lines if "message_id" in line]
    assert queued == [("a1", 204, 2), ("a2", 500, 2), ("a3", 204, 2), ("a4", 500, 2), ("a1", 204, 1)]
    assert next(line["error"] for line in lines if line["status"] == 500) == (
        "the message could not be done: ValueError: the message's kind is 'other', which this function does not do."
    )


@RUNTIMES
def test_what_a_model_prints_and_is_told(tmp_path: Path, runtime: str) -> None:
    folder, digest = make_bundle(tmp_path, WITNESS)
    with running(runtime, folder, digest) as function:
        found = [outputs(function.invoke(samples.http_api(body=BODY)))["trace"] for _ in range(2)]
        function.events()
    suffix = "0000abcdef01;Parent=9a9197af755a6419;Sampled=1"
    assert found == [[f"Root=1-5bef4de7-{number:012d}{suffix}"] for number in (1, 2)]
    assert function.lines.count("grüße") == 2


@RUNTIMES
def test_the_docs_are_answered_whether_mangum_is_there_or_not(tmp_path: Path, runtime: str) -> None:
    folder, digest = make_bundle(tmp_path)
    with running(runtime, folder, digest) as function:
        for event in (
            samples.http_api("/docs", "GET"),
            samples.rest_api("/docs", "GET"),
            samples.load_balancer("/docs", "GET"),
        ):
            answer = function.invoke(event)
            assert answer["statusCode"] == 200
            assert answer["headers"]["content-type"] == "text/html; charset=utf-8"
            assert answer["body"].lower().startswith("<!doctype html>")
        event = samples.http_api("/prod/openapi.json", "GET")
        event["requestContext"]["stage"] = "prod"
        assert INFER in json.loads(function.invoke(event)["body"])["paths"]
        assert function.invoke(samples.http_api("/nothing", "GET"))["statusCode"] == 404


@RUNTIMES
def test_of_the_standard_library_nothing_costly_is_imported_and_nothing_else_at_all(
    tmp_path: Path, runtime: str
) -> None:
    folder, digest = make_bundle(tmp_path, WITNESS)
    with running(runtime, folder, digest) as function:
        function.invoke(samples.http_api(body=BODY))
        # The second answer tells what the first one imported.
        loaded = set(outputs(function.invoke(samples.http_api(body=BODY)))["modules"])
    foreign = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names
    if runtime == BOOTSTRAP:
        assert foreign == {"__main__", "lastmile_model_v1", "lastmile_runtime"}
        assert not loaded & (
            COSTLY | {"socket", "selectors", "traceback", "subprocess", "site", "simplejson"}
        )
    else:
        client = {"awslambdaric", "runtime_client", "simplejson"}
        assert foreign - PATCHES == {"__main__", "lastmile_model_v1", "lastmile_runtime", *client}
    assert not {name.partition(".")[0] for name in loaded} & NEVER


def test_a_shadow_runs_after_the_answer_and_before_the_next_event(tmp_path: Path) -> None:
    """The own bootstrap's gain: the answer is there while the shadow still waits."""
    folder = tmp_path / "bundle"
    copy_runtime(folder)
    versions = [python_version("v1"), python_version("v2")]
    digest = write_bundle(folder, versions, {versions[0].artifact: DOUBLER, versions[1].artifact: WAITS})
    document = {**routing(v1=10_000, v2=0), "shadows": [{"version": "v2", "percent": 10_000}]}
    further = {"GO": str(tmp_path / "go"), "LASTMILE_ROUTING": json.dumps(document)}
    with running(BOOTSTRAP, folder, digest, environ=further) as function:
        assert outputs(function.invoke(samples.http_api(body=BODY))) == {"doubled": [2, 4]}
        assert not function.api.asking.is_set()
        (tmp_path / "go").touch()
        assert function.api.asking.wait(20)
        first, second = function.events()
    assert (first["version"], second["event"], second["version"], second["agree"]) == (
        "v1",
        "shadow",
        "v2",
        False,
    )


def test_isolated_python_heeds_no_variable_and_finds_layers_last(tmp_path: Path) -> None:
    folder, digest = make_bundle(tmp_path, WITNESS.replace("sorted(sys.modules)", "sys.path"))
    own = tmp_path / "runtime"
    own.mkdir()
    further = {"PYTHONPATH": str(tmp_path), "LAMBDA_RUNTIME_DIR": str(own)}
    with running(BOOTSTRAP, folder, digest, environ=further) as function:
        paths = outputs(function.invoke(samples.http_api(body=BODY)))["modules"]
    # The model's own folder comes first only while it is imported.
    assert (paths[0], paths[-1]) == (str(folder), str(own))
    assert str(tmp_path) not in paths


def test_the_wrapper_may_be_executed() -> None:
    wrapper = Path(adapters.__file__).parent / "aws_bootstrap"
    assert os.access(wrapper, os.X_OK)
    assert wrapper.read_text(encoding="ascii").startswith("#!/bin/sh\n")
