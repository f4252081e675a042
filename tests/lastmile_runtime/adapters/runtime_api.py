"""Functions that run against Lambda's Runtime API on this machine, as their runtime starts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from lastmile_sls.check.aws.runtime_api import TIMEOUT_S, RuntimeApi
from tests.lastmile_runtime.adapters.process import copy_runtime
from tests.lastmile_runtime.bundles import DOUBLER, MODEL, matrix, python_bundle, routing

INFER = f"/v2/models/{MODEL}/infer"
BODY = json.dumps({"inputs": [matrix([[1, 2]])]})
BOOTSTRAP, MANAGED = "bootstrap", "awslambdaric"
RUNTIMES = pytest.mark.parametrize(
    "runtime", [BOOTSTRAP, pytest.param(MANAGED, marks=pytest.mark.conformance)]
)
"""Both; AWS's own needs its package."""


class LambdaProcess:
    """A running function, and the lines that it wrote."""

    def __init__(self, process: subprocess.Popen[bytes], api: RuntimeApi) -> None:
        self.process = process
        self.api = api
        self.lines: list[str] = []
        assert process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, stream: IO[bytes]) -> None:
        # Lambda ends an event of the log at a line feed, and not at a carriage return.
        self.lines.extend(line.decode().rstrip("\n") for line in stream)

    def invoke(self, event: Any) -> Any:
        """Return the answer to an event; fails with the error, if that is what it is answered with."""
        outcome = self.api.invoke(event)
        assert outcome.kind == "response", (outcome.document, self.lines)
        return outcome.document

    def finish(self) -> int:
        """Wait for the process to end; return its exit code, its log complete."""
        code = self.process.wait(TIMEOUT_S)
        self._reader.join(TIMEOUT_S)
        return code

    def events(self) -> list[dict[str, Any]]:
        """End the function, as Lambda does; return its log's events."""
        self.process.kill()
        self.finish()
        return [json.loads(line) for line in self.lines if line.startswith("{")]


def environment(folder: Path, digest: str, api: RuntimeApi) -> dict[str, str]:
    """Return what Lambda and the deployment set."""
    return {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_LAMBDA_FUNCTION_NAME": "predict",
        "AWS_LAMBDA_FUNCTION_VERSION": "7",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "LAMBDA_TASK_ROOT": str(folder),
        "LASTMILE_MANIFEST_DIGEST": digest,
        "LASTMILE_ROUTING": json.dumps(routing()),
    }


HANDLER = "lastmile_runtime.adapters.aws.handler"


def command(runtime: str, folder: Path, handler: str = HANDLER) -> list[str]:
    """Return how a runtime starts the function of a bundle whose folder holds `lastmile_runtime`."""
    if runtime == BOOTSTRAP:
        # As Lambda calls an exec wrapper: with the command that it would run without one.
        wrapper = folder / "lastmile_runtime/adapters/aws_bootstrap"
        return [str(wrapper), sys.executable, "/var/runtime/bootstrap.py"]
    return [sys.executable, "-m", "awslambdaric", handler]


@contextmanager
def running(
    runtime: str,
    folder: Path,
    digest: str,
    *,
    chunked: bool = False,
    handler: str = HANDLER,
    environ: dict[str, str] | None = None,
) -> Iterator[LambdaProcess]:
    """Start a function of a bundle whose folder holds the runtime; `environ` is set in its environment too."""
    with RuntimeApi(chunked=chunked) as api:
        given = {**environment(folder, digest, api), **(environ or {})}
        if runtime == MANAGED:
            # Lambda's own runtime has the function's folder on its path.
            given["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
        process = subprocess.Popen(
            command(runtime, folder, handler),
            cwd=folder,
            env=given,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        with process:
            try:
                yield LambdaProcess(process, api)
            finally:
                process.kill()


def wait_until(condition: Callable[[], Any], timeout_s: float = TIMEOUT_S) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def make_bundle(folder: Path, source: str = DOUBLER, ids: tuple[str, ...] = ("v1",)) -> tuple[Path, str]:
    """Make a bundle of plain classes in a folder, with the runtime in it; return it and its digest."""
    made = folder / "bundle"
    copy_runtime(made)
    return made, python_bundle(made, source, ids)


def outputs(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a prediction's outputs; fails for an answer that is an error."""
    assert answer["statusCode"] == 200, answer
    return {tensor["name"]: tensor["data"] for tensor in json.loads(answer["body"])["outputs"]}
