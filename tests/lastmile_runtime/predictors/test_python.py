from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.errors import BundleError
from lastmile_runtime.manifest import TensorSpec, Version
from lastmile_runtime.predictors.python import load
from tests.lastmile_runtime.predictors.calls import ask, matrix

X = matrix([[1.0, 2.0]], "x")
ANSWERS = "class Model:\n    def predict(self, inputs):\n        return {answer}\n"


def write(folder: Path, source: str, **files: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).with_suffix(".py").write_text(content)
    path = folder / "model.py"
    path.write_text(source)
    return str(path)


def version(id_: str = "v1", entry: str = "Model", outputs: list[TensorSpec] | None = None) -> Version:
    return Version(id_, "python", f"models/{id_}/model.py", entry, outputs=outputs)


@pytest.mark.parametrize(
    ("answer", "outputs"),
    [
        ("inputs['x'][0]", {"predict": ("FP64", [2], [1, 2])}),
        ("{'a': [1], 'b': ['no']}", {"a": ("INT64", [1], [1]), "b": ("BYTES", [1], ["no"])}),
        ("list(inputs)", {"predict": ("BYTES", [1], ["x"])}),
    ],
)
def test_a_class_answers_with_lists(tmp_path: Path, answer: str, outputs: Any) -> None:
    predict = load(write(tmp_path, ANSWERS.format(answer=answer)), version())
    assert ask(predict, X) == outputs


def test_a_declared_float_output_stays_one(tmp_path: Path) -> None:
    declared = version(outputs=[TensorSpec("predict", "FP32", [-1])])
    predict = load(write(tmp_path, ANSWERS.format(answer="[1, 2]")), declared)
    assert ask(predict, X) == {"predict": ("FP32", [2], [1, 2])}


def test_load_gets_the_artifacts_folder_before_the_first_prediction(tmp_path: Path) -> None:
    source = (
        "import pathlib\n"
        "class Model:\n"
        "    def load(self, folder): self.bias = int((pathlib.Path(folder) / 'bias.py').read_text())\n"
        "    def predict(self, inputs): return [self.bias]\n"
    )
    assert ask(load(write(tmp_path, source, bias="7"), version()), X) == {"predict": ("INT64", [1], [7])}


def test_versions_keep_modules_of_the_same_name_apart(tmp_path: Path) -> None:
    source = "import scale\nclass Model:\n    def predict(self, inputs): return [scale.FACTOR]\n"
    loaded = {
        id_: load(write(tmp_path / id_, source, scale=f"FACTOR = {factor}"), version(id_))
        for id_, factor in (("v1", 1), ("v2", 2))
    }
    assert [ask(predict, X)["predict"][2] for predict in loaded.values()] == [[1], [2]]
    assert "scale" not in sys.modules
    assert not [entry for entry in sys.path if entry.startswith(str(tmp_path))]


def test_a_classes_instances_can_be_pickled(tmp_path: Path) -> None:
    source = (
        "import pickle\nclass Model:\n    def predict(self, inputs): return [len(pickle.dumps(self)) > 0]\n"
    )
    assert ask(load(write(tmp_path, source), version("v1.0")), X) == {"predict": ("BOOL", [1], [True])}
    assert pickle.dumps(sys.modules["lastmile_model_v1_2e_0"].Model)


@pytest.mark.parametrize(
    ("source", "entry", "error", "message"),
    [
        ("x = 1\n", "Model", BundleError, "model.py has no class Model."),
        ("class Model: pass\n", "Model", BundleError, "Model in model.py has no method predict."),
        ("import no_such_module\n", "Model", ModuleNotFoundError, "No module named 'no_such_module'"),
        ("import os\nos.nothing\n", "Model", AttributeError, "module 'os' has no attribute 'nothing'"),
    ],
)
def test_a_file_that_is_no_model_says_so(
    tmp_path: Path, source: str, entry: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as raised:
        load(write(tmp_path, source), version(entry=entry))
    assert str(raised.value) == message
    assert not [entry for entry in sys.path if entry.startswith(str(tmp_path))]
