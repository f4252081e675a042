from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import joblib
import pytest
import yaml
from sklearn.linear_model import LogisticRegression

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ColumnFacts
from lastmile_sls.inspection.inspect import inspect
from lastmile_sls.inspection.mlflow import open_folder
from tests.lastmile_sls.inspection.models import TABLE, X, Y, encoded_table

FILES = Path(__file__).with_name("files")
PYFUNC = {"loader_module": "mlflow.sklearn", "model_path": "model.pkl"}
SKLEARN = {"pickled_model": "model.pkl", "serialization_format": "cloudpickle", "code": None}


def columns(**types: str) -> str:
    return json.dumps([{"type": kind, "name": name, "required": True} for name, kind in types.items()])


def folder(
    at: Path,
    flavors: Any = None,
    *,
    inputs: str | None = None,
    requirements: str | None = None,
    model: Any = None,
) -> Path:
    path = at / "model"
    path.mkdir()
    document: dict[str, Any] = {"flavors": flavors or {"python_function": PYFUNC, "sklearn": SKLEARN}}
    if inputs is not None:
        document["signature"] = {"inputs": inputs, "outputs": None}
    (path / "MLmodel").write_text(yaml.safe_dump(document))
    (path / "model.pkl").write_bytes(pickle.dumps(model or LogisticRegression().fit(X, Y)))
    if requirements is not None:
        (path / "requirements.txt").write_text(requirements)
    return path


def refusal(path: Path, **more: Any) -> str:
    with pytest.raises(LastmileError) as refused:
        inspect(path, **more)
    return str(refused.value)


def test_a_scikit_learn_model_with_its_signature_and_requirements(tmp_path: Path) -> None:
    told = "# made by hand\nmlflow==3.1\nmlflow-skinny\nscikit-learn==1.9.1  # pinned\n\nscipy>=1 ; python_version > '3'\n"
    path = folder(tmp_path, inputs=columns(a="double", b="double", c="long"), requirements=told)
    found = open_folder(path)
    assert (found.artifact, found.framework) == (path / "model.pkl", "sklearn")
    facts = inspect(path)
    assert facts == found.facts
    assert facts.framework == "mlflow"
    assert facts.requirements == ("scikit-learn==1.9.1", "scipy>=1 ; python_version > '3'")
    assert facts.inputs == (ColumnFacts("a", "FP64"), ColumnFacts("b", "FP64"), ColumnFacts("c", "FP64"))
    assert [output.name for output in facts.outputs] == ["predict", "predict_proba"]
    assert (facts.named, facts.frame, facts.notes) == (True, False, ())


def test_a_model_that_names_its_columns_keeps_them(tmp_path: Path) -> None:
    model = encoded_table().fit(TABLE, Y)
    path = folder(
        tmp_path,
        inputs=columns(age="double", plan="string", other="long"),
        requirements="pandas\n",
        model=model,
    )
    facts = inspect(path)
    assert [column.name for column in facts.inputs] == ["age", "plan", "visits"]
    assert facts.frame
    assert facts.notes == (
        "The signature's columns differ from the model's own, which are served: age, plan, visits.",
    )
    assert facts.requirements[0] == "pandas"
    assert facts.requirements[1].startswith("scikit-learn==")


@pytest.mark.parametrize(
    "inputs", [None, "[]", '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 3]}}]']
)
def test_without_columns_in_the_signature_they_are_numbered(tmp_path: Path, inputs: str | None) -> None:
    facts = inspect(folder(tmp_path, inputs=inputs))
    assert [column.name for column in facts.inputs] == ["x0", "x1", "x2"]
    assert facts.requirements[0].startswith("scikit-learn==")


@pytest.mark.parametrize(
    ("flavor", "file", "framework"),
    [
        ("xgboost", "xgboost_binary.json", "xgboost"),
        ("lightgbm", "lightgbm_binary.txt", "lightgbm"),
        ("lightgbm", None, "sklearn"),
        ("onnx", "linear.onnx", "onnx"),
    ],
)
def test_other_flavours(tmp_path: Path, flavor: str, file: str | None, framework: str) -> None:
    path = folder(tmp_path, {"python_function": PYFUNC, flavor: {"data": "data/model"}})
    (path / "data").mkdir()
    source = (
        path / "model.pkl"
        if file is None
        else next(FILES.glob(f"{flavor}*" if flavor != "onnx" else "*.onnx"))
    )
    shutil.copyfile(source, path / "data" / "model")
    found = open_folder(path)
    assert (found.framework, found.facts.framework) == (framework, "mlflow")
    assert found.artifact == path / "data" / "model"


