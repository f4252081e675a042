"""The host process of a deployment: `python -m lastmile_sls.local.host FOLDER`.

Serves the deployment's routes, runs its functions, and takes changed records up when it is told to. It ends
with its last route, or on SIGTERM, after answering what is in flight.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import importlib
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Any

from lastmile_sls import __version__
from lastmile_sls.errors import LastmileError
from lastmile_sls.files import write_private
from lastmile_sls.local import records
from lastmile_sls.local.callback_secret import hashed
from lastmile_sls.local.clock import Clock
from lastmile_sls.local.configs import function_config, route_config, versions_of
from lastmile_sls.local.functions import Pool
from lastmile_sls.local.gateway import Gateway
from lastmile_sls.local.home import Place
from lastmile_sls.local.instances import HOST_SOCKET
from lastmile_sls.local.listener import Listener
from lastmile_sls.local.logs import FunctionLog, log_file
from lastmile_sls.local.messaging import Messaging
from lastmile_sls.local.metrics import Metrics, State
from lastmile_sls.local.resources.function import remove_old_bundles

_LOG = logging.getLogger("lastmile.host")
_LOCK_DEADLINE_S = 2.0
_SOCKETS = "lastmile-"


class Host:
    """The deployment as it runs."""

    def __init__(self, place: Place, sockets: Path) -> None:
        self._place = place
        self._sockets = sockets
        self._pools: dict[str, Pool] = {}
        self._gateways: dict[int, Gateway] = {}
        self._listeners: dict[int, Listener] = {}
        self._messaging = Messaging(place, sockets / HOST_SOCKET, self._pools.get, self._find_called)
        self._clock = Clock(place, self._messaging.send)
        self._metrics = Metrics()
        self._retiring: dict[Pool, asyncio.Task[None]] = {}
        self._changing = asyncio.Lock()
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Serve until there is nothing to serve, or until told to end. Raises LastmileError when it cannot."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ended.set)
        try:
            await self._messaging.start()
            await self.reload()
            self._clock.start()
            control = self._sockets / "control.sock"
            server = await asyncio.start_unix_server(self._control, str(control))
            whereabouts = {"pid": os.getpid(), "control": str(control)}
            write_private(self._place.host_file, json.dumps(whereabouts).encode())
            await self._ended.wait()
            server.close()
        finally:
            await self._end()

    async def _end(self) -> None:
        _LOG.info("ending")
        await self._clock.stop()
        stopping = [listener.stop() for listener in self._listeners.values()]
        await asyncio.gather(*stopping, self._messaging.stop())
        await self._messaging.close()
        await asyncio.gather(*(pool.close() for pool in self._pools.values()), *self._retiring.values())
        _LOG.info("ended")

    async def reload(self) -> None:
        """Take up what the records say: changed functions get new processes, and their old ones end in peace."""
        async with self._changing:
            before = dict(self._pools)
            try:
                await self._run_functions()
                await self._messaging.serve([pool.config for pool in self._pools.values()])
                self._clock.serve(records.all_of(self._place, "schedule"))
                await self._serve_routes()
            finally:
                retired = [pool for name, pool in before.items() if self._pools.get(name) is not pool]
                # Those that ask others first: what they ask is there until they have answered.
                for pool in sorted(retired, key=lambda pool: not pool.config.calls):
                    self._retire(pool)
            _LOG.info("serving %s on %s", sorted(self._pools), sorted(self._listeners))

    async def _run_functions(self) -> None:
        wanted = [function_config(self._place, record) for record in records.all_of(self._place, "function")]
        for name in self._pools.keys() - {config.name for config in wanted}:
            del self._pools[name]
        for config in wanted:
            pool = self._pools.get(config.name)
            if pool is None or pool.config != config:
                self._metrics.know(config.name, versions_of(config.bundle))
                log = FunctionLog(log_file(self._place, config.name))
                pool = Pool(config, self._sockets, log, partial(self._metrics.observe, config.name))
                await pool.start()
                self._pools[config.name] = pool

    def _find_called(self, name: str) -> Pool | None:
        """Return the pool of a function that another one of the deployment may ask; None for any other.

        One that is retiring, with requests that it has to answer, may ask what it could.
        """
        if not any(name in pool.config.calls for pool in (*self._pools.values(), *self._retiring)):
            return None
        return self._pools.get(name) or next(
            (pool for pool in self._retiring if pool.config.name == name), None
        )

    def _retire(self, pool: Pool) -> None:
        callers = [task for other, task in self._retiring.items() if pool.config.name in other.config.calls]
        task = asyncio.ensure_future(self._close(pool, callers))
        self._retiring[pool] = task
        task.add_done_callback(lambda _: self._retiring.pop(pool, None))

    async def _close(self, pool: Pool, callers: Sequence[asyncio.Task[None]]) -> None:
        if callers:
            await asyncio.wait(callers)
        await pool.close()
        used = {other.config.bundle for other in self._pools.values()}
        remove_old_bundles(self._place, pool.config.name, used)

    async def _serve_routes(self) -> None:
        wanted = {
            int(record.outputs["port"]): route_config(record)
            for record in records.all_of(self._place, "route")
            if record.outputs.get("port")
        }
        for port in self._listeners.keys() - wanted.keys():
            del self._gateways[port]
            await self._listeners.pop(port).stop()
        for port, config in wanted.items():
            if port in self._gateways and self._gateways[port].config == config:
                continue
            gateway = Gateway(config, partial(self._pools.get, config.function), self)
            if port in self._listeners:
                self._listeners[port].app = gateway.application()
            else:
                self._listeners[port] = Listener(port, gateway.application())
                self._listeners[port].start()
            self._gateways[port] = gateway

    async def _control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        command = (await reader.readline()).decode().strip()
        answer = await self._obey(command)
        writer.write(json.dumps(answer).encode() + b"\n")
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()
        if answer.get("ending"):
            self._ended.set()

    async def _obey(self, command: str) -> dict[str, Any]:
        try:
            match command.split():
                case ["status"]:
                    answer = self.status()
                case ["stop"]:
                    answer = {"ending": True}
                case ["redrive", queue]:
                    answer = {"redriven": await self._messaging.redrive(queue)}
                case ["has", variable, digest]:
                    answer = {"has": hashed(os.environ.get(variable, "")) == digest}
                case ["tick", schedule]:
                    await self._clock.send(schedule)
                    answer = {"sent": schedule}
                case ["reload"]:
                    await self.reload()
                    answer = {"ending": not self._listeners}
                case _:
                    answer = {"error": f"the host does not know the command {command!r}."}
        except LastmileError as error:
            return {"error": error.message, "hint": error.hint}
        return answer

    def refused(self, status: int) -> None:
        """Count a request that no function answered."""
        self._metrics.refused(status)

    async def render(self, accept: str) -> tuple[str, bytes]:
        """Return the metrics, in the format that a Prometheus server accepts."""
        # Its import takes 150 ms, in which requests go on.
        exposition = await asyncio.to_thread(importlib.import_module, "lastmile_sls.local.exposition")
        functions = {name: pool.state() for name, pool in self._pools.items()}
        state = State(functions, await self._messaging.measure())
        rendered: tuple[str, bytes] = exposition.render(self._metrics, state, accept)
        return rendered

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
                        "requests": instance.served,
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


def main() -> None:
    """Run the host of the deployment in the folder that the command line names."""
    root = Path(sys.argv[1])
    place = Place(root, root.name)
    os.umask(0o077)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    with place.host_lock.open("w") as lock:
        if not _lock(lock, time.monotonic() + _LOCK_DEADLINE_S):
            sys.exit("another host of this deployment runs already.")
        _remove_leftovers(place)
        # The paths of sockets may have about 100 bytes, so they are not kept in the deployment's own folder.
        sockets = Path(tempfile.mkdtemp(prefix=_SOCKETS, dir="/tmp"))
        try:
            asyncio.run(Host(place, sockets).run())
        except LastmileError as error:
            sys.exit(str(error))
        finally:
            place.host_file.unlink(missing_ok=True)
            shutil.rmtree(sockets, ignore_errors=True)


def _lock(file: IO[str], deadline: float) -> bool:
    """Take the lock. Whoever asks whether a host runs holds it for a moment, hence the second try."""
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        else:
            return True


def _remove_leftovers(place: Place) -> None:
    """Remove the sockets of a host that was killed."""
    try:
        folder = Path(json.loads(place.host_file.read_text(encoding="utf-8"))["control"]).parent
    except (OSError, ValueError, KeyError, TypeError):
        return
    if folder.name.startswith(_SOCKETS):
        shutil.rmtree(folder, ignore_errors=True)
    place.host_file.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
