"""Cloud Run's container contract: $PORT, Pub/Sub's pushes, SIGTERM, and Cloud Logging's lines."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.adapters.gcp import take_push
from lastmile_runtime.forms.cloud_logging import form
from lastmile_runtime.http import Request
from tests.lastmile_runtime.adapters.process import copy_runtime, parse, post, read_all
from tests.lastmile_runtime.bundles import Client, matrix, python_bundle, routing

BODY = {"inputs": [matrix([[1, 2]])]}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@contextmanager
def container(folder: Path, **environ: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    made = folder / "bundle"
    copy_runtime(made)
    digest = python_bundle(made)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    known = {
        "PATH": os.environ["PATH"],
        "PORT": str(port),
        "K_SERVICE": "churn",
        "LASTMILE_MANIFEST_DIGEST": digest,
        "LASTMILE_ROUTING": json.dumps(routing()),
    }
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from lastmile_runtime.adapters.gcp import main; main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", code, str(made)],
        env={**known, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process, port
        finally:
            process.kill()


def ask(port: int, raw: bytes) -> tuple[int, dict[str, str], bytes]:
    deadline = time.monotonic() + 20
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 20) as connection:
                connection.sendall(raw)
                return parse(read_all(connection))
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_it_answers_on_its_port_logs_as_the_platform_reads_and_ends_when_told(tmp_path: Path) -> None:
    with container(tmp_path, GOOGLE_CLOUD_PROJECT="p") as (process, port):
        raw = post(BODY).replace(b"connection: close", f"connection: close\r\ntraceparent: {TRACE}".encode())
        status, headers, body = ask(port, raw)
        assert (status, json.loads(body)["outputs"][0]["data"]) == (200, [2, 4])
        assert headers["x-model-version"] == "v1"
        process.terminate()
        assert process.wait(20) == 0
        assert process.stdout is not None
        (line,) = process.stdout.read().splitlines()
    event = json.loads(line)
    assert event["severity"] == "INFO"
    assert event["httpRequest"]["status"] == 200
    assert event["logging.googleapis.com/trace"] == "projects/p/traces/4bf92f3577b34da6a3ce929d0e0e4736"
    assert (event["faas.coldstart"], event["faas.trigger"], event["version"]) == (True, "http", "v1")


def test_vertex_names_its_own_port_and_routes(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    routes = {"AIP_HTTP_PORT": str(port), "AIP_PREDICT_ROUTE": "/predict", "AIP_HEALTH_ROUTE": "/healthz"}
    with container(tmp_path, **routes):
        assert ask(port, b"GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n")[0] == 200
        status, _, body = ask(port, post({"instances": [[1, 2]]}, "/predict"))
        assert (status, json.loads(body)) == (200, {"predictions": [[2, 4]]})


def test_another_bundle_does_not_start(tmp_path: Path) -> None:
    with container(tmp_path, LASTMILE_MANIFEST_DIGEST="sha256:" + "0" * 64) as (process, _):
        assert process.wait(20) == 1
        assert process.stdout is not None
        assert "the function cannot start: manifest.json has the digest" in process.stdout.read()


class Working:
    """An application that notes its messages, and fails as it is told."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.taken: list[tuple[bytes, int]] = []

    def work(self, message: bytes, *, attempt: int = 1, last: bool = False) -> None:
        self.taken.append((message, attempt))
        if self.error:
            raise self.error


def push(application: Any, document: Any) -> int:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return take_push(application, Request("POST", "/_lastmile/queue", {}, body), None).status


def test_a_push_is_worked_on_and_acknowledged() -> None:
    working = Working()
    data = base64.b64encode(b'{"kind": "job"}').decode()
    assert push(working, {"message": {"data": data, "messageId": "1"}, "deliveryAttempt": 3}) == 204
    assert working.taken == [(b'{"kind": "job"}', 3)]


def test_a_push_that_fails_is_sent_again_and_one_that_is_none_is_not() -> None:
    data = base64.b64encode(b"{}").decode()
    assert push(Working(RuntimeError("model")), {"message": {"data": data}}) == 503
    for document in (b"nonsense", {}, {"message": {"data": "*"}}, [1]):
        assert push(Working(), document) == 204


def test_where_an_audience_is_set_a_push_without_a_token_is_refused(tmp_path: Path) -> None:
    application = Client(tmp_path, python_bundle(tmp_path)).application
    response = take_push(application, Request("POST", "/_lastmile/queue", {}, b"{}"), "https://push.example")
    assert response.status == 401


@pytest.mark.parametrize(
    ("level", "severity"), [("info", "INFO"), ("warning", "WARNING"), ("error", "ERROR")]
)
def test_a_warning_outside_of_a_request_has_its_severity(level: str, severity: str) -> None:
    event = {"time": "t", "level": level, "function": "f", "error": "odd"}
    assert form(event) == {
        "severity": severity,
        "time": "t",
        "message": "odd",
        "function": "f",
        "error": "odd",
    }
