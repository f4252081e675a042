"""An object store on loopback that is no bottleneck: files below a folder, read as S3 objects, sent with sendfile.

`python bench/object_store.py FOLDER [--port 0] [--tls CERTIFICATE KEY]` prints its URL and serves until it is ended.
GET and HEAD of /BUCKET/KEY, with Range and If-None-Match; signatures are not looked at. TLS cannot use sendfile.
"""

from __future__ import annotations

import argparse
import email.utils
import os
import socket
import ssl
import threading
from pathlib import Path

_PIECE_BYTES = 1 << 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"))
    options = parser.parse_args()
    context = None
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*options.tls)
    listener = socket.create_server(("127.0.0.1", options.port), backlog=128)
    port = listener.getsockname()[1]
    print(f"{'https' if context else 'http'}://127.0.0.1:{port}", flush=True)
    while True:
        connection, _ = listener.accept()
        arguments = (connection, context, options.folder.resolve())
        threading.Thread(target=serve, args=arguments, daemon=True).start()


def serve(connection: socket.socket, context: ssl.SSLContext | None, root: Path) -> None:
    """Answer one request after the other."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        if context:
            connection = context.wrap_socket(connection, server_side=True)
        received = b""
        while True:
            while b"\r\n\r\n" not in received:
                chunk = connection.recv(65_536)
                if not chunk:
                    return
                received += chunk
            head, _, received = received.partition(b"\r\n\r\n")
            if not answer(connection, head.decode("latin-1"), root):
                return
    except OSError:
        return
    finally:
        connection.close()


def answer(connection: socket.socket, head: str, root: Path) -> bool:
    """Answer a request; tell whether the connection stays open."""
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    path = (root / target.partition("?")[0].lstrip("/")).resolve()
    if method not in ("GET", "HEAD") or not path.is_relative_to(root) or not path.is_file():
        body = b"<Error><Code>NoSuchKey</Code></Error>"
        connection.sendall(
            b"HTTP/1.1 404 Not Found\r\ncontent-length: %d\r\n\r\n" % len(body)
            + (b"" if method == "HEAD" else body)
        )
        return True
    found = path.stat()
    etag = f'"{found.st_mtime_ns:x}-{found.st_size:x}"'
    start, end, status = 0, found.st_size, "200 OK"
    if headers.get("if-none-match") == etag:
        end, status = 0, "304 Not Modified"
    elif headers.get("range", "").startswith("bytes="):
        low, _, high = headers["range"].removeprefix("bytes=").partition("-")
        start, end, status = int(low), min(int(high or end) + 1, end), "206 Partial Content"
    answered = [
        f"HTTP/1.1 {status}",
        f"etag: {etag}",
        f"last-modified: {email.utils.formatdate(found.st_mtime, usegmt=True)}",
        "accept-ranges: bytes",
        "content-type: application/octet-stream",
        f"content-length: {end - start}",
    ]
    if status.startswith("206"):
        answered.append(f"content-range: bytes {start}-{end - 1}/{found.st_size}")
    connection.sendall("\r\n".join([*answered, "", ""]).encode())
    if method == "GET" and start < end:
        send(connection, path, start, end)
    return headers.get("connection") != "close"


def send(connection: socket.socket, path: Path, start: int, end: int) -> None:
    """Send a part of a file."""
    with path.open("rb", buffering=0) as file:
        if isinstance(connection, ssl.SSLSocket):
            file.seek(start)
            while start < end and (piece := file.read(min(_PIECE_BYTES, end - start))):
                connection.sendall(piece)
                start += len(piece)
        else:
            while start < end:
                start += os.sendfile(connection.fileno(), file.fileno(), start, end - start)


if __name__ == "__main__":
    main()
