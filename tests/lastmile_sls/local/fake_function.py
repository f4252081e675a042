"""A function program with scripted misbehaviour; it is copied into a bundle as the runtime's local adapter."""

import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


def main() -> None:
    if os.environ.get("FAKE_CRASH"):
        print("no model here", flush=True)
        sys.exit(1)
    listener = socket.socket(fileno=int(os.environ["LASTMILE_SOCKET_FD"]))
    listener.settimeout(0.05)
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    parent = os.getppid()
    print("started", flush=True)
    threads: list[threading.Thread] = []
    while not ending.is_set() and os.getppid() == parent:
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        connection.setblocking(True)
        threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
        threads[-1].start()
    listener.close()
    for thread in threads:
        thread.join()


def serve(connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as stream:
        method, target, _ = stream.readline().decode().split()
        headers = {}
        while line := stream.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/exit":
            print("out of luck", flush=True)
            os._exit(3)
        if url.path == "/hang-up":
            return
        if url.path == "/allocate":
            hog = bytearray(int(query["mb"]) * 2**20)
            hog[::4096] = b"x" * len(hog[::4096])
            time.sleep(30)
        time.sleep(float(query.get("sleep", 0)))
        content = {
            "pid": os.getpid(),
            "method": method,
            "target": target,
            "headers": headers,
            "body": body.decode(),
            "environment": dict(os.environ),
            "bundle": str(Path.cwd()),
        }
        answer = json.dumps(content).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(answer)}\r\nconnection: close\r\nx-model-version: v1\r\n\r\n"
        connection.sendall(head.encode() + (b"" if method == "HEAD" else answer))
