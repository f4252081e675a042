from __future__ import annotations

from pathlib import Path
from typing import Any

from lastmile_runtime.manifest import Version
from lastmile_runtime.predictors.onnx import load
from lastmile_runtime.tensors import Tensor
from tests.lastmile_runtime.predictors.calls import ask, matrix
from tests.lastmile_runtime.predictors.onnx_file import (
    DOUBLE,
    FLOAT,
    INT64,
    STRING,
    Array,
    identity,
    linear,
    zipped,
)


def served(folder: Path, content: bytes, columns: list[str] | None = None) -> Any:
    path = folder / "model.onnx"
    path.write_bytes(content)
    return load(str(path), Version("v1", "onnx", "models/v1/model.onnx", columns=columns))


def test_a_tensor_is_given_in_the_models_type(tmp_path: Path) -> None:
    predict = served(tmp_path, linear())
    for datatype in ("FP32", "FP64", "INT64"):
        assert ask(predict, matrix([[1, 2], [3, 4]], "x", datatype)) == {
            "y": ("FP32", [2, 1], [211.0, 431.0])
        }


def test_a_table_is_given_as_one_matrix(tmp_path: Path) -> None:
    predict = served(tmp_path, linear(), ["a", "b"])
    columns = [Tensor("b", "FP64", [1], [2.0]), Tensor("a", "FP64", [1], [1.0])]
    assert ask(predict, *columns) == {"y": ("FP32", [1, 1], [211.0])}
    assert ask(predict, matrix([[1, 2]])) == {"y": ("FP32", [1, 1], [211.0])}


def test_a_table_is_given_column_by_column(tmp_path: Path) -> None:
    content = identity(Array("size", DOUBLE, (-1, 1)), Array("colour", STRING, (-1,)))
    predict = served(tmp_path, content, ["colour", "size"])
    columns = [Tensor("colour", "BYTES", [2], ["red", "blue"]), Tensor("size", "INT64", [2, 1], [1, 2])]
    assert ask(predict, *columns) == {
        "size_out": ("FP64", [2, 1], [1.0, 2.0]),
        "colour_out": ("BYTES", [2], ["red", "blue"]),
    }


def test_tensors_of_every_kind_pass(tmp_path: Path) -> None:
    predict = served(
        tmp_path, identity(Array("i", INT64, (-1,)), Array("s", STRING, (1, -1)), Array("f", FLOAT, ()))
    )
    given = [
        Tensor("i", "INT8", [2], [1, -2]),
        Tensor("s", "BYTES", [1, 2], ["ü", ""]),
        Tensor("f", "FP32", [], [0.5]),
    ]
    assert ask(predict, *given) == {
        "i_out": ("INT64", [2], [1, -2]),
        "s_out": ("BYTES", [1, 2], ["ü", ""]),
        "f_out": ("FP32", [], [0.5]),
    }


def test_class_scores_become_a_matrix_with_ascending_classes(tmp_path: Path) -> None:
    predict = served(tmp_path, zipped())
    answer = ask(predict, matrix([[0.25, 0.75], [1, 0]], "x"))
    assert answer == {"scores": ("FP32", [2, 2], [0.75, 0.25, 0.0, 1.0])}
