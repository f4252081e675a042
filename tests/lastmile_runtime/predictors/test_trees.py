from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.errors import BundleError, RequestError
from lastmile_runtime.manifest import TensorSpec, Version
from lastmile_runtime.predictors import load
from lastmile_runtime.tensors import Tensor
from lastmile_sls.compile.forest import Answer, Forest, Leaf, Split, Tree
from lastmile_sls.compile.forest_file import render
from tests.lastmile_runtime.predictors.calls import ask, matrix

# Three classes: the leaves are what each of three rows is worth to each of them.
TREE = Tree(
    [
        Split(0, 0.0, 1, 2),
        Leaf([1.0, 2.0, 4.0]),
        Split(1, 0.0, 3, 4),
        Leaf([5.0, 3.0, 5.0]),
        Leaf([0.0, 7.0, 0.0]),
    ],
    0,
    3,
)
ROWS = [[-1.0, 0.0], [1.0, -1.0], [1.0, 1.0]]


def served(
    folder: Path, forest: Forest, outputs: list[str] | None = None, columns: list[str] | None = None
) -> Any:
    path = folder / "model.forest"
    path.write_bytes(render(forest))
    specs = [TensorSpec(name, "FP64", [-1]) for name in outputs or []]
    return load(str(path), Version("v1", "trees", "models/v1/model.forest", columns=columns, outputs=specs))


def with_answers(*answers: Answer, **fields: Any) -> Forest:
    return Forest(2, 3, [TREE], [0.0, 0.0, 0.0], answers=list(answers), **fields)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer("a", "FP64", first=1), ("FP64", [3], [2.0, 3.0, 7.0])),
        (Answer("a", "FP64", first=1, columns=1), ("FP64", [3, 1], [2.0, 3.0, 7.0])),
        (Answer("a", "FP64", first=1, columns=2), ("FP64", [3, 2], [2.0, 4.0, 3.0, 5.0, 7.0, 0.0])),
        (Answer("a", "FP32", columns=3), ("FP32", [3, 3], [1.0, 2.0, 4.0, 5.0, 3.0, 5.0, 0.0, 7.0, 0.0])),
        (Answer("a", "INT64", labels=[10, 20, 30]), ("INT64", [3], [30, 10, 20])),
        (Answer("a", "BYTES", labels=["no", "yes"]), ("BYTES", [3], ["yes", "no", "yes"])),
        (Answer("a", "BYTES", first=1, labels=["é", "z"]), ("BYTES", [3], ["z", "z", "é"])),
        (Answer("a", "BYTES", labels=["only"]), ("BYTES", [3], ["only", "only", "only"])),
        (
            Answer("a", "BOOL", labels=[False, True], rule="above", threshold=1.0),
            ("BOOL", [3], [False, True, False]),
        ),
        (
            Answer("a", "BOOL", labels=[False, True], rule="at_least", threshold=1.0),
            ("BOOL", [3], [True, True, False]),
        ),
        (Answer("a", "INT64", first=2, labels=[-1, 1], rule="above"), ("INT64", [3], [1, 1, -1])),
        (Answer("a", "FP64", labels=[0.5, 1.5, 2.5]), ("FP64", [3], [2.5, 0.5, 1.5])),
    ],
)
def test_an_answer_is_what_the_file_says(tmp_path: Path, answer: Answer, expected: Any) -> None:
    assert ask(served(tmp_path, with_answers(answer)), matrix(ROWS)) == {"a": expected}


def test_answers_come_from_margins_or_values(tmp_path: Path) -> None:
    answers = [Answer("decision_function", "FP64", "margins"), Answer("predict_proba", "FP64", columns=2)]
    answers.append(Answer("predict", "BYTES", "margins", labels=["no", "yes"], rule="above"))
    tree = Tree([Split(0, 0.0, 1, 2), Leaf([0.0]), Leaf([1.0])])
    found = ask(
        served(tmp_path, Forest(1, 1, [tree], [0.0], transform="binary_sigmoid", answers=answers)),
        matrix([[0.0], [1.0]]),
    )
    assert found["decision_function"] == ("FP64", [2], [0.0, 1.0])
    assert found["predict"] == ("BYTES", [2], ["no", "yes"])
    assert found["predict_proba"][:2] == ("FP64", [2, 2])
    assert found["predict_proba"][2] == pytest.approx(
        [0.5, 0.5, 0.2689414213699951, 0.7310585786300049], rel=1e-15
    )


