"""A deployment service as Azure's function apps have one, as far as Azure's own tools ask it.

The shape of its answers is that of Azure/azure-dev cli/azd/pkg/azsdk/funcapp_host_client.go and of projectkudu/kudu
Kudu.Contracts/Deployment/DeployResult.cs (read 2026-11-29).
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "an-access-token"


@dataclass
class Kudu:
    """What it was asked, what it has, and how it answers next."""

    url: str = ""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and authorization of each request."""
    deployed: list[bytes] = field(default_factory=list)
    """The zips that arrived whole."""
    queries: list[dict[str, list[str]]] = field(default_factory=list)
    faults: list[int | str] = field(default_factory=list)
    """For the next requests that publish: a status, `cut` to close after half of the zip, `lose` to take it and close."""
    states: list[Any] = field(default_factory=list)
    """What the next requests for a deployment get: a status of HTTP, or members of the deployment's record."""
    log: Any = None
    """The deployment's log; None: there is none."""
    details: Any = None
    says: str = ""
    """The body of an answer that refuses."""

    def count(self, method: str) -> int:
        return sum(1 for found, _, _ in self.asked if found == method)


@contextlib.contextmanager
def kudu() -> Iterator[Kudu]:
    """Run one."""
    service = Kudu()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one packet: two would wait for each other

        def log_message(self, *_: Any) -> None:
            pass

        def reply(self, status: int, document: Any = None) -> None:
            body = service.says.encode() if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def note(self) -> str:
            path = urlsplit(self.path).path
            service.asked.append((self.command, path, self.headers.get("authorization", "")))
            return path

        def do_POST(self) -> None:
            path = self.note()
            size = int(self.headers["content-length"])
            fault = service.faults.pop(0) if service.faults else None
            if fault == "cut":
                self.rfile.read(size // 2)
                self.close_connection = True
                return
            content = self.rfile.read(size)
            if isinstance(fault, int):
                self.reply(fault)
                return
            assert path == "/api/publish"
            assert self.headers["content-type"] == "application/zip"
            service.queries.append(parse_qs(urlsplit(self.path).query))
            service.deployed.append(content)
            if fault == "lose":
                self.close_connection = True
                return
            self.reply(202, f"id-{len(service.deployed)}")

        def do_GET(self) -> None:
            path = self.note()
            if path.endswith("/log"):
                self.reply(200 if service.log is not None else 404, service.log)
                return
            if path.endswith("/details"):
                self.reply(200, service.details)
                return
            state = service.states.pop(0) if service.states else {}
            if isinstance(state, int):
                self.reply(state)
                return
            self.reply(200, {"id": path.rpartition("/")[2], "status": 4, "complete": True, **state})

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        service.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield service
        finally:
            server.shutdown()
