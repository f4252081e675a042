"""How one function asks another over the host's socket, and what a start refuses."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.errors import BundleError
from lastmile_runtime.functions import LocalFunction, open_functions
from lastmile_runtime.http import Response
from lastmile_runtime.manifest import Version
from lastmile_runtime.startup import start
from lastmile_runtime.telemetry import Log
from tests.lastmile_runtime.bundles import DOUBLER, python_version, routing, write_bundle
from tests.lastmile_runtime.calls.functions import malformed
from tests.lastmile_runtime.calls.tokens import metadata
from tests.lastmile_runtime.fronts import front
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
                malformed(url),
            )
            for url in ("unix:///s", "unix:///s#", "unix://s#f", "lambda://x#f", "https://host", "", 7)
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


@contextmanager
def local(path: str) -> Iterator[tuple[str, dict[str, str]]]:
    host = Host(path, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", end=b"\r\n\r\n")
    yield f"unix://{path}#predict-v2", {}
    host.close()


@contextmanager
def aws(_: str) -> Iterator[tuple[str, dict[str, str]]]:
    with front(lambda _: Response(200, {}, b'{"statusCode": 200}')) as server:
        keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
        yield "lambda://eu-west-1/predict-v2", {**keys, "AWS_ENDPOINT_URL": server.url}


@contextmanager
def gcp(_: str) -> Iterator[tuple[str, dict[str, str]]]:
    with metadata() as platform, front(lambda _: Response(200, {}, b"")) as server:
        yield f"run+{server.url}", {"GCE_METADATA_HOST": platform.place}


@contextmanager
def azure(_: str) -> Iterator[tuple[str, dict[str, str]]]:
    with front(lambda _: Response(200, {}, b"")) as server:
        yield f"key+{server.url}", {"LASTMILE_FUNCTIONS_KEY": "k"}


@pytest.mark.parametrize("cloud", [local, aws, gcp, azure], ids=lambda cloud: cloud.__name__)
def test_asking_another_function_imports_nothing_costly(cloud: Any, path: str, tmp_path: Path) -> None:
    with cloud(path) as (url, more):
        urls = json.dumps({"predict-v2": url})
        environ = environment(tmp_path, LASTMILE_FUNCTIONS=urls, **more)
        command = [sys.executable, "-I", "-c", ASK, str(HANDLERS), json.dumps(environ)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["status"] == 200
    # The local adapter has threads in any case; obstore, boto3 and TLS are nobody's here.
    assert not set(found["loaded"]) & (COSTLY | {"obstore", "boto3", "datetime"})
    assert "lastmile_runtime.predictors.remote" in found["loaded"]
    clouds = {name for name in found["loaded"] if name.startswith("lastmile_runtime.calls.")}
    others = {f"lastmile_runtime.calls.{name}" for name in ("aws", "gcp", "azure") if name != cloud.__name__}
    assert not clouds & others
