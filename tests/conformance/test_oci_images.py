"""Images of ours in other hands: skopeo inspects and copies them, umoci unpacks them, and they answer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from lastmile_sls.bundle.dependencies.environment import Processor
from lastmile_sls.bundle.oci.base_image import resolve_base
from lastmile_sls.bundle.oci.image import Image, assemble
from lastmile_sls.bundle.oci.image_config import ImageConfig
from lastmile_sls.bundle.oci.layer import make_layer
from lastmile_sls.bundle.oci.push import push
from lastmile_sls.errors import LastmileError
from tests.lastmile_runtime.adapters.process import CONTAINER, FunctionProcess, copy_runtime, post
from tests.lastmile_runtime.bundles import matrix, python_bundle, routing
from tests.lastmile_sls.bundle.oci.bases import BaseFolder, no_credentials
from tests.lastmile_sls.bundle.oci.images import folder_base
from tests.lastmile_sls.bundle.oci.registries import RegistryProcess, needs_registry, registry
from tests.ports import free_port

pytestmark = pytest.mark.conformance

ROOT = Path(__file__).parents[2]
APP = "/opt/lastmile"
PROGRAMS = ("skopeo", "umoci", "ldd")
MISSING = [program for program in PROGRAMS if not shutil.which(program)]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to change roots and to mount")
needs_programs = pytest.mark.skipif(
    bool(MISSING), reason=f"needs {', '.join(MISSING)} (Debian's packages) on PATH"
)
PROCESSOR: Processor = "arm64" if os.uname().machine == "aarch64" else "x86_64"
ARCHITECTURE = {"x86_64": "amd64", "arm64": "arm64"}[PROCESSOR]
ENTER = """
import json, os, sys
root, process, environ = json.loads(sys.argv[1])
os.chroot(root)
os.chdir(process["cwd"])
os.setgroups([])
os.setgid(process["user"]["gid"])
os.setuid(process["user"]["uid"])
os.execve(process["args"][0], process["args"], dict(e.split("=", 1) for e in process["env"]) | environ)
"""


def run(*command: str | Path) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryProcess]:
    with registry(tmp_path_factory.mktemp("registry")) as process:
        yield process


def libraries(files: list[Path]) -> set[Path]:
    """Return the shared libraries that programs need, by the paths under which they are looked for."""
    found = set()
    for line in run("ldd", *files).splitlines():
        for word in line.split():
            if word.startswith("/") and not word.endswith(":"):
                found.add(Path(word))
    return found


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base image of this machine's own Python, made by umoci."""
    folder = tmp_path_factory.mktemp("base")
    root = folder / "rootfs"
    stdlib = Path(sysconfig.get_path("stdlib"))
    place = root / "usr" / "local" / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    ignored = shutil.ignore_patterns(
        "__pycache__", "site-packages", "test", "idlelib", "ensurepip", "config-*", "tkinter"
    )
    shutil.copytree(stdlib, place, ignore=ignored, symlinks=True)
    (place / "site-packages").mkdir()
    program = root / "usr" / "local" / "bin" / "python3"
    program.parent.mkdir()
    real = Path(sys.executable).resolve()
    shutil.copy2(real, program)
    needed = libraries([real, *place.glob("lib-dynload/*.so")])
    for library in needed:
        copy = root / library.relative_to("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(library, copy)
    (root / "tmp").mkdir()
    image = f"{folder}/layout:slim"
    run("umoci", "init", "--layout", folder / "layout")
    run("umoci", "new", "--image", image)
    run("umoci", "insert", "--image", image, root, "/")
    paths = ":".join(sorted({str(library.parent) for library in needed}))
    options = ["--config.env", "PATH=/usr/local/bin:/usr/bin", "--config.env", f"LD_LIBRARY_PATH={paths}"]
    run("umoci", "config", "--image", image, "--architecture", ARCHITECTURE, "--os", "linux", *options)
    return folder / "layout"


def build(folder: Path, base: str) -> Image:
    """Build the image of a function as a bundle's layers on a base."""
    bundle = folder / "bundle"
    copy_runtime(bundle)
    digest = python_bundle(bundle)
    layers = [
        make_layer(bundle, PurePosixPath(APP), folder / "layers", files=files, name=name)
        for name, files in {"runtime": ["lastmile_runtime"], "model": ["models", "manifest.json"]}.items()
    ]
    config = ImageConfig(
        entrypoint=["/usr/local/bin/python3", "-I", "-c", CONTAINER, APP],
        environment={
            "LASTMILE_BUNDLE": APP,
            "LASTMILE_MANIFEST_DIGEST": digest,
            "LASTMILE_ROUTING": json.dumps(routing()),
            "K_SERVICE": "churn",
        },
        working_directory=APP,
        labels={"org.opencontainers.image.title": "churn"},
        ports=[8080],
    )
    return assemble(
        resolve_base(base, PROCESSOR, folder / "cache", no_credentials), layers, config, folder / "image"
    )


def unpack(layout: Path, tag: str, folder: Path) -> dict[str, Any]:
    """Unpack an image with umoci; return how it says that its process is run."""
    run("umoci", "unpack", "--image", f"{layout}:{tag}", folder)
    process: dict[str, Any] = json.loads((folder / "config.json").read_text())["process"]
    return process


@contextmanager
def started(folder: Path, process: dict[str, Any]) -> Iterator[FunctionProcess]:
    """Run an unpacked image's process in its own root, as the user that it names."""
    port = free_port()
    request = json.dumps([str(folder / "rootfs"), process, {"PORT": str(port)}])
    command = [sys.executable, "-I", "-c", ENTER, request]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as started_process:
        function = FunctionProcess(started_process, ("127.0.0.1", port))
        try:
            function.wait_until_it_listens()
            yield function
        finally:
            function.kill()


@needs_registry
@needs_programs
@needs_root
def test_an_image_is_pushed_copied_unpacked_and_answers(
    server: RegistryProcess, base: Path, tmp_path: Path
) -> None:
    image = build(tmp_path, f"oci:{base}:slim")
    reference = f"{server.address}/churn:v1"
    assert push(image, reference, no_credentials) == image.digest

    seen = json.loads(run("skopeo", "inspect", "--tls-verify=false", f"docker://{reference}"))
    assert (seen["Digest"], seen["Architecture"], seen["Os"]) == (image.digest, ARCHITECTURE, "linux")
    assert seen["Layers"] == [layer.digest for layer in image.layers]
    assert seen["Labels"] == {"org.opencontainers.image.title": "churn"}
    assert seen["Created"] == "1970-01-01T00:00:00Z"
    assert seen["Env"][0] == "PATH=/usr/local/bin:/usr/bin"
    copied = f"oci:{tmp_path / 'copy'}:v1"
    run("skopeo", "copy", "--src-tls-verify=false", "--preserve-digests", f"docker://{reference}", copied)
    assert resolve_base(copied, PROCESSOR, tmp_path / "cache", no_credentials).manifest.digest == image.digest

    process = unpack(tmp_path / "copy", "v1", tmp_path / "unpacked")
    assert (process["user"]["uid"], process["user"]["gid"], process["cwd"]) == (65532, 65532, APP)
    root = tmp_path / "unpacked" / "rootfs"
    status = (root / "opt" / "lastmile" / "manifest.json").stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777, status.st_mtime) == (0, 0, 0o644, 0)
    with started(tmp_path / "unpacked", process) as function:
        owner = Path(f"/proc/{function.process.pid}").stat().st_uid
        status_code, _, answer = function.infer({"inputs": [matrix([[1, 2], [3, 4]])]})
        raw = function.exchange(post({"inputs": []}))
    assert owner == 65532
    assert (status_code, answer["outputs"][0]["data"]) == (200, [2, 4, 6, 8])
    assert raw[0] == 400