def test_answers_do_not_share_their_numbers(tmp_path: Path) -> None:
    answers = [Answer("a", "FP64", "margins", columns=3), Answer("b", "FP64", columns=3)]
    found = ask(served(tmp_path, with_answers(*answers)), matrix(ROWS))
    assert found["a"][2] == found["b"][2]
    assert found["a"][2] is not found["b"][2]


def test_the_manifest_chooses_and_orders_the_answers(tmp_path: Path) -> None:
    forest = with_answers(Answer("a", "FP64"), Answer("b", "FP64", first=1), Answer("c", "FP64", first=2))
    assert list(ask(served(tmp_path, forest, ["c", "a"]), matrix(ROWS))) == ["c", "a"]
    assert list(ask(served(tmp_path, forest), matrix(ROWS))) == ["a", "b", "c"]
    with pytest.raises(
        BundleError, match=r"^output 'd' is not in models/v1/model.forest, which has a, b, c\.$"
    ):
        served(tmp_path, forest, ["d"])


def test_a_rule_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.forest"
    path.write_bytes(
        render(with_answers(Answer("a", "INT64", labels=[1, 2]))).replace(b'"argmax"', b'"argmin"')
    )
    with pytest.raises(
        BundleError, match="output 'a' is decided by 'argmin', which this runtime does not know"
    ):
        load(str(path), Version("v1", "trees", "models/v1/model.forest"))


def test_a_table_comes_as_a_matrix_or_in_columns(tmp_path: Path) -> None:
    predict = served(tmp_path, with_answers(Answer("a", "FP64", columns=3)), columns=["x", "y"])
    columns = [Tensor("y", "FP64", [3], [row[1] for row in ROWS]), Tensor("x", "INT64", [3, 1], [-1, 1, 1])]
    assert ask(predict, *columns) == ask(predict, matrix(ROWS))


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (
            Tensor("x", "FP64", [1, 3], [1.0, 2.0, 3.0]),
            "the model takes one input of the shape [rows, 2], but was sent 'x'",
        ),
        (
            Tensor("x", "FP64", [2], [1.0, 2.0]),
            "the model takes one input of the shape [rows, 2], but was sent 'x'",
        ),
        (
            Tensor("x", "BYTES", [1, 2], ["1", "2"]),
            "row 0, feature 0 is a <class 'str'>, but must be a number.",
        ),
        (
            Tensor("x", "FP64", [1, 2], [1.0, float("nan")]),
            "row 0, feature 1 is NaN, but the model takes finite numbers only.",
        ),
    ],
)
def test_inputs_that_do_not_fit_are_the_callers_mistake(tmp_path: Path, tensor: Tensor, message: str) -> None:
    predict = served(tmp_path, with_answers(Answer("a", "FP64"), accepts="finite"))
    with pytest.raises(RequestError, match=re.escape(message)) as raised:
        predict([tensor])
    assert raised.value.status == 400


def test_no_rows_of_a_table_are_the_callers_mistake(tmp_path: Path) -> None:
    predict = served(tmp_path, with_answers(Answer("a", "FP64")), columns=["x", "y"])
    with pytest.raises(RequestError, match="has no rows"):
        predict([Tensor("x", "FP64", [0, 2], [])])


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        (b"[]", "TypeError: list indices must be integers or slices, not str"),
        (b'{"a":1}', "KeyError: 'answers'"),
        (
            b"{",
            "JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
    ],
)
def test_a_file_whose_answers_cannot_be_read(tmp_path: Path, metadata: bytes, says: str) -> None:
    content = bytearray(render(Forest(2, 3, [TREE], [0.0, 0.0, 0.0])))
    (old,) = struct.unpack_from("<I", content, 48)
    content[-old:] = metadata
    struct.pack_into("<Q", content, 16, len(content))
    struct.pack_into("<I", content, 48, len(metadata))
    path = tmp_path / "model.forest"
    path.write_bytes(content)
    with pytest.raises(BundleError) as refused:
        load(str(path), Version("v1", "trees", "models/v1/model.forest"))
    assert str(refused.value) == f"models/v1/model.forest cannot be read: {says}."
