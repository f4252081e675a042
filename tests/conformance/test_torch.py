"""TorchScript, exported by a real torch in a Python of its own, and served beside what torch itself answers.

Debian's torch will do (`apt-get install --no-install-recommends python3-torch`); LASTMILE_TEST_TORCH_PYTHON names
another Python that has one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from lastmile_runtime.manifest import Version
from lastmile_runtime.predictors.onnx import load
from lastmile_runtime.tensors import Tensor
from lastmile_sls.compile.onnx_optimize import optimize
from lastmile_sls.compile.torch_export import export, kind_of
from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ColumnFacts

pytestmark = pytest.mark.conformance

MODELS = """
import json, sys, torch

class Dense(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))

    def forward(self, x):
        return torch.softmax(self.layers(x), dim=1)

class Two(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.words = torch.nn.Embedding(10, 4)

    def forward(self, ids, weights):
        found = self.words(ids).sum(dim=1)
        return found * weights, found.argmax(dim=1)

class Branch(torch.nn.Module):
    def forward(self, x):
        if bool(x.sum() > 1e6):
            return x * 2
        return x + 1

class Image(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.MaxPool2d(2), torch.nn.Flatten(),
            torch.nn.LazyLinear(2))

    def forward(self, image):
        return self.layers(image)

class Text(torch.nn.Module):
    def forward(self, x):
        return {"a": x}

torch.manual_seed(1)
folder = sys.argv[1]
dense = Dense().eval()
torch.jit.script(dense).save(f"{folder}/dense.pt")
torch.jit.trace(dense, torch.rand(2, 4)).save(f"{folder}/traced.pt")
torch.jit.script(Two()).save(f"{folder}/two.pt")
torch.jit.script(Branch()).save(f"{folder}/branch.pt")
image = Image()
image(torch.rand(2, 1, 8, 8))
torch.jit.trace(image.eval(), torch.rand(2, 1, 8, 8)).save(f"{folder}/image.pt")
torch.jit.script(Text()).save(f"{folder}/text.pt")
torch.save(dense, f"{folder}/pickled.pt")
torch.save(dense.state_dict(), f"{folder}/state.pt")
rows = torch.rand(5, 4)
ids = torch.randint(0, 10, (5, 3))
weights = torch.rand(5, 4)
pictures = torch.rand(5, 1, 8, 8)
with torch.no_grad():
    scaled, best = torch.jit.load(f"{folder}/two.pt")(ids, weights)
    json.dump({"rows": rows.tolist(), "dense": dense(rows).tolist(), "ids": ids.tolist(), "weights": weights.tolist(),
               "scaled": scaled.tolist(), "best": best.tolist(), "pictures": pictures.tolist(),
               "image": image(pictures).tolist()}, open(f"{folder}/answers.json", "w"))
"""


def torch_python() -> str | None:
    for python in (
        os.environ.get("LASTMILE_TEST_TORCH_PYTHON"),
        shutil.which("python3", path=os.defpath),
        shutil.which("python3"),
    ):
        if (
            python
            and subprocess.run([python, "-c", "import torch"], capture_output=True, check=False).returncode
            == 0
        ):
            return python
    return None


@pytest.fixture(scope="module")
def python() -> str:
    found = torch_python()
    if found is None:
        pytest.skip("no Python here has torch: apt-get install --no-install-recommends python3-torch")
    return found


@pytest.fixture(scope="module")
def folder(python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("torch")
    program = made / "models.py"  # torch compiles the source, which must be in a file
    program.write_text(MODELS)
    run = subprocess.run([python, str(program), str(made)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return made


def answers(folder: Path) -> Any:
    return json.loads((folder / "answers.json").read_text())


def served(path: Path, *inputs: Tensor) -> dict[str, Tensor]:
    return {tensor.name: tensor for tensor in load(str(path), Version("v1", "onnx", path.name))(list(inputs))}


def tensor(name: str, values: Any, datatype: str = "FP32") -> Tensor:
    array = np.array(values)
    return Tensor(name, datatype, list(array.shape), array.ravel().tolist())


X = (ColumnFacts("x", "FP32", (-1, 4)),)


@pytest.mark.parametrize("name", ["dense.pt", "traced.pt"])
def test_torchscript_answers_as_torch_does(tmp_path: Path, folder: Path, python: str, name: str) -> None:
    told = answers(folder)
    path = tmp_path / "model.onnx"
    assert export(folder / name, path, X, python=python)[0].isdigit()
    optimize(path, tmp_path / "optimised.onnx")
    for file in (path, tmp_path / "optimised.onnx"):
        found = served(file, tensor("x", told["rows"]))
        assert (list(found), found["predict"].datatype, found["predict"].shape) == (
            ["predict"],
            "FP32",
            [5, 3],
        )
        np.testing.assert_allclose(found["predict"].data, np.ravel(told["dense"]), rtol=1e-5)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model.onnx", "optimised.onnx"]


def test_several_inputs_and_outputs(tmp_path: Path, folder: Path, python: str) -> None:
    told, path = answers(folder), tmp_path / "model.onnx"
    inputs = (ColumnFacts("ids", "INT64", (-1, 3)), ColumnFacts("weights", "FP32", (-1, 4)))
    export(folder / "two.pt", path, inputs, ("scaled", "best"), python=python)
    found = served(path, tensor("weights", told["weights"]), tensor("ids", told["ids"], "INT64"))
    assert (found["best"].datatype, found["best"].data) == ("INT64", told["best"])
    np.testing.assert_allclose(found["scaled"].data, np.ravel(told["scaled"]), rtol=1e-5)
    export(folder / "two.pt", path, inputs, python=python)
    assert [node.name for node in onnxruntime.InferenceSession(str(path)).get_outputs()] == [
        "output_0",
        "output_1",
    ]


def test_an_image(tmp_path: Path, folder: Path, python: str) -> None:
    told, path = answers(folder), tmp_path / "model.onnx"
    export(folder / "image.pt", path, (ColumnFacts("image", "FP32", (-1, 1, 8, 8)),), python=python)
    found = served(path, tensor("image", told["pictures"]))
    np.testing.assert_allclose(found["predict"].data, np.ravel(told["image"]), rtol=1e-4, atol=1e-6)


def test_a_branch_of_a_script_is_kept(tmp_path: Path, folder: Path, python: str) -> None:
    path = tmp_path / "model.onnx"
    export(folder / "branch.pt", path, X, python=python)
    for value, expected in ((1.0, 2.0), (1e6, 2e6)):
        assert served(path, tensor("x", [[value] * 4]))["predict"].data == [expected] * 4


def refusal(model: Path, destination: Path, python: str, inputs: tuple[ColumnFacts, ...] = X) -> str:
    with pytest.raises(LastmileError) as refused:
        export(model, destination / "model.onnx", inputs, python=python)
    assert list(destination.iterdir()) == []
    return str(refused.value)


def test_pickles_of_torch_hold_no_graph(tmp_path: Path, folder: Path, python: str) -> None:
    for name in ("pickled.pt", "state.pt"):
        told = refusal(folder / name, tmp_path, python)
        assert told.startswith(
            f"{name} is a pickle of torch.save, which holds no graph.\nSave it as TorchScript: "
        )
    assert kind_of(folder / "dense.pt") == "torchscript"


def test_inputs_that_do_not_fit_the_model_are_torchs_own_error(
    tmp_path: Path, folder: Path, python: str
) -> None:
    told = refusal(folder / "dense.pt", tmp_path, python, (ColumnFacts("x", "FP32", (-1, 5)),))
    assert told.startswith(
        "torch cannot export dense.pt: RuntimeError: mat1 and mat2 shapes cannot be multiplied"
    )


def test_an_answer_that_is_no_tensor_is_refused(tmp_path: Path, folder: Path, python: str) -> None:
    told = refusal(folder / "text.pt", tmp_path, python)
    assert told.startswith(
        "torch cannot export text.pt: TypeError: it answers with a dict; it must be a tensor"
    )