@needs_registry
@needs_programs
def test_a_whole_folder_is_copied_by_skopeo_and_is_the_same_image(
    server: RegistryProcess, base: Path, tmp_path: Path
) -> None:
    """What skopeo pushes from our folder and what we push are one image; both registries' own conversions agree."""
    image = build(tmp_path, f"oci:{base}:slim")
    whole = assemble(image.base, [], ImageConfig(), tmp_path / "whole", tag="w", complete=True)
    target = f"docker://{server.address}/whole:1"
    run(
        "skopeo",
        "copy",
        "--dest-tls-verify=false",
        "--preserve-digests",
        f"oci:{tmp_path / 'whole'}:w",
        target,
    )
    found = resolve_base(f"{server.address}/whole:1", PROCESSOR, tmp_path / "own", no_credentials)
    assert found.manifest.digest == whole.digest
    assert push(whole, f"{server.address}/whole:2", no_credentials) == whole.digest


@needs_registry
@needs_programs
@needs_root
def test_a_base_that_skopeo_pushed_for_docker_is_built_on(
    server: RegistryProcess, base: Path, tmp_path: Path
) -> None:
    """Docker's own manifests, as most public images still have them."""
    source, target = f"oci:{base}:slim", f"docker://{server.address}/docker/base:1"
    run("skopeo", "copy", "--dest-tls-verify=false", "--format", "v2s2", source, target)
    image = build(tmp_path, f"{server.address}/docker/base:1")
    assert image.base.manifest.media_type == "application/vnd.docker.distribution.manifest.v2+json"
    lines: list[str] = []
    assert push(image, f"{server.address}/docker/app:1", no_credentials, lines.append) == image.digest
    assert lines[0].startswith("base: mounted from docker/base")
    seen = json.loads(
        run("skopeo", "inspect", "--tls-verify=false", f"docker://{server.address}/docker/app:1")
    )
    assert seen["Digest"] == image.digest
    copied = tmp_path / "copy"
    run(
        "skopeo",
        "copy",
        "--src-tls-verify=false",
        f"docker://{server.address}/docker/app:1",
        f"oci:{copied}:1",
    )
    process = unpack(copied, "1", tmp_path / "unpacked")
    with started(tmp_path / "unpacked", process) as function:
        assert function.infer({"inputs": [matrix([[1, 2]])]})[2]["outputs"][0]["data"] == [2, 4]


