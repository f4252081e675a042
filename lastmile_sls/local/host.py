"""The host process of a deployment: `python -m lastmile_sls.local.host FOLDER`.

Serves the deployment's routes, runs its functions, and takes changed records up when it is told to. It ends
with its last route, or on SIGTERM, after answering what is in flight.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn

from lastmile_sls import __version__
from lastmile_sls.errors import LastmileError
from lastmile_sls.files import write_private
from lastmile_sls.local import records
from lastmile_sls.local.functions import FunctionConfig, Pool
from lastmile_sls.local.gateway import App, Gateway, Receive, RouteConfig, Scope, Send
from lastmile_sls.local.home import Place
from lastmile_sls.local.logs import FunctionLog, log_file
from lastmile_sls.local.records import Record

ADDRESS = "127.0.0.1"
_DRAIN_S = 10
_BACKLOG = 1024


class _Server(uvicorn.Server):
    """One route's HTTP server; signals are the host's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Listener:
    """A port, and the application behind it, which a reload may exchange."""

    def __init__(self, port: int, app: App) -> None:
        self.port = port
        self.app = app
        self._socket = _bind(port)
        config = uvicorn.Config(
            self._answer,
            interface="asgi3",
            proxy_headers=False,
            server_header=False,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=_DRAIN_S,
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to serve."""
        self._task = asyncio.ensure_future(self._server.serve(sockets=[self._socket]))

    async def stop(self) -> None:
        """Answer what is in flight, then close the port."""
        self._server.should_exit = True
        if self._task:
            await self._task
        self._socket.close()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class Host:
    """The deployment as it runs."""

    def __init__(self, place: Place, sockets: Path) -> None:
        self._place = place
        self._sockets = sockets
        self._pools: dict[str, Pool] = {}
        self._listeners: dict[int, Listener] = {}
        self._retiring: set[asyncio.Task[None]] = set()
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self.ended = asyncio.Event()

    async def run(self) -> None:
        """Serve until there is nothing to serve, or until told to end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.ended.set)
        await self.reload()
        control = self._sockets / "control.sock"
        server = await asyncio.start_unix_server(self._control, str(control))
        write_private(
            self._place.host_file, json.dumps({"pid": os.getpid(), "control": str(control)}).encode()
        )
        await self.ended.wait()
        server.close()
        for listener in self._listeners.values():
            await listener.stop()
        await asyncio.gather(*(pool.close() for pool in self._pools.values()), *self._retiring)

    async def reload(self) -> None:
        """Take up what the records say: changed functions get new processes, and their old ones end in peace."""
        wanted = {
            record.name: _function(self._place, record) for record in records.all_of(self._place, "function")
        }
        before = dict(self._pools)
        for name, config in wanted.items():
            if name not in before or before[name].config != config:
                self._pools[name] = Pool(config, self._sockets, FunctionLog(log_file(self._place, name)))
                await self._pools[name].start()
        await self._serve_routes()
        for name, pool in before.items():
            if self._pools.get(name) is not pool or name not in wanted:
                self._pools.pop(name, None) if name not in wanted else None
                task = asyncio.ensure_future(pool.close())
                self._retiring.add(task)
                task.add_done_callback(self._retiring.discard)

    async def _serve_routes(self) -> None:
        wanted: dict[int, App] = {}
        for record in records.all_of(self._place, "route"):
            pool = self._pools.get(record.inputs["function"])
            if pool and record.outputs.get("port"):
                wanted[int(record.outputs["port"])] = Gateway(_route(record), pool).application()
        for port in [port for port in self._listeners if port not in wanted]:
            await self._listeners.pop(port).stop()
        for port, app in wanted.items():
            if port in self._listeners:
                self._listeners[port].app = app
            else:
                self._listeners[port] = Listener(port, app)
                self._listeners[port].start()

    async def _control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        command = (await reader.readline()).decode().strip()
        try:
            match command:
                case "status":
                    answer = self.status()
                case "reload":
                    await self.reload()
                    answer = {}
                case "stop":
                    answer = {}
                case _:
                    answer = {"error": f"the host does not know the command {command!r}."}
        except LastmileError as error:
            answer = {"error": str(error)}
        writer.write(json.dumps(answer).encode() + b"\n")
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()
        if command == "stop" or (command == "reload" and not self._listeners):
            self.ended.set()

    def status(self) -> dict[str, Any]:
        """Return what runs now."""
        functions = {
            name: {
                "requests": pool.requests,
                "restarts": pool.restarts,
                "instances": [
                    {
                        "pid": instance.pid,
                        "state": instance.state,
                        "in_flight": instance.in_flight,
                        "memory_mb": round(instance.memory_mb(), 1),
                    }
                    for instance in pool.instances
                ],
            }
            for name, pool in self._pools.items()
        }
        return {
            "pid": os.getpid(),
            "since": self._started_at,
            "version": __version__,
            "ports": sorted(self._listeners),
            "functions": functions,
        }


def _function(place: Place, record: Record) -> FunctionConfig:
    inputs = record.inputs
    return FunctionConfig(
        name=record.name,
        bundle=place.bundle(record.name, inputs["bundleDigest"]),
        bundle_digest=inputs["bundleDigest"],
        memory_mb=inputs["memoryMb"],
        timeout_s=inputs["timeoutS"],
        idle_timeout_s=inputs["idleTimeoutS"],
        concurrency=inputs["concurrency"],
        min_instances=inputs["minInstances"],
        max_instances=inputs["maxInstances"],
        environment=inputs.get("environment") or {},
        routing=json.dumps(inputs["routing"]),
    )


def _route(record: Record) -> RouteConfig:
    inputs = record.inputs
    limit = inputs.get("rateLimit") or {}
    return RouteConfig(
        function=inputs["function"],
        auth=inputs["auth"],
        key_digests=tuple(inputs.get("keyDigests") or ()),
        allow_origins=tuple((inputs.get("cors") or {}).get("allowOrigins") or ()),
        requests_per_s=limit.get("requestsPerS"),
        burst=limit.get("burst", 1),
    )


def _bind(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((ADDRESS, port))
    except OSError as error:
        listener.close()
        raise LastmileError(
            f"port {port} cannot be served: {error.strerror}.",
            "Stop what listens there, then run `lastmile up`.",
        ) from error
    listener.listen(_BACKLOG)
    return listener


def main() -> None:
    """Run the host of the deployment in the folder that the command line names."""
    root = Path(sys.argv[1])
    place = Place(root, root.name)
    os.umask(0o077)
    with place.host_lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("another host of this deployment runs already.")
        # The paths of sockets may have about 100 bytes, so they are not kept in the deployment's own folder.
        sockets = Path(tempfile.mkdtemp(prefix="lastmile-", dir="/tmp"))
        try:
            asyncio.run(Host(place, sockets).run())
        except LastmileError as error:
            sys.exit(str(error))
        finally:
            place.host_file.unlink(missing_ok=True)
            shutil.rmtree(sockets, ignore_errors=True)


if __name__ == "__main__":
    main()
