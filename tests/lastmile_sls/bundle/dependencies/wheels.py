"""Wheels that tests make, and the registries that serve them: a folder, or an index on this machine."""

from __future__ import annotations

import base64
import hashlib
import http.server
import os
import struct
import threading
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lastmile_sls.bundle.dependencies.environment import Environment

X86 = Environment("3.13", "x86_64", "manylinux_2_34")
ARM = Environment("3.13", "arm64", "manylinux_2_34")
MACHINES = {"x86_64": 62, "arm64": 183, "riscv": 243}


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    files: Mapping[str, bytes | str] | None = None,
    *,
    tag: str = "py3-none-any",
    requires: Sequence[str] = (),
    unlisted: Collection[str] = (),
    hashes: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
) -> Path:
    """Write a wheel whose module, if nothing else is asked for, has its version.

    `unlisted` files are not in RECORD; `hashes` are told there instead of the true ones; `links` are symbolic links.
    """
    folder.mkdir(exist_ok=True)
    metadata = f"{name}-{version}.dist-info"
    lines = [
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        *(f"Requires-Dist: {r}\n" for r in requires),
    ]
    content = {
        **(files if files is not None else {f"{name}.py": f"version = {version!r}\n"}),
        f"{metadata}/METADATA": "".join(lines),
        f"{metadata}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    wheel = folder / f"{name}-{version}-{tag}.whl"
    record = []
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in content.items():
            data = text.encode() if isinstance(text, str) else text
            archive.writestr(zipfile.ZipInfo(path), data)
            if path not in unlisted:
                record.append(f"{path},sha256={(hashes or {}).get(path) or record_hash(data)},{len(data)}\n")
        for path, target in (links or {}).items():
            entry = zipfile.ZipInfo(path)
            entry.create_system, entry.external_attr = 3, 0o120777 << 16
            archive.writestr(entry, target)
            if told := (hashes or {}).get(path):
                record.append(f"{path},sha256={told},{len(target)}\n")
        archive.writestr(zipfile.ZipInfo(f"{metadata}/RECORD"), "".join([*record, f"{metadata}/RECORD,,\n"]))
    return wheel


def record_hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def elf_head(processor: str) -> bytes:
    """Return the beginning of a library for a processor: all that tells whom it is for."""
    return struct.pack("<4sBBB9xHHI", b"\x7fELF", 2, 1, 1, 3, MACHINES[processor], 1) + bytes(40)


def environ(home: Path, wheels: Path | None = None, **variables: str) -> dict[str, str]:
    """Return the variables of somebody with a folder of wheels and no registry, and a cache of their own."""
    home.mkdir(exist_ok=True)
    found = {
        "PATH": os.defpath,
        "HOME": str(home),
        "UV_CACHE_DIR": str(home / "cache"),
        "UV_HTTP_RETRIES": "0",
    }
    if wheels:
        wheels.mkdir(exist_ok=True)
        found |= {"UV_NO_INDEX": "1", "UV_FIND_LINKS": str(wheels)}
    return found | variables


@dataclass
class Index:
    """An index of wheels (PEP 503) on this machine; what it does can be changed while it runs."""

    folder: Path
    url: str = ""
    withdrawn: dict[str, str] = field(default_factory=dict)
    """Why a file was withdrawn (PEP 592)."""
    password: str = ""
    tells_hashes: bool = True
    asked: list[str] = field(default_factory=list)
    """The paths that were asked for."""
    gate: threading.Event = field(default_factory=threading.Event)
    """Files are served while it is set."""

    def page(self, name: str) -> str:
        anchors = []
        for path in sorted(self.folder.glob("*.whl")):
            if path.name.split("-")[0].replace("_", "-") == name:
                told = f"#sha256={sha256(path)}" if self.tells_hashes else ""
                why = f' data-yanked="{self.withdrawn[path.name]}"' if path.name in self.withdrawn else ""
                anchors.append(f'<a href="/files/{path.name}{told}"{why}>{path.name}</a>')
        return "".join(anchors)


@contextmanager
def serve(folder: Path) -> Iterator[Index]:
    """Serve a folder of wheels."""
    folder.mkdir(exist_ok=True)
    index = Index(folder)
    index.gate.set()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.asked.append(self.path)
            wanted = f"Basic {base64.b64encode(f'user:{index.password}'.encode()).decode()}"
            if index.password and self.headers.get("Authorization") != wanted:
                return self._answer(401, b"")
            kind, name = self.path.strip("/").split("/")[:2]
            if kind == "simple":
                page = index.page(name)
                return self._answer(200 if page else 404, page.encode())
            index.gate.wait(30)
            return self._answer(200, (index.folder / name).read_bytes())

        do_HEAD = do_GET

        def _answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header(
                "Content-Type", "text/html" if "/simple/" in self.path else "application/octet-stream"
            )
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    index.url = f"http://127.0.0.1:{server.server_port}/simple"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield index
    finally:
        index.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
