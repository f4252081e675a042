"""A closed loop of keep-alive connections against one server; run by `throughput` as a process of its own.

`python generator.py PORT CONNECTIONS SECONDS`; standard input begins with the request, and, after a zero byte, what a
right answer must contain. Prints one JSON document: answers, wrong ones, seconds, latencies (p50 and p99, in us), and
the share of its processor that it used itself.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time


def main(port: int, connections: int, seconds: float) -> None:
    request, _, right = sys.stdin.buffer.read().rpartition(b"\0")
    latencies: list[float] = []
    wrong = b""
    poller = select.epoll()
    sockets: dict[int, socket.socket] = {}
    sent: dict[int, float] = {}
    clock = time.perf_counter
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sockets[connection.fileno()] = connection
        poller.register(connection.fileno(), select.EPOLLIN)
    began, used = clock(), time.process_time()
    for descriptor, connection in sockets.items():
        sent[descriptor] = clock()
        connection.send(request)
    count_wrong = 0
    while clock() - began < seconds:
        for descriptor, _ in poller.poll(1):
            connection = sockets[descriptor]
            answer = whole(connection)
            now = clock()
            if answer.startswith(b"HTTP/1.1 200") and right in answer:
                latencies.append(now - sent[descriptor])
            else:
                count_wrong += 1
                wrong = wrong or answer
            sent[descriptor] = clock()
            connection.send(request)
    took, used = clock() - began, time.process_time() - used
    latencies.sort()
    p50, p99 = (latencies[int(len(latencies) * share)] * 1e6 if latencies else 0.0 for share in (0.5, 0.99))
    told = {"answers": len(latencies), "wrong": count_wrong, "first_wrong": wrong.decode(errors="replace")}
    print(json.dumps({**told, "seconds": took, "p50_us": p50, "p99_us": p99, "busy": used / took}))


def whole(connection: socket.socket) -> bytes:
    """Return one answer, whose length is in its head or which comes in chunks."""
    answer = b""
    while True:
        received = connection.recv(65_536)
        if not received:
            sys.exit(f"the server closed the connection after {answer[:300]!r}")
        answer = answer + received if answer else received
        head, end, body = answer.partition(b"\r\n\r\n")
        if not end:
            continue
        head = head.lower()
        _, found, length = head.partition(b"content-length:")
        if found:
            if len(body) >= int(length.partition(b"\r\n")[0]):
                return answer
        elif b"transfer-encoding: chunked" not in head or answer.endswith(b"0\r\n\r\n"):
            return answer


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