def test_a_requirement_from_elsewhere_is_left_out_and_said(tmp_path: Path) -> None:
    told = (
        "scikit-learn\nown @ https://example.org/own.whl\n-e .\n--index-url https://user:secret@example.org\n"
    )
    facts = inspect(folder(tmp_path, requirements=told))
    assert facts.requirements == ("scikit-learn",)
    assert facts.notes == tuple(
        f"requirements.txt:{line} is left out: it is no package by name and version." for line in (2, 3, 4)
    )


def test_code_beside_the_model_is_said_not_to_be_taken(tmp_path: Path) -> None:
    facts = inspect(folder(tmp_path, {"sklearn": {**SKLEARN, "code": "code"}}))
    assert facts.notes == ("Its own code, in 'code', is not taken along.",)


class Crafted:
    def __reduce__(self) -> Any:
        return os.system, ("touch /tmp/ran",)


def test_a_pickle_can_run_nothing(tmp_path: Path) -> None:
    path = folder(tmp_path, model=Crafted())
    assert refusal(path).startswith(
        "model.pkl is refused: it names posix.system, which is not part of a model."
    )


class Own(LogisticRegression):  # type: ignore[misc]
    """Not on the table of globals."""


def test_a_trusted_pickle_is_loaded(tmp_path: Path) -> None:
    path = folder(tmp_path, model=Own().fit(X, Y))
    assert "is refused" in refusal(path)
    assert "--trust" in inspect(path, trust=True).notes[0]


def test_a_python_function_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = folder(tmp_path, {"python_function": {"loader_module": "mlflow.pyfunc.model"}, "prophet": {}})
    assert refusal(path) == (
        "MLmodel has the flavors prophet, python_function, loaded by mlflow.pyfunc.model, but one of them must be of "
        "sklearn, xgboost, lightgbm, onnx.\nSave it in its own flavour (mlflow.sklearn, xgboost, lightgbm or onnx), or "
        "write a Python class with a predict method that loads it, framework: python."
    )


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (None, "None, but must name the model's file."),
        ("../model.pkl", "'../model.pkl', but must be a path inside the folder."),
        ("/etc/passwd", "'/etc/passwd', but must be a path inside the folder."),
        ("link", "'link', a link or behind one."),
        ("up/model.pkl", "'up/model.pkl', a link or behind one."),
        ("gone.pkl", "'gone.pkl', but there is no such file."),
        ("n" * 300, f"'{'n' * 300}': File name too long."),
        (["model.pkl"], "a list, but must name the model's file."),
    ],
)
def test_a_file_outside_of_the_folder_is_refused(tmp_path: Path, told: Any, reason: str) -> None:
    path = folder(tmp_path, {"sklearn": {**SKLEARN, "pickled_model": told}})
    (path / "link").symlink_to("/etc/passwd")
    (path / "up").symlink_to(path)
    assert refusal(path).splitlines()[0] == f"MLmodel: flavors.sklearn.pickled_model is {reason}"


