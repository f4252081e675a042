"""What is decided before and after torch runs; torch itself: tests/conformance/test_torch.py."""

from __future__ import annotations

import ast
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import lastmile_sls
from lastmile_sls.compile.torch_export import export, kind_of
from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ColumnFacts
from tests.lastmile_runtime.predictors.onnx_file import linear

X = (ColumnFacts("x", "FP32", (-1, 2)),)
TORCH = '''
"""Stands for torch: hands on a graph that is there already, and answers as `answers` says."""
from pathlib import Path
here = Path(__file__).parent
__version__ = "9.9"

class Tensor:
    def __init__(self, shape, values):
        self.shape, self.values = tuple(shape), values

    def numpy(self): ...
    def to(self, kind): return self
    def detach(self): return self
    def reshape(self, size): return self
    def tolist(self): return self.values

class no_grad:
    def __enter__(self): ...
    def __exit__(self, *error): ...

class float32:
    is_floating_point = True

def manual_seed(seed): ...
def rand(shape): return Tensor(shape, [1.0, 2.0] * shape[0])

class Model:
    example_inputs = ((Tensor([2, 2], [1.0, 2.0] * 2),), {})
    class graph_signature:
        user_inputs = ("x",)
    def eval(self): return self
    def module(self): return self
    def __call__(self, x): return ANSWER
    def save(self, path, external_data): Path(path).write_bytes((here / "graph.onnx").read_bytes())

class jit:
    def load(path, map_location): return Model()

class export:
    def load(path): return Model()

class onnx:
    def export(model, *example, dynamo=False, **options):
        if dynamo:
            return Model()
        assert options["dynamic_axes"]["x"] == {0: "x_0"}, options
        Model().save(example[1], False)
'''


@pytest.fixture
def fake(tmp_path: Path) -> Any:
    """Return a function that makes a Python whose torch answers with a tensor."""

    def make(shape: list[int], values: list[float]) -> str:
        folder = tmp_path / "site"
        folder.mkdir()
        (folder / "torch.py").write_text(TORCH.replace("ANSWER", f"Tensor({shape}, {values})"))
        (folder / "graph.onnx").write_bytes(linear())
        python = tmp_path / "python"
        python.write_text(f"#!/bin/sh\nPYTHONPATH='{folder}' exec '{sys.executable}' \"$@\"\n")
        python.chmod(0o755)
        return str(python)

    return make


def archive(folder: Path, *names: str) -> Path:
    path = folder / "model.pt"
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(f"model/{name}", "")
    return path


def refusal(*given: Any, **more: Any) -> str:
    with pytest.raises(LastmileError) as refused:
        export(*given, **more)
    return str(refused.value)


SCRIPT = ("data.pkl", "constants.pkl", "code/__torch__.py", "version")


def test_the_kinds_of_files(tmp_path: Path) -> None:
    assert kind_of(archive(tmp_path, *SCRIPT)) == "torchscript"
    assert kind_of(archive(tmp_path, "serialized_exported_program.json")) == "program"
    assert kind_of(archive(tmp_path, "archive_format", "models/model.json")) == "program"
    for names, told in ((("data.pkl", "version"), "is a pickle of torch.save"), (("other",), "is neither")):
        with pytest.raises(LastmileError, match=told):
            kind_of(archive(tmp_path, *names))
    whole = archive(tmp_path, *SCRIPT).read_bytes()
    newer = whole.replace(b"PK\x01\x02\x14\x03\x14", b"PK\x01\x02\x14\x03\xff")
    assert newer != whole
    for content in (b"\x80\x02", newer):
        (tmp_path / "model.pt").write_bytes(content)
        with pytest.raises(LastmileError, match="is neither TorchScript nor an exported program"):
            kind_of(tmp_path / "model.pt")


def test_torchscript_needs_its_inputs_named(tmp_path: Path) -> None:
    path = archive(tmp_path, *SCRIPT)
    assert refusal(path, tmp_path / "m.onnx") == (
        "model.pt is TorchScript, which does not say what its inputs are.\n"
        "Name them, with datatype and shape, under contract.inputs."
    )
    told = refusal(path, tmp_path / "m.onnx", (ColumnFacts("x", "BYTES"),))
    assert told.startswith("contract.inputs: x has the datatype BYTES, but torch takes BOOL, INT8")


def test_without_torch_it_says_what_to_install(tmp_path: Path) -> None:
    told = refusal(archive(tmp_path, *SCRIPT), tmp_path / "m.onnx", X)
    assert told == (
        f"Exporting model.pt takes torch, which {sys.executable} does not have.\nInstall it: pip install torch"
    )
    told = refusal(tmp_path / "model.pt", tmp_path / "m.onnx", X, python=str(tmp_path / "none"))
    assert (
        told
        == f"{tmp_path / 'none'} cannot be run: No such file or directory.\nName the Python that has torch."
    )


@pytest.mark.parametrize("names", [SCRIPT, ("archive_format",)], ids=["torchscript", "program"])
def test_a_graph_that_answers_the_same_is_kept(tmp_path: Path, fake: Any, names: tuple[str, ...]) -> None:
    # 10 x0 + 100 x1 + 1 of the rows (1, 2); one batch size is as many rows as the stand-in answers with.
    python = fake([2, 1], [211.0, 211.0])
    path = archive(tmp_path, *names)
    if names == SCRIPT:
        told = refusal(path, tmp_path / "m.onnx", X, ("y",), python=python)
        assert told.startswith("model.pt as ONNX answers y of the shape [3, 1], but torch [2, 1].")
        return
    assert export(path, tmp_path / "m.onnx", X, ("y",), python=python) == "9.9"
    assert (tmp_path / "m.onnx").read_bytes() == linear()
    assert export(path, tmp_path / "m.onnx", (), ("y",), python=python) == "9.9"


def test_a_graph_that_answers_otherwise_is_refused(tmp_path: Path, fake: Any) -> None:
    python = fake([2, 1], [211.0, 210.0])
    told = refusal(archive(tmp_path, "archive_format"), tmp_path / "m.onnx", X, ("y",), python=python)
    assert told.startswith("model.pt as ONNX answers y differently: by 1.\n")
    assert not (tmp_path / "m.onnx").exists()


def test_a_graph_without_the_answer_cannot_be_run(tmp_path: Path, fake: Any) -> None:
    python = fake([2, 1], [211.0, 211.0])
    told = refusal(archive(tmp_path, "archive_format"), tmp_path / "m.onnx", X, python=python)
    assert told.startswith("model.pt as ONNX cannot be run: ")


def test_the_process_gets_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "hidden")
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nenv | grep -c SOME_TOKEN >&2\nexit 3\n")
    python.chmod(0o755)
    told = refusal(archive(tmp_path, *SCRIPT), tmp_path / "m.onnx", X, python=str(python))
    assert told.startswith("torch cannot export model.pt: 0\n")


def test_torch_is_never_imported_here() -> None:
    for source in Path(lastmile_sls.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert "torch" not in {name.partition(".")[0] for name in names}, source


def test_the_worker_needs_nothing_of_lastmile() -> None:
    source = Path(lastmile_sls.__file__).parent / "compile" / "torch_worker.py"
    assert "lastmile" not in json.dumps(
        [node.module for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.ImportFrom)]
    )
