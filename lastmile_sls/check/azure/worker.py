"""The process in which Azure's worker library runs: what Azure's own proxy does around it, and no more.

The proxy is not published as a package; this does as it does (github.com/Azure/azure-functions-python-worker,
workers/proxy_worker/dispatcher.py and workers/r2p2/bridge/bridge.py): a stream to the host, a task per message, a pool
of threads for the functions, log records to the host with the invocation that they belong to.

python worker.py PORT proxy|native: `native` hands invocations over as the newer bridge does.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import queue
import sys
from types import SimpleNamespace
from typing import Any

import grpc
from protocol import STREAM, protos  # type: ignore[import-not-found] # it lies beside this script

sys.path.pop(0)  # this script's folder, whose modules are not the app's


class Worker:
    """One connection to the host."""

    def __init__(self, port: str, *, native: bool) -> None:
        self._native = native
        self._sent: queue.Queue[Any] = queue.Queue()
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self._library: Any = None

    async def run(self) -> None:
        """Answer the host's messages until it goes away."""
        stream = self._channel.stream_stream(
            STREAM,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=protos.StreamingMessage.FromString,
        )
        self._send(start_stream=protos.StartStream(worker_id="worker"))
        messages = stream(iter(self._sent.get, None))
        loop = asyncio.get_running_loop()
        logging.getLogger().addHandler(LogHandler(self))
        logging.getLogger().setLevel(logging.INFO)

        def read() -> None:
            for message in messages:
                asyncio.run_coroutine_threadsafe(self._answer(message), loop)

        try:
            await asyncio.to_thread(read)
        except grpc.RpcError:
            return  # the host went away

    def _send(self, **content: Any) -> None:
        self._sent.put(protos.StreamingMessage(request_id="stream", **content))

    def log(self, record: logging.LogRecord, text: str) -> None:
        """Send a log record to the host."""
        levels = {logging.INFO: "Information", logging.WARNING: "Warning", logging.ERROR: "Error"}
        system = record.name.startswith(("azure.functions", "azure_functions_runtime"))
        invocation = self._library.invocation_id_cv.get() if self._library else None
        self._send(
            rpc_log=protos.RpcLog(
                invocation_id=invocation,
                category=record.name,
                level=getattr(protos.RpcLog, levels.get(record.levelno, "Error")),
                message=text,
                log_category=protos.RpcLog.System if system else protos.RpcLog.User,
            )
        )

    async def _answer(self, message: Any) -> None:
        kind = message.WhichOneof("content")
        if kind in ("worker_init_request", "function_environment_reload_request"):
            self._load(getattr(message, kind).function_app_directory)
        if kind == "worker_status_request":
            self._send(worker_status_response=protos.WorkerStatusResponse())
            return
        if kind == "invocation_request" and self._native:
            await asyncio.to_thread(self._invoke, message.invocation_request)
            return
        request = SimpleNamespace(
            name=kind, request=message, properties={"protos": protos, "host": "127.0.0.1"}
        )
        response = await getattr(self._library, kind)(request)
        # One of the host's messages is in the plural, and its answer is not.
        name = kind.replace("functions_metadata", "function_metadata").replace("request", "response")
        self._send(**{name: response})

    def _load(self, folder: str) -> None:
        """Import the library, the app's own packages first and the app's folder last, as the proxy does."""
        packages = os.path.join(folder, ".python_packages", "lib", "site-packages")  # noqa: PTH118 - as the proxy
        sys.path[:] = [packages, *(entry for entry in sys.path if entry != folder), folder]
        self._library = importlib.import_module("azure_functions_runtime")
        self._library.start_threadpool_executor()

    def _invoke(self, request: Any) -> None:
        native = importlib.import_module("azure_functions_runtime.native_invocation")
        datum = importlib.import_module("azure_functions_runtime.bindings.datumdef")
        _, ok, returned, _, error, stack = native.run_invocation_sync(
            request.invocation_id,
            request.function_id,
            [(entry.name, datum.Datum.from_typed_data(entry.data)) for entry in request.input_data],
            {name: datum.Datum.from_typed_data(data) for name, data in request.trigger_metadata.items()},
        )
        result = protos.StatusResult(
            status=protos.StatusResult.Success if ok else protos.StatusResult.Failure
        )
        if not ok:
            result.exception.CopyFrom(protos.RpcException(message=error, stack_trace=stack))
        self._send(
            invocation_response=protos.InvocationResponse(
                invocation_id=request.invocation_id,
                result=result,
                return_value=datum.datum_as_proto(returned, protos) if returned else None,
            )
        )


class LogHandler(logging.Handler):
    """Sends what is logged to the host."""

    def __init__(self, worker: Worker) -> None:
        super().__init__()
        self._worker = worker

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record."""
        self._worker.log(record, self.format(record))


if __name__ == "__main__":
    asyncio.run(Worker(sys.argv[1], native=sys.argv[2] == "native").run())
    os._exit(0)