def test_skops_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = folder(tmp_path, {"sklearn": {**SKLEARN, "pickled_model": "model.skops"}})
    (path / "model.skops").write_bytes(b"PK\x03\x04")
    assert refusal(path) == (
        "model/model.skops is in the format skops, which is not read here.\n"
        "Save it with mlflow.sklearn.save_model(..., serialization_format='pickle')."
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("flavors: [", "MLmodel is not YAML:"),
        ("[]", "MLmodel names no flavors."),
        ("a: 2001-99-99", "MLmodel is not YAML: month must be in 1..12"),
        ("a: !!timestamp x", "MLmodel is not YAML: 'NoneType' object has no attribute 'groupdict'"),
        ("a: !!bool x", "MLmodel is not YAML: 'x'"),
        ("a: !!int ''", "MLmodel is not YAML: string index out of range"),
        ("a: " + "[" * 3000, "MLmodel is not YAML: maximum recursion depth exceeded"),
        ("a: {<<: {b: c}}", "MLmodel is not YAML: could not determine a constructor"),
        ("flavors: !!python/object/apply:os.system ['touch /tmp/ran']", "MLmodel is not YAML:"),
        ("a: \x85\udce4", "model/MLmodel is not UTF-8 text."),
        (" " * (5 << 20), "model/MLmodel has 5242880 bytes, but at most 4194304 are read."),
    ],
)
def test_an_mlmodel_file_that_is_none(tmp_path: Path, text: str, told: str) -> None:
    path = folder(tmp_path)
    (path / "MLmodel").write_text(text, encoding="latin-1", errors="surrogateescape")
    assert refusal(path).startswith(told)


def test_lines_that_hold_each_other_over_and_over_take_no_memory(tmp_path: Path) -> None:
    path = folder(tmp_path)
    lists = "".join(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 12))
    (path / "MLmodel").write_text(
        f"a0: &a0 [x]\n{lists}flavors: {{sklearn: {{pickled_model: model.pkl, code: *a11}}}}"
    )
    assert inspect(path).notes == ()
    (path / "MLmodel").write_text(f"a0: &a0 [x]\n{lists}flavors: {{sklearn: {{pickled_model: *a11}}}}")
    assert refusal(path).startswith("MLmodel: flavors.sklearn.pickled_model is a list, but must name")


def test_a_requirement_in_brackets_without_end_is_left_out(tmp_path: Path) -> None:
    facts = inspect(folder(tmp_path, requirements=f"a; {'(' * 5000}\n"))
    assert facts.notes == ("requirements.txt:1 is left out: it is no package by name and version.",)


def test_a_signature_of_other_types_is_passed_over(tmp_path: Path) -> None:
    told = json.dumps([{"name": "a", "type": ["double"]}])
    assert [column.name for column in inspect(folder(tmp_path, inputs=told)).inputs] == ["x0", "x1", "x2"]
    (tmp_path / "more").mkdir()
    assert refusal(folder(tmp_path / "more", inputs="[" * 100_000)).startswith(
        "MLmodel: signature.inputs is not JSON."
    )


def test_a_signature_that_does_not_fit(tmp_path: Path) -> None:
    told = "model: the signature has 2 columns, but the model takes 3."
    assert refusal(folder(tmp_path, inputs=columns(a="double", b="double"))).startswith(told)
    (tmp_path / "more").mkdir()
    assert refusal(folder(tmp_path / "more", inputs="{")).startswith("MLmodel: signature.inputs is not JSON.")


def test_the_wrong_kind_of_file(tmp_path: Path) -> None:
    path = folder(tmp_path, {"onnx": {"data": "model.pkl"}})
    assert refusal(path) == "model/model.pkl is of the flavor onnx, but not ONNX.\nSave the model again."


def test_an_entry_is_for_python(tmp_path: Path) -> None:
    told = "--entry is 'A', but model is MLflow (a folder with the file MLmodel).\nLeave --entry out."
    assert refusal(folder(tmp_path), entry="A") == told


def test_folders_that_mlflow_wrote(tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow.sklearn")
    signature = pytest.importorskip("mlflow.models").infer_signature(TABLE, Y)
    for form in ("pickle", "cloudpickle"):
        path = tmp_path / form
        packages = ["scikit-learn==1.5", "mlflow"]
        mlflow.save_model(
            encoded_table().fit(TABLE, Y),
            str(path),
            signature=signature,
            serialization_format=form,
            pip_requirements=packages,
        )
        found = open_folder(path)
        assert [(column.name, column.datatype) for column in found.facts.inputs] == [
            ("age", "FP64"), ("plan", "BYTES"), ("visits", "FP64"),
        ]  # fmt: skip
        assert found.facts.requirements == ("scikit-learn==1.5", "pandas")
        assert joblib.load(found.artifact).predict(TABLE).shape == (40,)
