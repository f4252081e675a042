"""A queue of the embedded cloud, which the deployment's host keeps."""

from __future__ import annotations

from lastmile_runtime.local_host import ask, parse_url

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_BYTES = 32 * 1024 * 1024
"""What the host takes: lastmile_sls.local.queue_api."""


class LocalQueue:
    """A queue of the embedded cloud."""

    most_bytes = _MOST_BYTES

    def __init__(self, socket: str, name: str) -> None:
        self._socket = socket
        self._name = name

    def send(self, message: bytes, deadline_s: float) -> None:
        """Add a message: it is on disk when this returns. Raises OSError when it is not."""
        answer = ask(self._socket, "POST", f"/queues/{self._name}", message, deadline_s)
        if answer.status != 201:
            told = f": {answer.body.decode('utf-8', 'replace')}" if answer.body else ""
            raise OSError(f"the queue {self._name} answered {answer.status}{told}.")


def open_url(url: str, environ: Mapping[str, str]) -> LocalQueue | None:
    """Return the queue at `unix:///SOCKET#NAME`, None for no such URL."""
    place = parse_url(url)
    return LocalQueue(*place) if place else None
