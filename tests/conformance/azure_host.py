"""Stands in for the host of Azure Functions: starts a worker, has it find the functions, and invokes them."""

from __future__ import annotations

import queue
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import grpc

from tests.conformance.azure_protocol import STREAM, protos

WORKER = Path(__file__).with_name("azure_worker.py")
PATIENCE_S = 60.0


class Host:
    """A worker and the stream to it; use it as a context manager."""

    def __init__(self, python: Path, environ: Mapping[str, str], *, bridge: str) -> None:
        """Start a worker.

        Args:
            python: The interpreter that has Azure's worker library.
            environ: The worker's environment.
            bridge: How it gets its invocations, `proxy` or `native`.
        """
        self.logs: list[Any] = []
        """What the worker logged through the stream."""
        self.console: list[str] = []
        """What it wrote to its standard output."""
        self.functions: dict[str, Any] = {}
        """What it says of each function, by name."""
        self._sent: queue.Queue[Any] = queue.Queue()
        self._waiting: dict[str, Future[Any]] = {}
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
        self._process = subprocess.Popen(
            [str(python), str(WORKER), str(port), bridge],
            env=dict(environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the worker; its console is complete then."""
        self._sent.put(None)
        self._process.kill()
        self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        self._server.stop(None)

    def initialize(self, folder: Path) -> Any:
        """Have the worker load an app, as where there is no placeholder; return its answer."""
        request = protos.WorkerInitRequest(host_version="4.1041.0", function_app_directory=str(folder))
        return self._ask("worker_init", worker_init_request=request)

    def specialize(self, folder: Path, environ: Mapping[str, str]) -> Any:
        """Have a worker that was started before there was an app load it; return its answer."""
        request = protos.FunctionEnvironmentReloadRequest(
            function_app_directory=str(folder), environment_variables=dict(environ)
        )
        return self._ask("function_environment_reload", function_environment_reload_request=request)

    def index(self, folder: Path) -> dict[str, Any]:
        """Ask for the functions and load each; return what is said of them."""
        request = protos.FunctionsMetadataRequest(function_app_directory=str(folder))
        found = self._ask("function_metadata", functions_metadata_request=request)
        assert found.result.status == protos.StatusResult.Success, found
        self.functions = {entry.name: entry for entry in found.function_metadata_results}
        for entry in self.functions.values():
            load = protos.FunctionLoadRequest(function_id=entry.function_id, metadata=entry)
            loaded = self._ask("function_load", function_load_request=load)
            assert loaded.result.status == protos.StatusResult.Success, loaded
        return self.functions

    def http(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Any:
        """Invoke the function of a request, and return the answer that a client would get (RpcHttp)."""
        path, _, query = target.partition("?")
        http = protos.RpcHttp(
            method=method,
            url=f"https://churn.azurewebsites.net{target}",
            headers={"host": "churn.azurewebsites.net", **(headers or {})},
            query=dict(parse_qsl(query)),
            params={"path": path.removeprefix("/")},
        )
        if body:
            http.body.bytes = body
        response = self.invoke("predict", "request", protos.TypedData(http=http), {})
        assert response.result.status == protos.StatusResult.Success, response
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

    def invoke(self, function: str, parameter: str, data: Any, metadata: Mapping[str, Any]) -> Any:
        """Invoke a function; return its response."""
        id_ = str(uuid.uuid4())
        request = protos.InvocationRequest(
            invocation_id=id_,
            function_id=self.functions[function].function_id,
            input_data=[protos.ParameterBinding(name=parameter, data=data)],
            trigger_metadata=metadata,
        )
        return self._ask(id_, invocation_request=request)

    def events(self) -> list[tuple[Any, str]]:
        """Return the records of our own, each with its invocation, in order."""
        return [(log.level, log.message) for log in list(self.logs) if log.category == "lastmile"]

    def _ask(self, key: str, **content: Any) -> Any:
        future: Future[Any] = Future()
        self._waiting[key] = future
        self._sent.put(protos.StreamingMessage(request_id="host", **content))
        deadline = time.monotonic() + PATIENCE_S
        while not future.done():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("\n".join(["the worker gave no answer", *self.console]))
            wait([future], 0.2)
        return future.result()

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
                    self._waiting.pop(content.invocation_id).set_result(content)
                elif kind != "start_stream":
                    self._waiting.pop(kind.removesuffix("_response")).set_result(content)
        except grpc.RpcError:
            return  # the worker was ended

    def _read(self) -> None:
        assert self._process.stdout is not None
        self.console.extend(line.rstrip("\n") for line in self._process.stdout)
