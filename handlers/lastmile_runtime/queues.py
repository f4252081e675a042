"""The queue of requests that are answered later: how a function sends to it, whatever the target."""

from __future__ import annotations

import _socket  # socket itself would cost 7 ms of each cold start, for enum and selectors

from lastmile_runtime.errors import BundleError

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Protocol

    class Queue(Protocol):
        """A queue that delivers each message at least once."""

        def send(self, message: bytes, deadline_s: float) -> None:
            """Add a message: it is kept when this returns. Raises OSError when it is not."""


class LocalQueue:
    """A queue of the embedded cloud, which the deployment's host keeps."""

    def __init__(self, path: str, name: str) -> None:
        self._path = path
        self._name = name

    def send(self, message: bytes, deadline_s: float) -> None:
        """Add a message: it is on disk when this returns. Raises OSError when it is not."""
        head = f"POST /queues/{self._name} HTTP/1.1\r\ncontent-length: {len(message)}\r\n\r\n"
        connection = _socket.socket(_socket.AF_UNIX)
        try:
            connection.settimeout(deadline_s)
            connection.connect(self._path)
            connection.sendall(head.encode() + message)
            answer = bytearray()
            while chunk := connection.recv(65_536):
                answer += chunk
        finally:
            connection.close()
        status = answer.partition(b"\r\n")[0].partition(b" ")[2].decode("latin-1")
        if status.split(" ")[0] != "201":
            raise OSError(f"the queue {self._name} answered {status!r}.")


def open_queue(url: str) -> Queue:
    """Return the queue at a URL: `unix:///SOCKET#NAME`. Raises BundleError for one that this runtime cannot send to."""
    path, _, name = url.removeprefix("unix://").partition("#")
    if not url.startswith("unix:///") or not name:
        raise BundleError(f"LASTMILE_QUEUE_URL is {url!r}, but must be unix:///SOCKET#NAME.")
    return LocalQueue(path, name)
