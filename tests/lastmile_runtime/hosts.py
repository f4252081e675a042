"""A host of the embedded cloud as its functions see it, for tests: a Unix socket that says what it is told to."""

from __future__ import annotations

import socket
import threading
import time


class Host:
    """A host's socket that says what it is told to, once; a piece at a time, if there are several."""

    def __init__(self, path: str, *pieces: bytes, pause_s: float = 0.0, end: bytes = b"end") -> None:
        self.seen = b""
        self._end = end
        self._pieces = pieces
        self._pause_s = pause_s
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(1)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            while not self.seen.endswith(self._end):
                self.seen += connection.recv(65_536)
            for piece in self._pieces:
                time.sleep(self._pause_s)
                try:
                    connection.sendall(piece)
                except OSError:
                    return

    def close(self) -> None:
        self._thread.join()
        self._listener.close()
