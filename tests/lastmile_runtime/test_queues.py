from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lastmile_runtime.errors import BundleError
from lastmile_runtime.queues import LocalQueue, open_queue


class Api:
    """A queue's socket that says what it is told to, once."""

    def __init__(self, path: str, answer: bytes | None) -> None:
        self.seen = b""
        self._answer = answer
        self.ended = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(1)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            while b"\r\n\r\n" not in self.seen or not self.seen.endswith(b"}"):
                self.seen += connection.recv(1024)
            if self._answer is None:
                self.ended.wait(30)
            else:
                connection.sendall(self._answer)

    def close(self) -> None:
        self.ended.set()
        self._thread.join()
        self._listener.close()


@pytest.fixture
def path() -> Iterator[str]:
    # Unix sockets' paths are limited to about 100 bytes, which pytest's folders exceed.
    with tempfile.TemporaryDirectory() as folder:
        yield f"{folder}/q"


def test_a_message_is_sent_whole(path: str) -> None:
    api = Api(path, b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n")
    open_queue(f"unix://{path}#jobs").send(b'{"id": 1}', 5)
    api.close()
    assert api.seen == b'POST /queues/jobs HTTP/1.1\r\ncontent-length: 9\r\n\r\n{"id": 1}'


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 503 database is locked\r\n\r\n", "the queue jobs answered '503 database is locked'."),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "the queue jobs answered '404 Not Found'."),
        (b"", "the queue jobs answered ''."),
    ],
)
def test_any_other_answer_is_an_error(path: str, answer: bytes, message: str) -> None:
    api = Api(path, answer)
    with pytest.raises(OSError, match=r"\Athe queue") as refused:
        LocalQueue(path, "jobs").send(b"{}", 5)
    api.close()
    assert str(refused.value) == message


def test_no_answer_in_time_is_an_error(path: str) -> None:
    api = Api(path, None)
    with pytest.raises(TimeoutError):
        LocalQueue(path, "jobs").send(b"{}", 0.05)
    api.close()


def test_no_socket_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        LocalQueue("/tmp/lastmile-no-such-socket", "jobs").send(b"{}", 5)


@pytest.mark.parametrize("url", ["unix:///tmp/q", "unix:///tmp/q#", "unix://tmp/q#jobs", "sqs://x#jobs", ""])
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(BundleError) as refused:
        open_queue(url)
    assert str(refused.value) == f"LASTMILE_QUEUE_URL is {url!r}, but must be unix:///SOCKET#NAME."
