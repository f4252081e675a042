"""The queue of requests that are answered later: how a function sends to it, whatever the target."""

from __future__ import annotations

from lastmile_runtime.errors import BundleError
from lastmile_runtime.local_host import ask, parse_url

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Protocol

    class Queue(Protocol):
        """A queue that delivers each message at least once."""

        def send(self, message: bytes, deadline_s: float) -> None:
            """Add a message: it is kept when this returns. Raises OSError when it is not."""


class LocalQueue:
    """A queue of the embedded cloud, which the deployment's host keeps."""

    def __init__(self, socket: str, name: str) -> None:
        self._socket = socket
        self._name = name

    def send(self, message: bytes, deadline_s: float) -> None:
        """Add a message: it is on disk when this returns. Raises OSError when it is not."""
        answer = ask(self._socket, "POST", f"/queues/{self._name}", message, deadline_s)
        if answer.status != 201:
            told = f": {answer.body.decode('utf-8', 'replace')}" if answer.body else ""
            raise OSError(f"the queue {self._name} answered {answer.status}{told}.")


def open_queue(url: str) -> Queue:
    """Return the queue at a URL: `unix:///SOCKET#NAME`. Raises BundleError for one that this runtime cannot send to."""
    place = parse_url(url)
    if place is None:
        raise BundleError(f"LASTMILE_QUEUE_URL is {url!r}, but must be unix:///SOCKET#NAME.")
    return LocalQueue(*place)
