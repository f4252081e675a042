"""A route: a port of this machine in front of a function."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping, Set
from typing import Any

import psutil

from lastmile_sls.errors import LastmileError
from lastmile_sls.local import records, supervise
from lastmile_sls.local.home import Place
from lastmile_sls.local.records import Record
from lastmile_sls.local.resources.kind import Kind, too_small

ADDRESS = "127.0.0.1"
FIRST_PORT = 8080
_PORTS_TRIED = 200
_LEAST_RATE = 0.001


class Route(Kind):
    """Outputs: `port`, `url`."""

    def check(self, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The port must be one, a key is needed unless the endpoint is public, and limits must be positive."""
        wrong = []
        port, auth = inputs.get("port"), inputs.get("auth")
        if port is not None and (not isinstance(port, (int, float)) or not 1 <= port <= 65535):
            wrong.append(("port", f"port is {port!r}, but must be 1 to 65535."))
        if "auth" in inputs and auth not in ("key", "jwt", "public"):
            wrong.append(("auth", f"auth is {auth!r}, but must be 'key', 'jwt' or 'public'."))
        if auth == "jwt" and inputs.get("jwt") is None:
            wrong.append(("jwt", "jwt is missing, but auth is 'jwt'."))
        if auth == "key" and inputs.get("keyDigests") == []:
            wrong.append(("keyDigests", "keyDigests is empty, but auth is 'key'."))
        rate = inputs.get("rateLimit")
        if isinstance(rate, Mapping):
            limits = too_small(rate, {"requestsPerS": _LEAST_RATE, "burst": 1})
            wrong += [("rateLimit", f"rateLimit.{reason}") for _, reason in limits]
        return wrong

    def make(self, place: Place, record: Record) -> dict[str, Any]:
        """Settle the port: the one asked for, else the one it has, else the first free one."""
        function = record.inputs["function"]
        if records.get(place, "function", function) is None:
            raise LastmileError(
                f"the route {record.name} of {place.deployment} leads to the function {function}, which does not exist.",
                "Make the function first.",
            )
        port = record.inputs.get("port") or record.outputs.get("port")
        if port is None:
            port = first_free_port(reserved_ports(place))
        elif not _is_ours(place, record, int(port)):
            check_port(
                int(port),
                "targets.local.port" if record.inputs.get("port") else "the port kept for the endpoint",
            )
        return {"port": int(port), "url": f"http://{ADDRESS}:{int(port)}"}

    def activate(self, place: Place, record: Record) -> None:
        """Make sure that the host runs, and serves this."""
        supervise.ensure(place)

    def restore(self, place: Place, record: Record) -> None:
        """Let a running host serve what it served before."""
        supervise.reload(place)

    def drifted(self, place: Place, record: Record) -> list[str]:
        """Return `host` when the host process is gone."""
        return [] if supervise.is_current(place) else ["host"]

    def remove(self, place: Place, record: Record) -> None:
        """Stop serving; the host ends with its last route."""
        supervise.reload(place)


def check_port(port: int, field: str = "targets.local.port") -> None:
    """Raise LastmileError when somebody else listens on the port."""
    if not _is_free(port):
        raise LastmileError(
            f"{field} is {port}, but {_listener(port)} listens there.",
            "Stop it, or name another port: targets.local.port.",
        )


def reserved_ports(place: Place) -> set[int]:
    """Return the ports of the other deployments, whether they run now or not."""
    routes = [route for neighbour in place.neighbours for route in records.all_of(neighbour, "route")]
    return {int(route.outputs["port"]) for route in routes if route.outputs.get("port")}


def first_free_port(reserved: Set[int]) -> int:
    """Return the first port from 8080 on that is free and not reserved."""
    for port in range(FIRST_PORT, FIRST_PORT + _PORTS_TRIED):
        if port not in reserved and _is_free(port):
            return port
    last = FIRST_PORT + _PORTS_TRIED - 1
    raise LastmileError(f"no port from {FIRST_PORT} to {last} is free.", "Name one: targets.local.port.")


def _is_ours(place: Place, record: Record, port: int) -> bool:
    return record.outputs.get("port") == port and supervise.is_running(place)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def _listener(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == "LISTEN":
                name = psutil.Process(connection.pid).name() if connection.pid else "another user's process"
                return f"{name} (pid {connection.pid})" if connection.pid else name
    except psutil.Error:
        pass  # only the superuser may look on some systems
    return "another process"


KIND = Route()
