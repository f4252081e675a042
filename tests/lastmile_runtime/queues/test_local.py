from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_runtime.queues import open_queue
from lastmile_runtime.queues.local import LocalQueue
from tests.lastmile_runtime.hosts import Host


def test_a_message_is_sent_whole(path: str) -> None:
    host = Host(path, b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n", end=b"}")
    open_queue(f"unix://{path}#jobs").send(b'{"id": 1}', 5)
    host.close()
    assert host.seen == b'POST /queues/jobs HTTP/1.1\r\ncontent-length: 9\r\n\r\n{"id": 1}'


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 18\r\n\r\ndatabase is locked",
            "the queue jobs answered 503: database is locked.",
        ),
        (
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "the queue jobs answered 404.",
        ),
        (b"", "the connection was closed before the answer was complete"),
    ],
)
def test_any_other_answer_is_an_error(path: str, answer: bytes, message: str) -> None:
    host = Host(path, answer, end=b"}")
    with pytest.raises(OSError, match=r"\Athe ") as refused:
        LocalQueue(path, "jobs").send(b"{}", 5)
    host.close()
    assert str(refused.value) == message


def test_no_answer_in_time_is_an_error(path: str) -> None:
    host = Host(path, b"late", pause_s=0.2, end=b"}")
    with pytest.raises(TimeoutError):
        LocalQueue(path, "jobs").send(b"{}", 0.05)
    host.close()


def test_no_socket_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        LocalQueue("/tmp/lastmile-no-such-socket", "jobs").send(b"{}", 5)
