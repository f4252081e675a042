"""What Lambda does to a function's process between its answers: start, freeze, snapshot and restore."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

from lastmile_runtime.http import Request, Response
from lastmile_runtime.stores.file import FileStore
from tests.lastmile_runtime.adapters import aws_samples as samples
from tests.lastmile_runtime.adapters.runtime_api import (
    BODY,
    BOOTSTRAP,
    RUNTIMES,
    LambdaProcess,
    make_bundle,
    outputs,
    running,
    wait_until,
)
from tests.lastmile_runtime.bundles import (
    routing,
)
from tests.lastmile_runtime.fronts import Front, front

SNAP_START = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
# What Lambda's managed runtime brings; ours must run hooks that a model registers with it.
HOOKS = """
before, after = [], []
def register_before_snapshot(function, *args, **kwargs):
    before.append((function, args, kwargs))
def register_after_restore(function, *args, **kwargs):
    after.append((function, args, kwargs))
def get_before_snapshot():
    return before
def get_after_restore():
    return after
"""
REGISTERS = """
import snapshot_restore_py

class Model:
    def load(self, folder):
        for number in (1, 2):
            snapshot_restore_py.register_before_snapshot(print, "before", number, flush=True)
            snapshot_restore_py.register_after_restore(print, "after", number, flush=True)
        AFTER
    def predict(self, inputs):
        return {"doubled": inputs["x"]}
"""


def write_routing(folder: Path, **weights: int) -> None:
    FileStore(str(folder)).put("routing.json", json.dumps({**routing(**weights), "max_age_s": 0.2}).encode())


def version_of(function: LambdaProcess) -> str:
    answer = function.invoke(samples.http_api(body=BODY))
    assert answer["statusCode"] == 200
    version: str = answer["headers"]["x-model-version"]
    return version


@RUNTIMES
def test_traffic_that_moved_while_the_function_was_frozen_is_heeded_by_the_next_answer(
    tmp_path: Path, runtime: str
) -> None:
    folder, digest = make_bundle(tmp_path, ids=("v1", "v2"))
    live = tmp_path / "live"
    write_routing(live, v1=10_000, v2=0)
    with running(
        runtime, folder, digest, environ={"LASTMILE_ROUTING_URL": f"file://{live}/routing.json"}
    ) as function:
        assert version_of(function) == "v1"
        assert function.api.asking.wait(20)
        function.process.send_signal(signal.SIGSTOP)
        frozen_at = time.monotonic()
        wait_until(lambda: _state(function.process.pid) == "T")
        write_routing(live, v2=10_000, v1=0)
        wait_until(lambda: time.monotonic() - frozen_at > 0.3)
        function.process.send_signal(signal.SIGCONT)
        assert version_of(function) == "v2"


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]


@RUNTIMES
def test_a_snapshot_holds_the_model_and_its_copies_read_the_traffic_anew(
    tmp_path: Path, runtime: str
) -> None:
    folder, digest = make_bundle(tmp_path, ids=("v1", "v2"))
    live = tmp_path / "live"
    store = FileStore(str(live))

    def write(**weights: int) -> None:
        # An age that no clock reaches here: only the restore has the document read anew.
        store.put("routing.json", json.dumps({**routing(**weights), "max_age_s": 3600}).encode())

    write(v1=9_999, v2=1)
    further = {**SNAP_START, "LASTMILE_ROUTING_URL": f"file://{live}/routing.json"}
    with running(runtime, folder, digest, environ=further) as function:
        assert function.api.restoring.wait(20)
        write(v2=10_000, v1=0)
        function.api.restore.set()
        answer = function.invoke(samples.http_api(body=BODY))
        # Both versions had been loaded before the snapshot, so no answer waits for that.
        assert answer["headers"]["server-timing"].partition(";")[0] == "faas.coldstart, predict"
        assert answer["headers"]["x-model-version"] == "v2"
        lines = function.events()
    assert "load_ms" not in lines[0]


@RUNTIMES
def test_hooks_of_the_users_own_run_before_the_snapshot_and_after_the_restore(
    tmp_path: Path, runtime: str
) -> None:
    folder, digest = make_bundle(tmp_path, REGISTERS.replace("AFTER", ""))
    if runtime == BOOTSTRAP:
        (folder / "snapshot_restore_py.py").write_text(HOOKS)
    with running(runtime, folder, digest, environ=SNAP_START) as function:
        assert function.api.restoring.wait(20)
        # The last that was registered runs first, as Lambda's documentation says.
        wait_until(lambda: function.lines == ["before 2", "before 1"])
        function.api.restore.set()
        assert outputs(function.invoke(samples.http_api(body=BODY))) == {"doubled": [1.0, 2.0]}
        wait_until(lambda: function.lines[2:4] == ["after 1", "after 2"])


@RUNTIMES
def test_a_model_that_cannot_be_loaded_is_not_snapshot(tmp_path: Path, runtime: str) -> None:
    folder, digest = make_bundle(tmp_path, "raise OSError('no disk')")
    with running(runtime, folder, digest, environ=SNAP_START) as function:
        outcome = function.api.start.get(timeout=20)
        assert (outcome.kind, outcome.document["errorType"], outcome.document["errorMessage"]) == (
            "error",
            "RequestError",
            "version 'v1' cannot be loaded: OSError: no disk",
        )
        assert outcome.headers["lambda-runtime-function-error-type"] == "Runtime.BeforeSnapshotError"
        assert function.finish() == 64
        assert "no disk" in "".join(function.lines)


@RUNTIMES
def test_a_restore_that_fails_is_told(tmp_path: Path, runtime: str) -> None:
    source = REGISTERS.replace("AFTER", "snapshot_restore_py.register_after_restore(int, 'no number')")
    folder, digest = make_bundle(tmp_path, source)
    if runtime == BOOTSTRAP:
        (folder / "snapshot_restore_py.py").write_text(HOOKS)
    with running(runtime, folder, digest, environ=SNAP_START) as function:
        function.api.restore.set()
        outcome = function.api.start.get(timeout=20)
        assert outcome.document["errorMessage"] == "invalid literal for int() with base 10: 'no number'"
        assert outcome.headers["lambda-runtime-function-error-type"] == "Runtime.AfterRestoreError"
        assert function.finish() == 65


@RUNTIMES
def test_a_start_that_fails_for_a_snapshot_is_an_init_error(tmp_path: Path, runtime: str) -> None:
    folder, _ = make_bundle(tmp_path)
    with running(runtime, folder, "sha256:0", environ=SNAP_START) as function:
        outcome = function.api.start.get(timeout=20)
        message = outcome.document["errorMessage"]
        assert (outcome.kind, outcome.document["errorType"]) == ("error", "RuntimeError")
        assert message.startswith(
            "the function cannot start: BundleError: manifest.json has the digest sha256:"
        )
        assert message.endswith(", but sha256:0 was deployed.")
        assert function.finish() == 1
        (told,) = [json.loads(line) for line in function.lines if line.startswith("{")]
    assert (told["level"], told["error"]) == ("ERROR", message)


@RUNTIMES
def test_a_start_that_fails_is_told_and_tried_again_by_the_next_event(tmp_path: Path, runtime: str) -> None:
    folder, digest = make_bundle(tmp_path)
    manifest = folder / "manifest.json"
    content = manifest.read_bytes()
    manifest.unlink()
    with running(runtime, folder, digest) as function:
        answer = function.invoke(samples.http_api(body=BODY))
        assert (answer["statusCode"], json.loads(answer["body"])) == (
            503,
            {"error": "the function cannot start; its log says why."},
        )
        manifest.write_bytes(content)
        assert outputs(function.invoke(samples.http_api(body=BODY))) == {"doubled": [2, 4]}
        lines = function.events()
    told = "the function cannot start: BundleError: manifest.json cannot be read: No such file or directory."
    # At the start, by the event that tried again, and for that event.
    assert [line.get("error") for line in lines] == [told, told, told, None]


ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"
TELLS = """
import os

