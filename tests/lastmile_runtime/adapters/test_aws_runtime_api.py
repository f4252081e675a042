from __future__ import annotations

import json
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lastmile_runtime.adapters.aws_runtime_api import RuntimeApi
from lastmile_sls.check.aws import runtime_api

EVENT = {"text": "ü" * 300_000}


@contextmanager
def serving(*connections: list[bytes]) -> Iterator[tuple[str, queue.Queue[bytes]]]:
    """A server that answers each request of each connection with the bytes that are given, then closes it.

    Yields its address, and what it received.
    """
    received: queue.Queue[bytes] = queue.Queue()

    def serve() -> None:
        for answers in connections:
            connection = listener.accept()[0]
            with connection:
                for answer in answers:
                    received.put(_read(connection))
                    for start in range(0, len(answer), 7):
                        connection.sendall(answer[start : start + 7])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", received


def _read(connection: socket.socket) -> bytes:
    content = bytearray()
    while b"\r\n\r\n" not in content:
        content += connection.recv(65_536)
    head, _, body = bytes(content).partition(b"\r\n\r\n")
    size = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b": ")
        size = int(value) if name == b"content-length" else size
    while len(body) < size:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def event(content: bytes, *headers: bytes) -> bytes:
    lines = [
        b"HTTP/1.1 200 OK",
        b"Lambda-Runtime-Aws-Request-Id: 8476a536",
        b"Lambda-Runtime-Deadline-Ms: 1542409706888",
        b"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-2:123456789012:function:f",
        b"Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1",
        b"Content-Length: %d" % len(content),
        *headers,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + content


ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 15\r\n\r\n" + b'{"status":"OK"}'


@pytest.mark.parametrize("chunked", [False, True])
def test_events_come_whole_over_one_connection(chunked: bool) -> None:
    with runtime_api.RuntimeApi(chunked=chunked) as server:
        api = RuntimeApi(server.address)
        for text in ({}, EVENT, {"a": 1}):
            id_ = server.send(text)
            invocation = api.next()
            assert json.loads(invocation.event) == text
            assert (invocation.id, invocation.function_arn) == (id_, runtime_api.ARN)
            assert api.respond(invocation.id, invocation.event) == 202
            outcome = server.outcome(id_)
            assert (outcome.kind, outcome.document) == ("response", text)
            assert outcome.headers["content-type"] == "application/json"
        assert server.connections == 1


def test_what_an_event_says_of_itself() -> None:
    with serving([event(b"{}")]) as (address, received):
        invocation = RuntimeApi(address).next()
        assert received.get(timeout=20) == (
            f"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: {address}\r\n\r\n".encode()
        )
    assert (
        invocation.id,
        invocation.deadline_ms,
        invocation.function_arn,
        invocation.trace_id,
        invocation.event,
    ) == (
        "8476a536",
        1542409706888,
        "arn:aws:lambda:us-east-2:123456789012:function:f",
        "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1",
        b"{}",
    )


def test_chunks_with_extensions_and_trailers_are_read() -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: 1\r\ntransfer-encoding: chunked\r\n\r\n"
        b'A;x=y\r\n{"a": "\r\n"\r\n3\r\n"}\n\r\n0\r\nx-trailer: 1\r\n\r\n'
    )
    with serving([chunked, ACCEPTED]) as (address, _):
        api = RuntimeApi(address)
        invocation = api.next()
        assert (invocation.event, invocation.deadline_ms, invocation.trace_id) == (
            b'{"a": "\r\n""}\n',
            0,
            None,
        )
        # What followed the body was the next answer's.
        assert api.respond("1", b"{}") == 202


def test_errors_are_told_with_their_kind() -> None:
    with runtime_api.RuntimeApi() as server:
        api = RuntimeApi(server.address)
        id_ = server.send({})
        api.next()
        assert api.fail(id_, b'{"errorType": "OSError"}', "Function.OSError") == 202
        outcome = server.outcome(id_)
        assert (outcome.kind, outcome.document) == ("error", {"errorType": "OSError"})
        assert outcome.headers["lambda-runtime-function-error-type"] == "Function.OSError"
        assert api.fail_start(b"{}", "Function.Ü") == 202
        assert server.start.get(timeout=20).headers["lambda-runtime-function-error-type"] == "Function.?"
        assert api.fail_restore(b"{}") == 202
        outcome = server.start.get(timeout=20)
        assert outcome.headers["lambda-runtime-function-error-type"] == "Runtime.AfterRestoreError"


def test_a_connection_that_was_closed_meanwhile_is_made_anew() -> None:
    with serving([event(b"1")], [event(b"2")]) as (address, received):
        api = RuntimeApi(address)
        assert (api.next().event, api.next().event) == (b"1", b"2")
        assert received.qsize() == 2


def test_a_connection_that_is_to_be_closed_is_not_kept() -> None:
    with serving([event(b"1", b"Connection: close")], [event(b"2")]) as (address, _):
        api = RuntimeApi(address)
        assert (api.next().event, api.next().event) == (b"1", b"2")


def test_connections_do_not_outlive_a_snapshot() -> None:
    with runtime_api.RuntimeApi() as server:
        api = RuntimeApi(server.address)
        server.restore.set()
        api.wait_for_restore()
        server.send({})
        api.next()
        assert server.connections == 2


@pytest.mark.parametrize("ask", ["next", "wait_for_restore"])
def test_an_api_that_refuses_is_an_error(ask: str) -> None:
    what = {"next": "an event", "wait_for_restore": "a restore"}[ask]
    refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
    with serving([refused]) as (address, _), pytest.raises(OSError) as found:
        getattr(RuntimeApi(address), ask)()
    assert str(found.value) == f"the Runtime API answered 403 instead of {what}: b'no'."


def test_an_api_that_ends_is_an_error() -> None:
    with serving([b""]) as (address, _), pytest.raises(ConnectionResetError) as found:
        RuntimeApi(address).next()
    assert str(found.value) == "the Runtime API closed the connection."


def test_an_answer_that_is_not_taken_says_so() -> None:
    too_large = b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 2\r\n\r\n{}"
    with serving([too_large]) as (address, _):
        assert RuntimeApi(address).respond("1", b"{}") == 413
