from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lastmile_runtime.http import Request, Response
from lastmile_runtime.telemetry import Log
from tests.lastmile_runtime.adapters.process import (
    BOOT,
    FunctionProcess,
    copy_runtime,
    environment,
    post,
    running,
)
from tests.lastmile_runtime.bundles import DOUBLER, MODEL, matrix, python_bundle

BODY = {"inputs": [matrix([[1, 2]])]}
# Says that it is at work by making a file, and ends when it may: at most `concurrency` of them are there at once.
WAITS = """
import os, pathlib, time, uuid

class Model:
    def predict(self, inputs):
        folder = pathlib.Path(os.environ["LASTMILE_BUNDLE"]).parent
        (folder / f"at-work-{uuid.uuid4()}").touch()
        while not (folder / "go").exists():
            time.sleep(0.01)
        return {"doubled": inputs["x"]}
"""
PRINTS = DOUBLER.replace("return", "print('grüße'); return")
# Starts a function as the host does, says when it answered, and waits to be killed.
HOST = """
import json, socket, subprocess, sys, time
argv, env, path = json.loads(sys.argv[1])
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen(8)
env["LASTMILE_SOCKET_FD"] = str(listener.fileno())
subprocess.Popen(argv, env=env, pass_fds=[listener.fileno()], start_new_session=True)
with socket.socket(socket.AF_UNIX) as client:
    client.connect(path)
    client.sendall(b"GET /v2 HTTP/1.1\\r\\n\\r\\n")
    assert client.recv(100)
print("answered", flush=True)
time.sleep(600)
"""


def bundle(folder: Path, source: str = DOUBLER) -> tuple[Path, str]:
    made = folder / "bundle"
    copy_runtime(made)
    return made, python_bundle(made, source)


def wait_until(condition: Callable[[], Any], timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def ask_in_background(function: FunctionProcess, count: int) -> tuple[list[int], list[threading.Thread]]:
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(function.infer(BODY)[0])) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    return statuses, threads


def at_work(folder: Path) -> int:
    return len(list(folder.glob("at-work-*")))


def test_a_function_answers_and_logs_each_request(tmp_path: Path) -> None:
    folder, digest = bundle(tmp_path)
    with running(folder, digest) as function:
        status, headers, answer = function.infer(BODY)
        assert (status, answer["outputs"][0]["data"]) == (200, [2, 4])
        assert (headers["x-model-digest"], headers["connection"]) == (digest, "close")
        assert (
            function.exchange(b"GET /nothing HTTP/1.1\r\nconnection: close\r\nx-request-id: 7\r\n\r\n")[0]
            == 404
        )
        function.process.terminate()
        assert function.finish() == 0
    first, second = (json.loads(line) for line in function.lines)
    assert (first.pop("load_ms") > 0, first.pop("predict_ms") > 0) == (True, True)
    for line in (first, second):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
        assert line.pop("duration_ms") > 0
    assert first == {
        "level": "info",
        "function": "predict",
        "method": "POST",
        "path": f"/v2/models/{MODEL}/infer",
        "status": 200,
        "version": "v1",
        "route": "rule=only",
        "faas.coldstart": True,
    }
    assert second == {
        "level": "info",
        "function": "predict",
        "method": "GET",
        "path": "/nothing",
        "status": 404,
        "request_id": "7",
        "error": "/nothing is not a path of this endpoint; /docs lists them.",
    }


def test_heads_are_answered_without_a_body_and_refused_in_their_paths_form(tmp_path: Path) -> None:
    folder, digest = bundle(tmp_path)
    with running(folder, digest) as function:
        status, headers, body = function.exchange(
            b"HEAD /v2/health/live HTTP/1.1\r\nconnection: close\r\n\r\n"
        )
        assert (status, headers["content-length"], body) == (200, "13", b"")
        status, _, body = function.exchange(b"POST /v2/x HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n")
        message = "the transfer-encoding is 'gzip', but must be chunked."
        assert (status, json.loads(body)) == (501, {"error": message})
        status, headers, _ = function.exchange(b"nonsense\r\n\r\n")
        assert (status, headers["content-type"]) == (400, "application/problem+json")


def test_what_a_model_prints_is_there_at_once(tmp_path: Path) -> None:
    folder, digest = bundle(tmp_path, PRINTS)
    with running(folder, digest) as function:
        function.infer(BODY)
        wait_until(lambda: len(function.lines) == 2)
        assert function.lines[0] == "grüße"


