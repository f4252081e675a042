"""Cloud Run's container contract (cloud.google.com/run/docs/container-contract), kept by our adapter and under uvicorn."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import lastmile_runtime
from tests.lastmile_runtime.adapters.process import (
    FunctionProcess,
    container,
    copy_runtime,
    read_until,
)
from tests.lastmile_runtime.bundles import MODEL, matrix, python_bundle
from tests.ports import free_port

pytestmark = pytest.mark.conformance
BODY = json.dumps({"inputs": [matrix([[1, 2]])]}).encode()
INFER = f"POST /v2/models/{MODEL}/infer HTTP/1.1\r\nhost: localhost\r\n".encode()
# Says that it is at work by making a file, and ends when it may.
WAITS = """
import os, pathlib, time, uuid
class Model:
    def predict(self, inputs):
        folder = pathlib.Path(os.environ["LASTMILE_BUNDLE"]).parent
        if inputs["x"] == [[7, 7]]:
            (folder / f"at-work-{uuid.uuid4()}").touch()
            while not (folder / "go").exists():
                time.sleep(0.01)
        return {"doubled": [[2 * value for value in row] for row in inputs["x"]]}
"""


@pytest.fixture(params=["adapter", "uvicorn"])
def function(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FunctionProcess]:
    folder, port = tmp_path / "bundle", str(free_port())
    copy_runtime(folder)
    argv, environ = None, {"PORT": port}
    if request.param == "uvicorn":
        argv = [
            "-m",
            "uvicorn",
            "--factory",
            "lastmile_runtime.asgi:create",
            "--host",
            "0.0.0.0",
            "--port",
            port,
        ]
        environ["PYTHONPATH"] = str(Path(lastmile_runtime.__file__).parent.parent)
    with container(folder, python_bundle(folder, WAITS), argv, **environ) as started:
        started.wait_until_it_listens()
        yield started


def ask(function: FunctionProcess, raw: bytes, end: bytes) -> bytes:
    with function.connect() as connection:
        connection.sendall(raw)
        return read_until(connection, end)


def infer(body: bytes, *headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in (*headers, b"content-length: %d" % len(body)))
    return INFER + lines + b"\r\n" + body


def test_it_is_healthy_and_predicts(function: FunctionProcess) -> None:
    answer = ask(function, b"GET /v2/health/ready HTTP/1.1\r\nhost: localhost\r\n\r\n", b"}")
    assert answer.startswith(b"HTTP/1.1 200 ")
    answer = ask(function, infer(BODY), b"}")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["outputs"][0]["data"] == [2, 4]


def test_a_connection_is_kept_and_a_body_may_be_chunked(function: FunctionProcess) -> None:
    chunked = INFER + b"transfer-encoding: chunked\r\n\r\n"
    chunked += b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (BODY[:9], BODY[9:])) + b"0\r\n\r\n"
    with function.connect() as connection:
        for raw in (infer(BODY), chunked, infer(BODY)):
            connection.sendall(raw)
            received = b""
            while not received.endswith(b"}"):
                received += connection.recv(65_536)
            assert b'"data":[2,4]' in received


def test_a_head_has_no_body(function: FunctionProcess) -> None:
    head = b"HEAD /v2/health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    answer = ask(function, head, b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"content-length: 13" in answer.lower()


def test_a_path_of_nobody_is_a_problem(function: FunctionProcess) -> None:
    answer = ask(function, b"GET /nothing HTTP/1.1\r\nhost: localhost\r\n\r\n", b"}")
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"content-type: application/problem+json" in answer.lower()


def test_what_is_in_flight_when_it_is_told_to_end_is_answered_within_ten_seconds(
    function: FunctionProcess, tmp_path: Path
) -> None:
    raw = infer(json.dumps({"inputs": [matrix([[7, 7]])]}).encode(), b"connection: close")
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(function, raw, b"}"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 30
    while len(list(tmp_path.glob("at-work-*"))) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    function.process.send_signal(signal.SIGTERM)
    (tmp_path / "go").touch()
    # uvicorn ends by the signal that it was told by, after its answers.
    assert function.finish(10) == (-signal.SIGTERM if "uvicorn" in str(function.process.args) else 0)
    for thread in threads:
        thread.join(20)
    assert [b'"data":[14,14]' in answer for answer in answers] == [True] * 3
