"""One request to a function process and its answer, over the process's own socket."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from lastmile_sls.local.functions import Instance, InstanceGone

_HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"te", b"trailer",
     b"transfer-encoding", b"upgrade", b"content-length", b"expect"}
)  # fmt: skip
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Answer:
    """What the function said."""

    status: int
    headers: Headers
    body: bytes


class NotConnected(Exception):
    """The process was gone before anything was sent to it: another one can have the request."""


async def exchange(instance: Instance, method: str, target: bytes, headers: Headers, body: bytes) -> Answer:
    """Send a request and return the answer; one connection each, which the function closes.

    Raises NotConnected before, and InstanceGone after the request was sent.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(str(instance.path))
    except OSError as error:
        raise NotConnected from error
    try:
        writer.write(_head(method, target, headers, len(body)) + body)
        await writer.drain()
        raw = await reader.read(-1)
    except OSError as error:
        raise InstanceGone(_reason(instance)) from error
    finally:
        writer.close()
    return _parse(raw, instance)


def _head(method: str, target: bytes, headers: Headers, length: int) -> bytes:
    lines = [method.encode() + b" " + target + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in headers if name not in _HOP_BY_HOP]
    lines += [b"content-length: %d" % length, b"connection: close", b"", b""]
    return b"\r\n".join(lines)


def _parse(raw: bytes, instance: Instance) -> Answer:
    head, end, body = raw.partition(b"\r\n\r\n")
    if not end:
        raise InstanceGone(_reason(instance))
    status_line, *lines = head.split(b"\r\n")
    pairs = [line.partition(b":") for line in lines]
    headers = [(name.lower(), value.strip()) for name, _, value in pairs]
    expected = next((int(value) for name, value in headers if name == b"content-length"), len(body))
    method_was_head = expected and not body
    if len(body) != expected and not method_was_head:
        raise InstanceGone(_reason(instance))
    kept = [(name, value) for name, value in headers if name not in _HOP_BY_HOP]
    return Answer(int(status_line.split()[1]), kept, body)


def _reason(instance: Instance) -> str:
    said = f"; it said: {instance.last_line}" if instance.last_line else ""
    why = f", killed because {instance.killed_for}" if instance.killed_for else ""
    return f"the function's process ended before it answered{why}{said}"