class Model:
    def __init__(self):
        self.before = float(os.environ["SIZE"])
    def predict(self, inputs):
        return {"doubled": [[self.before, float(os.environ["SIZE"])]]}
"""


def secrets(server: Front) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "KEY",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_ENDPOINT_URL": server.url,
        "LASTMILE_SECRETS": json.dumps({"SIZE": ARN}),
    }


@RUNTIMES
def test_secrets_are_read_again_after_the_restore(tmp_path: Path, runtime: str) -> None:
    folder, digest = make_bundle(tmp_path, TELLS)
    values = ["1", "2"]

    def answer(_: Request) -> Response:
        return Response(200, {}, json.dumps({"SecretString": values.pop(0)}).encode())

    with (
        front(answer) as server,
        running(runtime, folder, digest, environ={**SNAP_START, **secrets(server)}) as function,
    ):
        assert function.api.restoring.wait(20)
        assert len(server.asked) == 1
        function.api.restore.set()
        assert outputs(function.invoke(samples.http_api(body=BODY))) == {"doubled": [1.0, 2.0]}
    assert server.connections == 2


@RUNTIMES
def test_a_secret_that_is_gone_after_the_restore_is_told(tmp_path: Path, runtime: str) -> None:
    folder, digest = make_bundle(tmp_path, TELLS)
    answers = [
        Response(200, {}, b'{"SecretString": "1"}'),
        Response(400, {"x-amzn-errortype": "ResourceNotFoundException"}, b"{}"),
    ]
    with (
        front(lambda _: answers.pop(0)) as server,
        running(runtime, folder, digest, environ={**SNAP_START, **secrets(server)}) as function,
    ):
        function.api.restore.set()
        outcome = function.api.start.get(timeout=20)
        assert outcome.document["errorMessage"] == (
            f"the secret of SIZE, {ARN}, cannot be had: AWS Secrets Manager answered 400 (ResourceNotFoundException)."
        )
        assert outcome.headers["lambda-runtime-function-error-type"] == "Runtime.AfterRestoreError"
        assert function.finish() == 65