@needs_programs
@needs_root
def test_folders_above_the_target_that_are_links_stay_links(base: Path, tmp_path: Path) -> None:
    """Debian's /lib is one: an entry of ours for it would take its place, and with it all that is below."""
    (tmp_path / "usr" / "lib").mkdir(parents=True)
    (tmp_path / "usr" / "lib" / "libc").write_text("of the base")
    (tmp_path / "usr" / "link").symlink_to("lib")
    below = make_layer(tmp_path / "usr", PurePosixPath("/srv"), tmp_path / "layers")
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "model").write_text("ours")
    above = make_layer(tmp_path / "ours", PurePosixPath("/srv/link/app"), tmp_path / "layers")
    found = resolve_base(f"oci:{base}:slim", PROCESSOR, tmp_path / "cache", no_credentials)
    assemble(found, [below, above], ImageConfig(), tmp_path / "image", complete=True)
    unpack(tmp_path / "image", "latest", tmp_path / "unpacked")
    place = tmp_path / "unpacked" / "rootfs" / "srv"
    assert (place / "link").is_symlink()
    assert (place / "lib" / "libc").read_text() == "of the base"
    assert (place / "lib" / "app" / "model").read_text() == "ours"


REPEAT = """
import json, sys
from pathlib import Path, PurePosixPath
from lastmile_sls.bundle.oci.base_image import resolve_base
from lastmile_sls.bundle.oci.image import assemble
from lastmile_sls.bundle.oci.image_config import ImageConfig
from lastmile_sls.bundle.oci.layer import make_layer
work, scratch = map(Path, sys.argv[1:])
layers = [
    make_layer(work / "source", PurePosixPath("/opt/app"), scratch / "layers", files=[name], name=name)
    for name in ("lastmile_runtime", "link")
]
base = resolve_base(f"oci:{work / 'base'}", "x86_64", scratch / "cache", lambda _: None)
config = ImageConfig(entrypoint=["x"], environment={name: name for name in {"a", "b", "c", "d"}})
image = assemble(base, layers, config, scratch / "image", complete=True)
files = sorted(path.relative_to(image.folder).as_posix() for path in image.folder.rglob("*") if path.is_file())
print(json.dumps([sys.version_info[:2], image.digest, files]))
"""


