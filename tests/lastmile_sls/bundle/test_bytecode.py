"""The bytecode of a bundle: made by the interpreter that runs it, the same each time, taken instead of the sources."""

from __future__ import annotations

import json
import marshal
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lastmile_runtime
from lastmile_runtime import tensors
from lastmile_runtime.manifest import Bundle, TensorSpec, Version
from lastmile_runtime.models import Models
from lastmile_sls.bundle.bytecode import BytecodeError, compile_bundle, compile_packages
from tests.lastmile_runtime.bundles import write_bundle

PACK = f"lastmile_runtime/pack.{sys.implementation.cache_tag}"
MODEL = (
    "class Model:\n    def predict(self, inputs):\n        return {'y': [sum(row) for row in inputs['x']]}\n"
)
IMPORTED = """
import json, sys
sys.path.insert(0, sys.argv[1])
import lastmile_runtime.service, lastmile_runtime.stores.s3
loaded = [sys.modules[f"lastmile_runtime.{name}"] for name in ("service", "stores")]
origins = [[type(m.__spec__.loader).__name__, m.__file__, "Service" if hasattr(m, "Service") else ""] for m in loaded]
print(json.dumps(origins))
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    shutil.copytree(
        Path(lastmile_runtime.__file__).parent,
        folder / "lastmile_runtime",
        ignore=shutil.ignore_patterns("__pycache__", "native"),
    )
    (folder / "models/v1").mkdir(parents=True)
    (folder / "models/v1/model.py").write_text(MODEL)
    return folder


def imported(folder: Path) -> list[list[str]]:
    command = [sys.executable, "-I", "-S", "-B", "-c", IMPORTED, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: list[list[str]] = json.loads(done.stdout)
    return found


def predicted(folder: Path, digest: str) -> object:
    models = Models(Bundle(str(folder), digest))
    models.load("v1")
    (tensor,) = models.predict("v1", [tensors.from_nested("x", [[1.0, 2.0]], "FP64")])
    return tensor.nested()


def test_modules_come_from_the_pack_and_say_where_their_sources_are(bundle: Path) -> None:
    service = str(bundle / "lastmile_runtime/service.py")
    stores = str(bundle / "lastmile_runtime/stores/__init__.py")
    before = imported(bundle)
    assert before == [["SourceFileLoader", service, "Service"], ["SourceFileLoader", stores, ""]]
    compile_bundle(bundle)
    assert imported(bundle) == [["Pack", service, "Service"], ["Pack", stores, ""]]


def test_another_interpreters_pack_is_left_alone(bundle: Path) -> None:
    compile_bundle(bundle)
    content = (bundle / PACK).read_bytes()
    (bundle / PACK).write_bytes(b"\0\0\r\n" + content[4:])
    assert {loader for loader, *_ in imported(bundle)} == {"SourceFileLoader"}


def test_the_bytes_are_the_same_wherever_the_bundle_lies(bundle: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere/under another name"
    shutil.copytree(bundle, other)
    for folder in (bundle, other):
        compile_bundle(folder)
    files = [path.relative_to(bundle) for path in bundle.rglob("*") if path.is_file()]
    assert Path(PACK) in files
    assert any(path.suffix == ".pyc" for path in files)
    assert [path for path in files if (bundle / path).read_bytes() != (other / path).read_bytes()] == []


def test_a_traceback_shows_the_source(bundle: Path) -> None:
    compile_bundle(bundle)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from lastmile_runtime import jsons; jsons.loads(b'{')"
    )
    command = [sys.executable, "-I", "-S", "-c", code, str(bundle)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert f'File "{bundle}/lastmile_runtime/jsons.py"' in done.stderr
    assert "def loads" in (bundle / "lastmile_runtime/jsons.py").read_text()


def test_what_is_no_python_is_left_as_it_is(bundle: Path) -> None:
    (bundle / "models/v1/broken.py").write_text("def f(:\n")
    compile_bundle(bundle)
    assert [path.name for path in (bundle / "models/v1/__pycache__").iterdir()] == [
        f"model.{sys.implementation.cache_tag}.pyc"
    ]


def test_packages_are_compiled_by_every_processor(tmp_path: Path) -> None:
    for number in range(250):
        (tmp_path / f"p{number}").mkdir()
        (tmp_path / f"p{number}/__init__.py").write_text(f"N = {number}\n")
    compile_packages(tmp_path)
    compiled = sorted(tmp_path.rglob("*.pyc"))
    assert len(compiled) == 250
    before = [path.read_bytes() for path in compiled]
    compile_packages(tmp_path)
    assert [path.read_bytes() for path in compiled] == before
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        "import sys; sys.path[:0] = sys.argv[1:]; import p249; print(p249.N)",
    ]
    assert (
        subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=True).stdout
        == "249\n"
    )


def test_an_interpreter_that_is_not_there_is_told(bundle: Path) -> None:
    with pytest.raises(BytecodeError, match=r"^/nowhere/python cannot be run: No such file"):
        compile_bundle(bundle, "/nowhere/python")


def test_a_model_runs_from_its_bytecode_only_where_the_manifest_has_it(tmp_path: Path) -> None:
    """The code beside a model is loaded when it was deployed with it, and is verified like the model."""
    pyc = f"models/v1/__pycache__/model.{sys.implementation.cache_tag}.pyc"
    folder = tmp_path / "bundle"
    version = Version("v1", "python", "models/v1/model.py", "Model", outputs=[TensorSpec("y", "FP64", [-1])])
    source: dict[str, bytes | str] = {"models/v1/model.py": MODEL.encode()}
    planted = MODEL.replace("sum(row)", "666").encode()
    (tmp_path / "evil/models/v1").mkdir(parents=True)
    (tmp_path / "evil/models/v1/model.py").write_bytes(planted)
    (tmp_path / "evil/lastmile_runtime").mkdir()
    (tmp_path / "evil/lastmile_runtime/__init__.py").write_bytes(b"")
    compile_bundle(tmp_path / "evil")
    other = (tmp_path / "evil" / pyc).read_bytes()

    not_listed = write_bundle(folder, [version], source)
    (folder / pyc).parent.mkdir()
    (folder / pyc).write_bytes(other)
    assert predicted(folder, not_listed) == [3.0]

    listed = write_bundle(tmp_path / "second", [version], {**source, pyc: other})
    assert predicted(tmp_path / "second", listed) == [666]


def refusal(folder: Path) -> str:
    command = [sys.executable, "-I", "-S", "-B", "-c", IMPORTED, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    return done.stderr.splitlines()[-1]


def test_a_changed_byte_is_refused_by_name(bundle: Path) -> None:
    compile_bundle(bundle)
    content = (bundle / PACK).read_bytes()
    length = int.from_bytes(content[4:8], "little")
    begin, size = marshal.loads(content[16 : 16 + length])["lastmile_runtime.service"][1:3]
    for place in (begin, begin + size - 1):
        (bundle / PACK).write_bytes(flipped(content, place))
        assert refusal(bundle).startswith("ImportError: lastmile_runtime.service is not what was deployed: ")
    for place in (8, 16, 15 + length):
        (bundle / PACK).write_bytes(flipped(content, place))
        assert refusal(bundle) == f"ImportError: the index of {bundle / PACK} is not what was deployed."


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_a_changed_native_library_is_refused_by_name(bundle: Path) -> None:
    native = Path(lastmile_runtime.__file__).parent / "native"
    shutil.copytree(native, bundle / "lastmile_runtime/native")
    compile_bundle(bundle)
    load = "import sys; sys.path.insert(0, sys.argv[1]); from lastmile_runtime.forest import evaluator; print(evaluator())"
    command = [sys.executable, "-I", "-S", "-B", "-c", load, str(bundle)]
    assert "'_forest'" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
    library = bundle / f"lastmile_runtime/native/{platform.machine()}/_forest.abi3.so"
    library.write_bytes(flipped(library.read_bytes(), 20_000))
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"native/{platform.machine()}/_forest.abi3.so is not what was deployed" in told.stderr