def test_sigterm_lets_what_is_in_flight_finish(tmp_path: Path) -> None:
    folder, digest = bundle(tmp_path, WAITS)
    with running(folder, digest, concurrency=2) as function:
        statuses, (thread,) = ask_in_background(function, 1)
        wait_until(lambda: at_work(tmp_path) == 1)
        function.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        assert function.process.poll() is None
        (tmp_path / "go").touch()
        thread.join(20)
        assert statuses == [200]
        assert function.finish() == 0


def test_no_more_requests_than_its_concurrency_are_answered_at_once(tmp_path: Path) -> None:
    folder, digest = bundle(tmp_path, WAITS)
    with running(folder, digest, concurrency=2) as function:
        statuses, threads = ask_in_background(function, 5)
        wait_until(lambda: at_work(tmp_path) == 2)
        time.sleep(0.2)
        assert at_work(tmp_path) == 2
        (tmp_path / "go").touch()
        for thread in threads:
            thread.join(20)
        assert statuses == [200] * 5


def test_a_peer_that_leaves_takes_nothing_with_it(tmp_path: Path) -> None:
    folder, digest = bundle(tmp_path, WAITS)
    with running(folder, digest) as function:
        with function.connect() as connection:
            connection.sendall(post(BODY))
            wait_until(lambda: at_work(tmp_path) == 1)
        (tmp_path / "go").touch()
        assert function.infer(BODY)[0] == 200
    assert json.loads(function.lines[1])["error"] == "the connection broke: [Errno 32] Broken pipe"


def test_another_bundle_than_the_deployed_one_does_not_start(tmp_path: Path) -> None:
    folder, digest = bundle(tmp_path)
    with running(folder, "sha256:00") as function:
        assert function.finish() == 1
    message = f"the function cannot start: manifest.json has the digest {digest}, but sha256:00 was deployed."
    assert function.lines == [message]


def test_a_function_ends_when_its_host_is_gone(tmp_path: Path) -> None:
    folder, digest = bundle(tmp_path)
    argv = [sys.executable, "-I", "-c", BOOT, str(folder)]
    given = json.dumps([argv, environment(folder, digest, 0), "s"])  # a relative path is short enough
    command = [sys.executable, "-c", HOST, given]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        assert json.loads(host.stdout.readline())["status"] == 200
        assert host.stdout.readline() == "answered\n"
        host.kill()
        # The function holds the pipe as well: its end of file is the end of both.
        assert host.stdout.read() == ""


def test_a_log_line_of_an_error_says_so() -> None:
    lines: list[str] = []
    log = Log("predict", lines.append, clock=lambda: 1_700_000_000.25)
    log.request(Request("GET", "/v2"), Response(500, {}, b"", {"error": "ü"}), 0.0015)
    log.request(None, Response(400, {}, b""), 0)
    log.warning("odd")
    start = '{"time": "2023-11-14T22:13:20.250Z", "level": '
    assert lines == [
        start + '"error", "function": "predict", "method": "GET", "path": "/v2", "status": 500, '
        '"duration_ms": 1.5, "error": "ü"}\n',
        start + '"info", "function": "predict", "status": 400, "duration_ms": 0}\n',
        start + '"warning", "function": "predict", "error": "odd"}\n',
    ]


def test_a_log_that_nobody_reads_is_not_an_error() -> None:
    def write(_: str) -> None:
        raise BrokenPipeError

    Log("predict", write).warning("odd")


@pytest.mark.conformance
def test_an_unmodified_tritonclient_reads_the_answers(tmp_path: Path) -> None:
    from tritonclient import http

    folder, digest = bundle(tmp_path)
    with (
        running(folder, digest, tcp=True) as function,
        http.InferenceServerClient(f"127.0.0.1:{function.address[1]}") as client,
    ):
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready(MODEL, "v1")
        assert client.get_model_metadata(MODEL)["inputs"][0]["name"] == "x"
        given = http.InferInput("x", [2, 2], "FP64")
        given.set_data_from_numpy(np.array([[1, 2], [3, 4.5]]), binary_data=False)
        for outputs in (None, [http.InferRequestedOutput("doubled", binary_data=False)]):
            result = client.infer(MODEL, [given], outputs=outputs, request_id="7")
            assert result.as_numpy("doubled").tolist() == [[2, 4], [6, 9]]
            assert result.get_response()["id"] == "7"
        with pytest.raises(Exception, match="version 'v9' is not deployed"):
            client.infer(MODEL, [given], model_version="v9")
        given.set_data_from_numpy(np.array([[1, 2], [3, 4.5]]), binary_data=True)
        assert client.infer(MODEL, [given]).as_numpy("doubled").tolist() == [[2, 4], [6, 9]]
