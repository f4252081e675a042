"""How one function asks another over the host's socket, and what a start refuses."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.errors import BundleError
from lastmile_runtime.functions import LocalFunction, open_functions
from lastmile_runtime.manifest import Version
from lastmile_runtime.startup import start
from lastmile_runtime.telemetry import Log
from tests.lastmile_runtime.bundles import DOUBLER, python_version, routing, write_bundle
from tests.lastmile_runtime.hosts import Host
from tests.lastmile_runtime.test_boundary import COSTLY, HANDLERS

REMOTE = Version("v2", "remote", "", remote={"function": "predict-v2", "digest": "sha256:ab"})

# Asks for the other function's version through the application, and prints what is loaded then.
ASK = """
import sys
sys.path.insert(0, sys.argv[1])
import lastmile_runtime.adapters.local
from lastmile_runtime import jsons
from lastmile_runtime.http import Request
from lastmile_runtime.startup import start
from lastmile_runtime.telemetry import Log
application = start(jsons.loads(sys.argv[2]), Log("predict", lambda line: None), keeps_running=True)
answer = application.handle(Request("GET", "/v2/models/breast-cancer/versions/v2/ready"))
print(jsons.dumps({"status": answer.status, "loaded": sorted(sys.modules)}))
"""


def ask(path: str, deadline_s: float = 10.0) -> Any:
    return LocalFunction(path, "predict-v2", deadline_s).ask(
        "POST", "/v2/x", {"content-type": "text/plain"}, b"the end"
    )


def test_a_request_is_sent_whole_and_its_answer_read(path: str) -> None:
    host = Host(
        path,
        b"HTTP/1.1 422 Unprocessable Content\r\nX-Some: thing\r\ncontent-",
        b"length: 4\r\n\r\nbo",
        b"dy",
    )
    answer = ask(path)
    host.close()
    assert (answer.status, answer.headers["x-some"], answer.body) == (422, "thing", b"body")
    head = (
        b"POST /functions/predict-v2/v2/x HTTP/1.1\r\ncontent-length: 7\r\ncontent-type: text/plain\r\n\r\n"
    )
    assert host.seen == head + b"the end"


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhalf"],
)
def test_less_than_an_answer_is_an_error(path: str, answer: bytes) -> None:
    host = Host(path, answer)
    with pytest.raises(ConnectionResetError, match="closed before the answer was complete"):
        ask(path)
    host.close()


def test_the_deadline_is_for_the_whole_answer(path: str) -> None:
    host = Host(path, *[b"x"] * 20, pause_s=0.05)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        ask(path, 0.2)
    assert time.monotonic() - started < 0.8
    host.close()


def test_no_host_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        ask("/tmp/lastmile-no-such-socket")


@pytest.mark.parametrize(
    ("urls", "message"),
    [
        (["x"], "LASTMILE_FUNCTIONS is ['x'], but must give each function its URL."),
        ({}, "LASTMILE_FUNCTIONS has no 'predict-v2', which serves the version 'v2'."),
        *(
            (
                {"predict-v2": url},
                f"LASTMILE_FUNCTIONS has {url!r} for 'predict-v2', but must have unix:///SOCKET#NAME.",
            )
            for url in ("unix:///s", "unix:///s#", "unix://s#f", "lambda://x#f", "", 7)
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(urls: Any, message: str) -> None:
    with pytest.raises(BundleError) as refused:
        open_functions(urls, [REMOTE], 1.0)
    assert str(refused.value) == message


def environment(folder: Path, **more: str) -> dict[str, str]:
    versions = [python_version("v1"), REMOTE]
    return {
        "LASTMILE_BUNDLE": str(folder),
        "LASTMILE_MANIFEST_DIGEST": write_bundle(folder, versions, {versions[0].artifact: DOUBLER}),
        "LASTMILE_ROUTING": json.dumps(routing(v1=10_000, v2=0)),
        **more,
    }


def begin(environ: dict[str, str]) -> Any:
    return start(environ, Log("predict", lambda line: None), keeps_running=False)


def test_a_function_starts_with_the_others_urls_and_its_own_timeout(tmp_path: Path) -> None:
    urls = json.dumps({"predict-v2": "unix:///run/h#predict-v2"})
    environ = environment(tmp_path, LASTMILE_FUNCTIONS=urls)
    assert begin(environ).bundle.functions["predict-v2"].deadline_s == 27.0
    assert begin({**environ, "LASTMILE_TIMEOUT_S": "10"}).bundle.functions["predict-v2"].deadline_s == 9.0


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "LASTMILE_FUNCTIONS is not set."),
        ({"LASTMILE_FUNCTIONS": "{"}, "LASTMILE_FUNCTIONS is not JSON"),
        (
            {"LASTMILE_FUNCTIONS": "{}", "LASTMILE_TIMEOUT_S": "soon"},
            "LASTMILE_TIMEOUT_S is 'soon', but must be a number of seconds.",
        ),
    ],
)
def test_a_function_that_cannot_ask_does_not_start(
    tmp_path: Path, more: dict[str, str], message: str
) -> None:
    with pytest.raises(BundleError) as refused:
        begin(environment(tmp_path, **more))
    assert str(refused.value).startswith(message)


def test_asking_another_function_imports_nothing_costly(path: str, tmp_path: Path) -> None:
    host = Host(path, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", end=b"\r\n\r\n")
    environ = environment(
        tmp_path, LASTMILE_FUNCTIONS=json.dumps({"predict-v2": f"unix://{path}#predict-v2"})
    )
    command = [sys.executable, "-I", "-c", ASK, str(HANDLERS), json.dumps(environ)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    host.close()
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["status"] == 200
    assert not set(found["loaded"]) & COSTLY
    assert "lastmile_runtime.predictors.remote" in found["loaded"]