def other_python() -> str | None:
    """Return a Python of another version than this one."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep)]
    folders += (Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions").glob("3.1[1-4]*/bin")
    folders += (Path.home() / ".local/share/uv/python").glob("cpython-3.1[1-4]*/bin")
    mine = f"python3.{sys.version_info.minor}"
    for folder in folders:
        for place in sorted(folder.glob("python3.1[1-4]"), reverse=True):
            works = subprocess.run([place, "-c", ""], capture_output=True, check=False).returncode == 0
            if place.name != mine and works:
                return str(place)
    return None


def another_day(command: list[str]) -> list[str]:
    if not shutil.which("faketime"):
        pytest.skip("needs faketime (Debian's package of that name) on PATH")
    return ["faketime", "2031-02-03 04:05:06", *command]


def another_python(command: list[str]) -> list[str]:
    found = other_python()
    if found is None:
        pytest.skip("needs a Python of another version, 3.11 to 3.14")
    zlib = "import zlib; print(zlib.ZLIB_RUNTIME_VERSION)"
    versions = {run(python, "-c", zlib) for python in (sys.executable, found)}
    if len(versions) > 1:
        pytest.skip(
            f"the two Pythons have different versions of zlib, which may compress differently: {versions}"
        )
    return [found, *command[1:]]


def another_seed(command: list[str]) -> list[str]:
    return ["env", "PYTHONHASHSEED=1", "LC_ALL=C", "TZ=Asia/Tokyo", *command]


@pytest.mark.parametrize("changed", [another_day, another_python, another_seed])
def test_two_assemblies_are_the_same_bytes(tmp_path: Path, changed: Callable[[list[str]], list[str]]) -> None:
    """Each time also under another umask, with another folder of work, another current folder and other files' times."""
    first, second = tmp_path / "one", tmp_path / "another" / "place"
    base = BaseFolder(first / "base")
    base.tag(base.image())
    copy_runtime(first / "source")
    (first / "source" / "link").symlink_to("lastmile_runtime/asgi.py")
    shutil.copytree(first, second, symlinks=True, copy_function=shutil.copy)
    for path in second.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)
            os.utime(path, (0, time.time() - 1e7))
    found = []
    for work, umask, alter in ((first, 0o022, None), (second, 0o077, changed)):
        scratch = work.parent / f"scratch-{umask}"
        command = [sys.executable, "-c", REPEAT, str(work), str(scratch)]
        done = subprocess.run(
            alter(command) if alter else command,
            cwd=work,
            umask=umask,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        version, digest, files = json.loads(done.stdout)
        contents = {name: (scratch / "image" / name).read_bytes() for name in files}
        found.append((version, digest, contents))
    assert found[0][1:] == found[1][1:]
    assert (found[0][0] != found[1][0]) == (changed is another_python)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        run("umount", folder)


@needs_root
@needs_registry
def test_a_full_disk_is_told_and_nothing_half_written_is_left(
    server: RegistryProcess, small_disk: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "model").write_bytes(os.urandom(2_000_000))
    full = r"could not be written: No space left on device\.\nFree space or mend its rights, then run again\."
    with pytest.raises(LastmileError, match=rf"^{small_disk}/layers {full}$"):
        make_layer(source, PurePosixPath("/opt/app"), small_disk / "layers")
    assert list((small_disk / "layers").iterdir()) == []

    layer = make_layer(source, PurePosixPath("/opt/app"), tmp_path / "layers")
    image = assemble(folder_base(tmp_path), [layer], ImageConfig(), tmp_path / "image")
    with pytest.raises(LastmileError, match=rf"^{small_disk}/image {full}$"):
        assemble(image.base, [layer], ImageConfig(), small_disk / "image")
    assert [path.name for path in small_disk.iterdir()] == ["layers"]

    reference = f"{server.address}/full:1"
    push(image, reference, no_credentials)
    found = resolve_base(reference, "x86_64", small_disk / "cache", no_credentials)
    with pytest.raises(LastmileError, match=rf"^{small_disk}/cache/sha256 {full}$"):
        found.source.fetch(found.layers[-1])
    kept = {path.name for path in (small_disk / "cache" / "sha256").iterdir()}
    assert kept == {digest[7:] for digest in (image.digest, image.config.digest)}
    found.source.fetch(found.layers[0])
