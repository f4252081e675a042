"""Packages that a bundle carries: imported from it, each file only when it is the one that was deployed."""

from __future__ import annotations

import importlib.util
import json
import platform
import py_compile
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lastmile_runtime import libraries
from lastmile_runtime.manifest import FILE, Manifest, digest, hash_file, render
from tests.lastmile_runtime.bundles import MODEL, python_version

MODEL_SOURCE = """
import abacus, abacus.beads
from abacus import _forest

class Model:
    def predict(self, inputs):
        return {"doubled": [[abacus.FACTOR * value for value in row] for row in inputs["x"]]}
"""
PACKAGE = """
import json, pathlib
FACTOR = json.loads(pathlib.Path(__file__).with_name("factor.json").read_text())
"""
FILES = {
    "libraries/abacus/__init__.py": PACKAGE,
    "libraries/abacus/beads.py": "BEADS = 10\n",
    "libraries/abacus/factor.json": "3",
    "libraries/wooden_tools.libs/libwood.so.1": "linked",
    "libraries/abacus-1.0.dist-info/METADATA": "Name: abacus\nVersion: 1.0\n",
    "libraries/other/__init__.py": "",
}
ASK = """
import sys
folder = sys.argv[1]
sys.path.insert(0, folder)
from importlib.util import find_spec
from lastmile_runtime.errors import BundleError
from lastmile_runtime.http import Request
from lastmile_runtime.startup import start
from lastmile_runtime.telemetry import Log
environ = {"LASTMILE_BUNDLE": folder, "LASTMILE_MANIFEST_DIGEST": sys.argv[2], "LASTMILE_ROUTING": sys.argv[3]}
try:
    application = start(environ, Log("test", lambda line: None), keeps_running=False)
except BundleError as error:
    print(error)
    sys.exit()
body = b'{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]}'
for _ in range(int(sys.argv[5])):
    print(application.handle(Request("POST", sys.argv[4], {}, body)).body.decode())
import importlib.metadata
print(importlib.metadata.version("abacus"))
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    files = {**FILES, "models/v1/model.py": MODEL_SOURCE}
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    runtime = Path(libraries.__file__).parent
    (tmp_path / "lastmile_runtime").symlink_to(runtime)
    extension = runtime / "native" / platform.machine() / "_forest.abi3.so"
    (tmp_path / "libraries/abacus/_forest.abi3.so").write_bytes(extension.read_bytes())
    beads = tmp_path / "libraries/abacus/beads.py"
    py_compile.compile(str(beads), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    return tmp_path


def seal(folder: Path) -> str:
    hashes = {
        path.relative_to(folder).as_posix(): hash_file(str(path))
        for top in ("libraries", "models")
        for path in sorted((folder / top).rglob("*"))
        if path.is_file()
    }
    content = render(Manifest(MODEL, [python_version()], hashes, libraries="libraries"))
    (folder / FILE).write_bytes(content)
    return digest(content)


def answer(folder: Path, sealed: str, times: int = 1) -> str:
    routing = json.dumps({"champion": "v1", "weights": {"v1": 10_000}})
    path = f"/v2/models/{MODEL}/infer"
    command = [sys.executable, "-I", "-S", "-c", ASK, str(folder), sealed, routing, path, str(times)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_packages_come_from_the_bundle_and_write_nothing_into_it(bundle: Path) -> None:
    sealed = seal(bundle)
    before = {path for path in bundle.rglob("*") if "lastmile_runtime" not in path.parts}
    told, version = answer(bundle, sealed).splitlines()
    assert json.loads(told)["outputs"][0]["data"] == [3.0, 6.0]
    assert version == "1.0"
    assert {path for path in bundle.rglob("*") if "lastmile_runtime" not in path.parts} == before


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


def bytecode() -> str:
    return importlib.util.cache_from_source("libraries/abacus/beads.py")


@pytest.mark.parametrize(
    "name",
    [
        lambda: "libraries/abacus/__init__.py",
        bytecode,
        lambda: "libraries/abacus/factor.json",
        lambda: "libraries/abacus/_forest.abi3.so",
        lambda: "libraries/wooden_tools.libs/libwood.so.1",
        lambda: "libraries/abacus-1.0.dist-info/METADATA",
    ],
    ids=["source", "bytecode", "data", "extension", "linked", "metadata"],
)
def test_a_changed_byte_is_refused_by_name(bundle: Path, name: Callable[[], str]) -> None:
    sealed = seal(bundle)
    flip(bundle / name())
    told = answer(bundle, sealed)
    assert f"{name()} has the SHA-256 " in told
    assert "was deployed." in told


def test_a_file_that_was_added_is_refused_by_name(bundle: Path) -> None:
    (bundle / "libraries/abacus/beads.py").unlink()
    (bundle / bytecode()).unlink()
    sealed = seal(bundle)
    (bundle / "libraries/abacus/beads.py").write_text("print('mine')\n")
    told = answer(bundle, sealed)
    assert "libraries/abacus/beads.py is not in the manifest." in told
    assert "mine" not in told


def test_what_was_refused_is_refused_again(bundle: Path) -> None:
    """A load that failed is tried again by the next request, which must not find the change checked off."""
    for name in ("libraries/abacus/factor.json", "libraries/wooden_tools.libs/libwood.so.1"):
        sealed = seal(bundle)
        flip(bundle / name)
        told = answer(bundle, sealed, times=2)
        assert told.count(f"{name} has the SHA-256 ") == 2


def test_what_is_not_imported_is_not_read(bundle: Path) -> None:
    sealed = seal(bundle)
    (bundle / "libraries/other/__init__.py").write_text("raise SystemExit")
    assert json.loads(answer(bundle, sealed).splitlines()[0])["outputs"][0]["data"] == [3.0, 6.0]
