"""An own loop over Lambda's Runtime API, in the place of the managed runtime's, which takes longer to start than a model.

The executable `aws_bootstrap` beside this module starts it; AWS_LAMBDA_EXEC_WRAPPER names that one
(docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html). It is isolated Python without `site`: the bundle, layers
and the runtime's own packages are importable, and PYTHON* variables say nothing. Between the answer and the next event
the process runs on, so shadows run there.
"""

# pathlib would cost 10 ms of each cold start:
# ruff: noqa: PTH112

from __future__ import annotations

import gc
import os
import sys
import time

from lastmile_runtime.adapters.aws_function import Function
from lastmile_runtime.adapters.aws_runtime_api import Invocation, RuntimeApi
from lastmile_runtime.jsons import dumps, loads

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_BEFORE_SNAPSHOT_FAILED, _RESTORE_FAILED = 64, 65
"""The exit codes of Lambda's own runtime."""


class Context:
    """What Lambda says of an invocation (docs.aws.amazon.com/lambda/latest/dg/python-context.html)."""

    def __init__(self, invocation: Invocation, environ: Mapping[str, str]) -> None:
        self.aws_request_id = invocation.id
        self.invoked_function_arn = invocation.function_arn
        self.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
        self.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION", "")
        self.memory_limit_in_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
        self.log_group_name = environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "")
        self.log_stream_name = environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")
        self._deadline_ms = invocation.deadline_ms

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still take, in ms."""
        return max(0, self._deadline_ms - int(time.time() * 1000))


def main() -> None:
    """Answer events until Lambda ends the process."""
    gc.disable()  # what a start makes stays
    sys.path += _import_paths(os.environ)
    # A pipe would hold back what the user's class prints, and could refuse its characters.
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr] # a TextIOWrapper: nothing replaced it yet
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        function = Function(os.environ, sys.stdout.write, works_after=True)
    except BaseException as error:
        api.fail_start(*_told(error))
        raise
    if function.takes_snapshot:
        _take_snapshot(api, function)
    answer_next(api, function)
    gc.freeze()
    gc.enable()
    while True:
        answer_next(api, function)


def answer_next(api: RuntimeApi, function: Function) -> None:
    """Wait for an event, answer it, and do what is left to do after the answer."""
    invocation = api.next()
    if invocation.trace_id:
        os.environ["_X_AMZN_TRACE_ID"] = invocation.trace_id
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    try:
        answer, afterwards = function.answer(loads(invocation.event), Context(invocation, os.environ))
        content = dumps(answer, ensure_ascii=False).encode()
    except Exception as error:  # noqa: BLE001 - whatever it was, Lambda is told, and the next event is another one
        document, kind = _told(error)
        _log_error(error)
        api.fail(invocation.id, document, kind)
        return
    status = api.respond(invocation.id, content)
    if status >= 400:
        sys.stdout.write(f"Lambda did not take the answer to {invocation.id}: it said {status}.\n")
    if afterwards:
        try:
            afterwards()
        except Exception as error:  # noqa: BLE001 - the answer is sent; nothing waits for this
            _log_error(error)


def _take_snapshot(api: RuntimeApi, function: Function) -> None:
    """Load, let Lambda take its snapshot, and come back from it (lambda/latest/dg/snapstart-runtime-hooks.html).

    Functions that the user's own code registered with `snapshot_restore_py` run too, in its order.
    """
    try:
        function.prepare()
        hooks = sys.modules.get("snapshot_restore_py")
        for call, args, kwargs in reversed(hooks.get_before_snapshot() if hooks else []):
            call(*args, **kwargs)
        api.wait_for_restore()
    except BaseException as error:  # noqa: BLE001 - whatever it was, there is no snapshot
        _log_error(error)
        api.fail_start(_told(error)[0], "Runtime.BeforeSnapshotError")
        sys.exit(_BEFORE_SNAPSHOT_FAILED)
    try:
        function.restored()
        for call, args, kwargs in hooks.get_after_restore() if hooks else []:
            call(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001 - whatever it was, this copy cannot be used
        _log_error(error)
        api.fail_restore(_told(error)[0])
        sys.exit(_RESTORE_FAILED)


def _import_paths(environ: Mapping[str, str]) -> list[str]:
    """Return where Lambda's own runtime finds modules, behind the bundle: layers, then what it brings itself."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    layers = [f"/opt/python/lib/{version}/site-packages", "/opt/python"]
    own = [f"{sys.prefix}/lib/{version}/site-packages", environ.get("LAMBDA_RUNTIME_DIR", "/var/runtime")]
    return [path for path in layers + own if os.path.isdir(path)]


def _told(error: BaseException) -> tuple[bytes, str]:
    """Return an error as the Runtime API takes it (lambda/latest/dg/runtimes-api.html), and its kind."""
    import traceback

    document: dict[str, Any] = {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }
    return dumps(document, ensure_ascii=True).encode(), f"Function.{type(error).__name__}"


def _log_error(error: BaseException) -> None:
    """Write an error and where it came from, as one event of the log: carriage returns keep its lines together."""
    import traceback

    sys.stdout.write(
        "[ERROR] " + "".join(traceback.format_exception(error)).strip().replace("\n", "\r") + "\n"
    )
