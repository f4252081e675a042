"""Lambda: a function that asks the Runtime API for events, under its own bootstrap and under AWS's runtime client."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from lastmile_sls.check.aws.event import EventAnswerError, http_event, read_answer
from lastmile_sls.check.aws.runtime_api import RuntimeApi
from lastmile_sls.check.contract import POLL_S, Answer, Contract, Finding, Function, Setting, wait_for
from lastmile_sls.check.process import NoAnswer, Process
from lastmile_sls.check.tools import AWSLAMBDARIC

HANDLER = "lastmile_runtime.adapters.aws.handler"
"""Where an image says what runs, and the deployment does not (see `lastmile_sls.build.package`)."""
_WRAPPER_SETTING = "AWS_LAMBDA_EXEC_WRAPPER"
_TASK_FOLDER = "/var/task"
"""Where Lambda has a function's files."""
_WRAPPER = f"{_TASK_FOLDER}/lastmile_runtime/adapters/aws_bootstrap"
_REPLACED = "/var/runtime/bootstrap.py"
"""Lambda's own loop, which the wrapper is told of and does not run."""


class LambdaFunction:
    """A function, and the Runtime API that it asks."""

    def __init__(self, process: Process, api: RuntimeApi, startup_s: float) -> None:
        self.process = process
        self._api = api
        self._startup_s = startup_s

    @property
    def started_at(self) -> float | None:
        """When it asked for its first event: its init phase ended then."""
        return self._api.asked_at

    def ask(self, path: str, body: bytes, within_s: float) -> Answer:
        """Hand out an event, and return the answer to it. Raises NoAnswer."""
        id_ = self._api.send(http_event(path, body))
        if self._api.asked_at is None:
            self._wait_for_start()
        outcome = wait_for(self._api.outcomes[id_], self.process, within_s, "the answer")
        at = time.perf_counter()
        if outcome.kind != "response":
            raise NoAnswer(f"it failed: {_error(outcome.document)}", self.process.last_words())
        try:
            status, headers, content = read_answer(outcome.document)
        except EventAnswerError as error:
            raise NoAnswer(f"API Gateway would not take its answer: {error}.") from error
        return Answer(at, status, headers, content)

    def _wait_for_start(self) -> None:
        deadline = time.monotonic() + self._startup_s
        while self._api.asked_at is None:
            if not self._api.start.empty():
                why = _error(self._api.start.get().document)
                raise NoAnswer(f"it cannot start: {why}", self.process.last_words())
            self.process.watch()
            if time.monotonic() > deadline:
                told = f"it did not ask for an event within {self._startup_s:g} s."
                raise NoAnswer(told, self.process.last_words())
            self._api.asking.wait(POLL_S)

    def finish(self) -> list[Finding]:
        """Check nothing more: Lambda ends a function without a word."""
        return []


def _error(document: object) -> str:
    """Return an error as a function posts it, in words."""
    if isinstance(document, dict):
        return f"{document.get('errorType', 'Error')}: {document.get('errorMessage', '')}"
    return str(document)[:500]


@contextmanager
def _launch(setting: Setting, *, own: bool) -> Iterator[Function]:
    with RuntimeApi(timeout_s=setting.timeout_s) as api:
        environ = {**setting.environ(), **_lambda_environ(setting, api)}
        command = _bootstrap(setting, environ) if own else _managed(setting, environ)
        with Process(command, environ, setting.folder, memory_mb=setting.memory_mb) as process:
            yield LambdaFunction(process, api, setting.startup_s)


def _lambda_environ(setting: Setting, api: RuntimeApi) -> dict[str, str]:
    """Return what Lambda sets (docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html)."""
    return {
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_LAMBDA_FUNCTION_NAME": "predict",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(setting.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{setting.interpreter.minor}",
        "LAMBDA_TASK_ROOT": str(setting.folder),
        "_HANDLER": setting.entry or HANDLER,
    }


def _managed(setting: Setting, environ: dict[str, str]) -> list[str]:
    # In Lambda's order: the function, its layers, what the runtime brings.
    places = (setting.folder, setting.packages, setting.tool)
    environ["PYTHONPATH"] = os.pathsep.join(str(place) for place in places if place)
    return [str(setting.python), "-m", "awslambdaric", setting.entry or HANDLER]


def _bootstrap(setting: Setting, environ: dict[str, str]) -> list[str]:
    """Return the command that AWS_LAMBDA_EXEC_WRAPPER is run with."""
    if setting.packages:
        environ["LAMBDA_RUNTIME_DIR"] = str(setting.packages)
    python = _profiling(setting) if setting.profiles_imports else setting.python
    wrapper = environ.get(_WRAPPER_SETTING, _WRAPPER).replace(_TASK_FOLDER, str(setting.folder), 1)
    return [wrapper, str(python), _REPLACED]


def _profiling(setting: Setting) -> Path:
    """Return an interpreter that profiles its imports: the bootstrap isolates it from what its environment says."""
    script = setting.scratch / "python"
    script.write_text(f'#!/bin/sh\nexec "{setting.python}" -X importtime "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


BOOTSTRAP = Contract("aws bootstrap", "Lambda, the bundle's own bootstrap", partial(_launch, own=True))
MANAGED = Contract(
    "aws awslambdaric", "Lambda, AWS's runtime client", partial(_launch, own=False), AWSLAMBDARIC
)
