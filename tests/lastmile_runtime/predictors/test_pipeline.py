"""Compiled pipelines in the runtime, from documents written here; beside scikit-learn: tests/lastmile_sls/compile."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import lastmile_runtime
from lastmile_runtime.errors import BundleError, RequestError
from lastmile_runtime.manifest import TensorSpec, Version
from lastmile_runtime.predictors.pipeline import load
from lastmile_runtime.tensors import Tensor
from tests.lastmile_runtime.predictors.calls import ask, matrix

NAMES = ["age", "plan"]
NAN, INFINITY = float("nan"), float("inf")
PLAN = {"origin": 1, "values": ["free", "gold"], "codes": [1, 2], "missing": None, "unknown": None}
CHECK_AGE = {"kind": "check", "by": "StandardScaler", "origins": [0], "refuses": "infinite"}
AGE = [
    {"kind": "select", "places": [0]},
    CHECK_AGE,
    {"kind": "standardize", "shift": [40.0], "scale": [10.0], "limit": None},
]
ENCODED = [
    {"kind": "select", "places": [1]},
    {"kind": "one_hot", "columns": [{**PLAN, "codes": [0, 1]}], "width": 2},
]
STEPS: list[dict[str, Any]] = [
    {"kind": "branches", "branches": [AGE, ENCODED]},
    {"kind": "check", "by": "LogisticRegression", "origins": [0, -1, -1], "refuses": "not_finite"},
]


def answer(name: str, **more: Any) -> dict[str, Any]:
    plain = {
        "datatype": "FP64",
        "source": "values",
        "first": 0,
        "columns": None,
        "labels": [],
        "rule": "argmax",
        "threshold": 0,
    }
    return {"name": name, **plain, **more}


ANSWERS = [
    answer("predict", datatype="BYTES", source="margins", labels=["stays", "leaves"], rule="above"),
    answer("predict_proba", columns=2),
]
FINAL = {
    "kind": "linear",
    "coefficients": [[1.0, -2.0, 0.5]],
    "intercepts": [0.25],
    "link": "binary_sigmoid",
    "offset": 0.0,
}
CHURN = {
    "format": "lastmile.pipeline/1",
    "columns": 2,
    "steps": STEPS,
    "widths": [1, 2],
    "final": FINAL,
    "answers": ANSWERS,
}


def opened(folder: Path, document: Any = CHURN, **more: Any) -> Any:
    path = folder / "model.pipeline"
    path.write_text(json.dumps(document))
    more = {"columns": NAMES, "frame": True, **more}
    return load(str(path), Version("v1", "pipeline", "model.pipeline", **more))


def row(age: Any, plan: Any, datatype: str = "FP64") -> list[Tensor]:
    return [Tensor("age", datatype, [1], [age]), Tensor("plan", "BYTES", [1], [plan])]


def refusal(predict: Any, *inputs: Tensor) -> str:
    with pytest.raises(RequestError) as refused:
        predict(list(inputs))
    assert refused.value.status == 400
    return refused.value.message


def test_a_table_of_numbers_and_texts(tmp_path: Path) -> None:
    columns = [Tensor("plan", "BYTES", [2], ["free", "gold"]), Tensor("age", "INT64", [2, 1], [20, 60])]
    answers = ask(opened(tmp_path), *columns)
    # -2 - 2 + 0.25 and 2 + 0.5 + 0.25
    assert answers["predict"] == ("BYTES", [2], ["stays", "leaves"])
    datatype, shape, proba = answers["predict_proba"]
    assert (datatype, shape) == ("FP64", [2, 2])
    assert proba == pytest.approx([0.97702263, 0.02297737, 0.06008665, 0.93991335])


def test_the_manifest_names_the_answers(tmp_path: Path) -> None:
    named = opened(tmp_path, outputs=[TensorSpec("predict_proba", "FP64", [-1, 2])])
    assert list(ask(named, *row(20, "free"))) == ["predict_proba"]
    with pytest.raises(BundleError) as refused:
        opened(tmp_path, outputs=[TensorSpec("transform", "FP64", [-1])])
    assert (
        str(refused.value) == "output 'transform' is not in model.pipeline, which has predict, predict_proba."
    )


@pytest.mark.parametrize(
    ("age", "plan", "told"),
    [
        (NAN, "free", "column 'age' is missing (NaN), but LogisticRegression takes no missing values"),
        (INFINITY, "free", "column 'age' is inf, but StandardScaler takes finite numbers"),
        ("old", "free", "column 'age' is the text 'old', but StandardScaler takes numbers"),
        (20, "platinum", "column 'plan' is 'platinum', but must be 'free', 'gold'"),
        (20, NAN, "column 'plan' is missing (NaN), but must be 'free', 'gold'"),
        (20, INFINITY, "column 'plan' is inf, but the model's encoder takes finite numbers"),
    ],
)
def test_a_value_that_the_model_does_not_take(tmp_path: Path, age: Any, plan: Any, told: str) -> None:
    predict = opened(tmp_path)
    assert refusal(predict, *row(age, plan)) == f"row 0: {told}."
    columns = [Tensor("age", "FP64", [3], [20, age, age]), Tensor("plan", "BYTES", [3], ["gold", plan, plan])]
    assert refusal(predict, *columns) == f"row 1: {told}."


def test_of_many_categories_some_are_named(tmp_path: Path) -> None:
    codes = [0.0] * 7
    known = {**PLAN, "values": [f"p{index}" for index in range(7)], "codes": codes}
    steps = [{"kind": "select", "places": [1]}, {"kind": "ordinal", "columns": [known]}]
    document = {
        **CHURN,
        "steps": steps,
        "widths": [1, 1],
        "final": None,
        "answers": [answer("transform", columns=1)],
    }
    told = "row 0: column 'plan' is 'x', but must be 'p0', 'p1', 'p2', 'p3', 'p4' and 2 more."
    assert refusal(opened(tmp_path, document), *row(20, "x")) == told


def test_sums_beyond_float64_are_answered(tmp_path: Path) -> None:
    """As scikit-learn does: what it refuses is a value that is not finite, not a sum."""
    final = {**FINAL, "coefficients": [[1e200]], "link": "identity"}
    check = {"kind": "check", "by": "Ridge", "origins": [0], "refuses": "not_finite"}
    document = {
        **CHURN,
        "columns": 1,
        "steps": [check],
        "widths": [1, 1],
        "final": final,
        "answers": [answer("predict")],
    }
    predict = opened(tmp_path, document, columns=["x"], frame=False)
    assert ask(predict, matrix([[1e200], [-1e200], [2.0]]))["predict"][2] == [INFINITY, -INFINITY, 2e200]


def test_a_frames_narrow_floats_are_rounded_to_their_type(tmp_path: Path) -> None:
    document = {
        **CHURN,
        "columns": 1,
        "steps": [],
        "widths": [1, 1],
        "final": None,
        "answers": [answer("transform", columns=1)],
    }
    for frame, found in ((True, 0.10000000149011612), (False, 0.1)):
        predict = opened(tmp_path, document, columns=["age"], frame=frame)
        assert ask(predict, Tensor("age", "FP32", [1], [0.1]))["transform"] == ("FP64", [1, 1], [found])
    predict = opened(tmp_path, document, columns=["age"], frame=True)
    assert ask(predict, Tensor("age", "FP16", [1], [0.1]))["transform"][2] == [0.0999755859375]
    assert ask(predict, Tensor("age", "INT8", [1], [3]))["transform"][2] == [3.0]


def test_a_model_without_columns_takes_one_matrix(tmp_path: Path) -> None:
    final = {**FINAL, "coefficients": [[1.0, 10.0]], "intercepts": [0.0], "link": "identity"}
    document = {**CHURN, "steps": [], "widths": [1, 1], "final": final, "answers": [answer("predict")]}
    predict = opened(tmp_path, document, columns=[])
    assert ask(predict, matrix([[1, 2], [3, 4]], "x"))["predict"] == ("FP64", [2], [21.0, 43.0])
    told = "the model takes one input of the shape [rows, 2], but was sent 'x' with the shape [1, 3]."
    assert refusal(predict, matrix([[1, 2, 3]], "x")) == told
    assert refusal(predict).startswith("the model takes one input of the shape [rows, 2]")


LINKS: dict[str, tuple[list[float], list[float]]] = {
    "exp": ([0.0, 1000.0, -1000.0], [1.0, INFINITY, 0.0]),
    "binary_sigmoid": ([-1000.0], [1.0, 0.0]),
    "binary_softmax": ([0.0], [0.5, 0.5]),
    "sigmoid_shares": ([-1000.0, -1000.0, -1000.0], [1 / 3, 1 / 3, 1 / 3]),
    "softmax": ([1000.0, 1000.0], [0.5, 0.5]),
    "binary_modified_huber": ([0.5], [0.25, 0.75]),
    "modified_huber_shares": ([-3.0, -2.0, 0.0], [0.0, 0.0, 1.0]),
    "scores": ([1.0], [1.0, 8.0]),
}


@pytest.mark.parametrize("link", LINKS)
def test_links(tmp_path: Path, link: str) -> None:
    margins, values = LINKS[link]
    final = {
        "kind": "linear",
        "coefficients": [[0.0]] * len(margins),
        "intercepts": margins,
        "link": link,
        "offset": 7.0,
    }
    answers = [
        answer("predict_proba", columns=len(values)),
        answer("decision_function", columns=len(margins), source="margins"),
    ]
    document = {
        **CHURN,
        "columns": 1,
        "steps": [],
        "widths": [len(margins), len(values)],
        "final": final,
        "answers": answers,
    }
    found = ask(opened(tmp_path, document, columns=["x"]), matrix([[1.0], [2.0]], "x"))
    assert found["predict_proba"] == ("FP64", [2, len(values)], values * 2)
    assert found["decision_function"][2] == margins * 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": "lastmile.pipeline/2"}, "has the format 'lastmile.pipeline/2', not 'lastmile.pipeline/1'."),
        ({"steps": [{"kind": "hash"}]}, "cannot be read: KeyError: 'hash'."),
        ({"final": {**FINAL, "link": "probit"}}, "cannot be read: KeyError: 'probit'."),
        (
            {"final": {"kind": "forest", "file": "../m"}},
            "cannot be read: ValueError: its final step is 'forest' in the file '../m'.",
        ),
        ({"final": {**FINAL, "coefficients": [], "intercepts": []}}, "cannot be read: IndexError: list index out of range."),
        ({"final": {"kind": "forest", "file": "."}}, "cannot be read: IsADirectoryError: [Errno 21] Is a directory: "),
        ({"steps": [{"kind": "one_hot", "width": 2, "columns": [{**PLAN, "codes": [1, INFINITY]}]}]},
            "cannot be read: OverflowError: cannot convert float infinity to integer."),
        ({"steps": "[" * 3}, "cannot be read: TypeError: string indices must be integers, not 'str'."),
        ({"final": {"kind": "network"}}, "cannot be read: ValueError: its final step is 'network' in the file None."),
    ],
)  # fmt: skip
def test_a_file_that_this_runtime_cannot_serve(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    with pytest.raises(BundleError) as refused:
        opened(tmp_path, {**CHURN, **change})
    assert str(refused.value).startswith(f"model.pipeline {told}")


def test_a_file_that_is_no_document(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"model.pipeline cannot be read: TypeError"):
        opened(tmp_path, [])
    path = tmp_path / "deep"
    path.write_text("[" * 100_000)
    with pytest.raises(BundleError, match=r"deep cannot be read: RecursionError"):
        load(str(path), Version("v1", "pipeline", "deep"))


def test_more_columns_than_there_can_be_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    with pytest.raises(BundleError) as refused:
        opened(tmp_path, {**CHURN, "columns": 10**12}, columns=[])
    assert str(refused.value) == (
        "model.pipeline cannot be read: ValueError: columns is 1000000000000, but at most 100000 are read."
    )


def test_nothing_is_imported_for_it(tmp_path: Path) -> None:
    """In a process of its own: neither numpy nor a costly module of the standard library."""
    opened(tmp_path)
    program = """
import sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
from lastmile_runtime import predictors
from lastmile_runtime.manifest import Version
from lastmile_runtime.tensors import Tensor
predict = predictors.load(sys.argv[2], Version("v1", "pipeline", "m", columns=["age", "plan"], frame=True))
answers = predict([Tensor("age", "FP64", [1], [20.0]), Tensor("plan", "BYTES", [1], ["free"])])
print(answers[0].data[0], *sorted(name for name in set(sys.modules) - before if not name.startswith("lastmile_runtime")))
"""
    handlers = str(Path(lastmile_runtime.__file__).parent.parent)
    command = [sys.executable, "-I", "-c", program, handlers, str(tmp_path / "model.pipeline")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert printed[0] == "stays"
    assert set(printed[1:]) <= {"math", "_json", "_operator", "__future__"}, printed
