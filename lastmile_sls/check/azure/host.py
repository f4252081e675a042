"""Stands in for the host of Azure Functions: starts a worker, has it find the functions, and invokes them."""

from __future__ import annotations

import math
import queue
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl

import grpc

from lastmile_sls.check.azure.protocol import STREAM, protos
from lastmile_sls.check.contract import wait_for
from lastmile_sls.check.process import NoAnswer, Process

SCRIPT = Path(__file__).with_name("worker.py")
"""What stands in for Azure's own proxy to its worker library."""
PATIENCE_S = 60.0
HOST_NAME = "churn.azurewebsites.net"


class Host:
    """A worker and the stream to it; use it as a context manager."""

    def __init__(
        self,
        python: Path,
        environ: Mapping[str, str],
        *,
        bridge: Literal["proxy", "native"],
        folder: Path | None = None,
        memory_mb: float = math.inf,
        flags: Sequence[str] = (),
    ) -> None:
        """Start a worker.

        Args:
            python: An interpreter that finds Azure's worker library.
            environ: The worker's environment.
            bridge: How it gets its invocations.
            folder: Its working folder; by default this process's.
            memory_mb: It is killed when it holds more.
            flags: The interpreter's.
        """
        self.logs: list[Any] = []
        """What the worker logged through the stream."""
        self.functions: dict[str, Any] = {}
        """What it says of each function, by name."""
        self._sent: queue.Queue[Any] = queue.Queue()
        self._waiting: dict[str, queue.Queue[Any]] = {}
        self._server = grpc.server(ThreadPoolExecutor(4))
        handler = grpc.stream_stream_rpc_method_handler(
            self._stream,
            request_deserializer=protos.StreamingMessage.FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )
        service, method = STREAM.strip("/").split("/")
        self._server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(service, {method: handler})]
        )
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        command = [str(python), *flags, str(SCRIPT), str(port), bridge]
        try:
            self.process = Process(command, environ, folder or Path.cwd(), memory_mb=memory_mb)
        except NoAnswer:
            self._server.stop(None)
            raise

    @property
    def console(self) -> list[str]:
        """What the worker wrote to its standard output and error."""
        return [line.text for line in list(self.process.said)]

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the worker; its console is complete then."""
        self._sent.put(None)
        self.process.end()
        self._server.stop(None).wait()

    def initialize(self, folder: Path, within_s: float = PATIENCE_S) -> Any:
        """Have the worker load an app, as where there is no placeholder; return its answer. Raises NoAnswer."""
        request = protos.WorkerInitRequest(host_version="4.1041.0", function_app_directory=str(folder))
        return self._ask("worker_init", within_s, worker_init_request=request)

    def specialize(self, folder: Path, environ: Mapping[str, str]) -> Any:
        """Have a worker that was started before there was an app load it; return its answer."""
        request = protos.FunctionEnvironmentReloadRequest(
            function_app_directory=str(folder), environment_variables=dict(environ)
        )
        return self._ask(
            "function_environment_reload", PATIENCE_S, function_environment_reload_request=request
        )

    def index(self, folder: Path) -> dict[str, Any]:
        """Ask for the functions and load each; return what is said of them. Raises NoAnswer."""
        request = protos.FunctionsMetadataRequest(function_app_directory=str(folder))
        found = self._ask("function_metadata", PATIENCE_S, functions_metadata_request=request)
        require_success(found)
        self.functions = {entry.name: entry for entry in found.function_metadata_results}
        for entry in self.functions.values():
            load = protos.FunctionLoadRequest(function_id=entry.function_id, metadata=entry)
            require_success(self._ask("function_load", PATIENCE_S, function_load_request=load))
        return self.functions

    def http(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        within_s: float = PATIENCE_S,
    ) -> Any:
        """Invoke the function of a request, and return the answer that a client would get (RpcHttp).

        Raises NoAnswer when it fails, or takes longer.
        """
        path, _, query = target.partition("?")
        http = protos.RpcHttp(
            method=method,
            url=f"https://{HOST_NAME}{target}",
            headers={"host": HOST_NAME, **(headers or {})},
            query=dict(parse_qsl(query)),
            params={"path": path.removeprefix("/")},
        )
        if body:
            http.body.bytes = body
        response = self.invoke("predict", "request", protos.TypedData(http=http), {}, within_s)
        require_success(response)
        return response.return_value.http

    def message(self, body: str, dequeue_count: int = 1) -> Any:
        """Deliver a message of the queue; return the invocation's response."""
        metadata = {
            "Id": protos.TypedData(string="message-1"),
            "DequeueCount": protos.TypedData(json=str(dequeue_count)),
            "PopReceipt": protos.TypedData(string="receipt"),
            "InsertionTime": protos.TypedData(json='"2026-01-31T12:00:00+00:00"'),
        }
        return self.invoke("work", "message", protos.TypedData(string=body), metadata)

    def invoke(
        self,
        function: str,
        parameter: str,
        data: Any,
        metadata: Mapping[str, Any],
        within_s: float = PATIENCE_S,
    ) -> Any:
        """Invoke a function; return its response. Raises NoAnswer."""
        id_ = str(uuid.uuid4())
        request = protos.InvocationRequest(
            invocation_id=id_,
            function_id=self.functions[function].function_id,
            input_data=[protos.ParameterBinding(name=parameter, data=data)],
            trigger_metadata=metadata,
        )
        return self._ask(id_, within_s, invocation_request=request)

    def events(self) -> list[tuple[Any, str]]:
        """Return the records of our own, each with its invocation, in order."""
        return [(log.level, log.message) for log in list(self.logs) if log.category == "lastmile"]

    def _ask(self, key: str, within_s: float, **content: Any) -> Any:
        found: queue.Queue[Any] = queue.Queue()
        self._waiting[key] = found
        self._sent.put(protos.StreamingMessage(request_id="host", **content))
        return wait_for(found, self.process, within_s, f"the worker's answer to {next(iter(content))}")

    def _stream(self, messages: Iterator[Any], _: object) -> Iterator[Any]:
        threading.Thread(target=self._receive, args=(messages,), daemon=True).start()
        return iter(self._sent.get, None)

    def _receive(self, messages: Iterator[Any]) -> None:
        try:
            for message in messages:
                kind = message.WhichOneof("content")
                content = getattr(message, kind)
                if kind == "rpc_log":
                    self.logs.append(content)
                elif kind == "invocation_response":
                    self._give(content.invocation_id, content)
                elif kind != "start_stream":
                    self._give(kind.removesuffix("_response"), content)
        except grpc.RpcError:
            return  # the worker was ended

    def _give(self, key: str, content: Any) -> None:
        waiting = self._waiting.pop(key, None)
        if waiting is not None:  # else nobody waits for it any more
            waiting.put(content)


def require_success(response: Any) -> None:
    """Raise NoAnswer, with the worker's reason, unless it did what it was asked."""
    result = response.result
    if result.status != protos.StatusResult.Success:
        told = result.exception.message or "it gives no reason"
        raise NoAnswer(f"the worker failed: {told}", result.exception.stack_trace)
