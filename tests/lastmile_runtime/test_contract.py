from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_runtime.contract import Contract
from lastmile_runtime.errors import RequestError
from lastmile_runtime.manifest import TensorSpec, Version
from lastmile_runtime.tensors import Tensor
from tests.lastmile_runtime.bundles import DOUBLER, Client, matrix, python_version, write_bundle

AGE: dict[str, Any] = {"name": "age", "datatype": "FP64", "minimum": 18, "maximum": 99}
COUNTRY: dict[str, Any] = {"name": "country", "datatype": "BYTES", "categories": ["DE", "FR"]}
NAN = float("nan")


def table() -> Version:
    return Version("v1", "sklearn", "m", columns=["age", "country"])


def column(name: str, values: list[Any], datatype: str = "FP64") -> Tensor:
    return Tensor(name, datatype, [len(values)], values)


def apply(rules: list[dict[str, Any]], *inputs: Tensor, columns: list[str] | None = None) -> Any:
    version = Version("v1", "sklearn", "m", columns=columns or ["age", "country"])
    return Contract({"inputs": rules}).apply(list(inputs), version)


def test_values_that_keep_the_rules_pass_unchanged() -> None:
    inputs = [column("age", [18, 99.0]), column("country", ["DE", "FR"], "BYTES")]
    checked = Contract({"inputs": [AGE, COUNTRY]}).apply(inputs, table())
    assert ([t.data for t in checked.inputs], checked.flags, checked.fallback) == (
        [[18, 99.0], ["DE", "FR"]],
        [],
        False,
    )


def test_a_broken_rule_without_an_action_is_accepted_and_flagged_once() -> None:
    checked = apply([AGE, COUNTRY], column("age", [17, 100]), column("country", ["US"], "BYTES"))
    assert checked.flags == ["out_of_range=age", "unknown=country"]
    assert checked.inputs[0].data == [17, 100]


def test_every_broken_field_is_named_when_one_is_refused() -> None:
    rules = [
        {**AGE, "missing": "reject", "out_of_range": "reject"},
        {**COUNTRY, "unknown": "reject"},
    ]
    with pytest.raises(RequestError) as refused:
        apply(rules, column("age", [17.5, NAN, 50]), column("country", ["US", "DE", ""], "BYTES"))
    assert refused.value.status == 422
    assert refused.value.message == (
        "input 'age', row 0, is 17.5, but must be at least 18 and at most 99. (3 in all)"
    )
    assert [(e["input"], e["row"], e["rule"]) for e in refused.value.members["errors"]] == [
        ("age", 0, "out_of_range"),
        ("age", 1, "missing"),
        ("country", 0, "unknown"),
    ]
    assert refused.value.members["errors"][1]["detail"] == "input 'age', row 1, has no value, but needs one."
    assert refused.value.members["errors"][2]["detail"] == (
        "input 'country', row 0, is 'US', but must be one of DE, FR."
    )


def test_a_value_is_imputed_in_its_column_of_a_matrix_and_the_request_s_own_data_is_left_alone() -> None:
    given = Tensor("input", "FP64", [2, 2], [NAN, 1.0, 30.0, 200.0])
    rules = [
        {"name": "age", "datatype": "FP64", "missing": "impute", "impute": 40.0},
        {"name": "income", "datatype": "FP64", "maximum": 100, "out_of_range": "impute", "impute": 100.0},
    ]
    checked = apply(rules, given, columns=["age", "income"])
    assert checked.inputs[0].data == [40.0, 1.0, 30.0, 100.0]
    assert checked.flags == ["imputed=age", "imputed=income"]
    assert given.data[3] == 200.0


def test_a_fraction_imputed_into_whole_numbers_makes_them_floats() -> None:
    rules = [{**AGE, "out_of_range": "impute", "impute": 40.5}]
    checked = apply(rules, column("age", [17, 20], "INT64"))
    assert (checked.inputs[0].datatype, checked.inputs[0].data) == ("FP64", [40.5, 20])


def test_a_column_that_was_left_out_is_imputed() -> None:
    rules = [{"name": "age", "datatype": "FP64", "missing": "impute", "impute": 40.0}]
    checked = apply(rules, column("country", ["DE", "FR"], "BYTES"))
    assert [(t.name, t.shape, t.data) for t in checked.inputs] == [
        ("country", [2], ["DE", "FR"]),
        ("age", [2], [40.0, 40.0]),
    ]
    assert checked.flags == ["imputed=age"]


def test_the_fallback_answers_for_the_model_through_the_whole_application(tmp_path: Path) -> None:
    contract = {
        "inputs": [{"name": "x", "datatype": "FP64", "maximum": 10, "out_of_range": "fallback"}],
        "fallback": {"doubled": [0.0, 0.0]},
    }
    version = python_version()
    digest = write_bundle(tmp_path, [version], {version.artifact: DOUBLER}, contract)
    client = Client(tmp_path, digest)
    fine = client.infer({"inputs": [matrix([[1, 2]])]})
    assert json.loads(fine.body)["outputs"][0]["data"] == [2, 4]
    assert "x-model-contract" not in fine.headers
    broken = client.infer({"inputs": [matrix([[1, 2], [11, 2]])]})
    assert json.loads(broken.body)["outputs"] == [
        {"name": "doubled", "shape": [2, 2], "datatype": "FP64", "data": [0.0, 0.0, 0.0, 0.0]}
    ]
    assert broken.headers["x-model-route"] == "rule=fallback"
    assert broken.headers["x-model-contract"] == "out_of_range=x"
    assert broken.facts["contract"] == ["out_of_range=x"]


def test_a_refusal_lists_the_fields_in_the_answer(tmp_path: Path) -> None:
    contract = {"inputs": [{"name": "x", "datatype": "FP64", "minimum": 0, "out_of_range": "reject"}]}
    version = python_version()
    digest = write_bundle(tmp_path, [version], {version.artifact: DOUBLER}, contract)
    response = Client(tmp_path, digest).infer({"inputs": [matrix([[-1, 2]])]})
    detail = "input 'x', row 0, is -1, but must be at least 0."
    assert (response.status, json.loads(response.body)) == (
        422,
        {"error": detail, "errors": [{"input": "x", "row": 0, "rule": "out_of_range", "detail": detail}]},
    )


def test_specs_of_the_tensors_do_not_hide_a_column() -> None:
    version = Version("v1", "sklearn", "m", columns=["age"], inputs=[TensorSpec("input", "FP64", [-1, 1])])
    rules = [{**AGE, "out_of_range": "reject"}]
    with pytest.raises(RequestError, match=r"^input 'age', row 0, is 5\.0, but"):
        Contract({"inputs": rules}).apply([Tensor("input", "FP64", [1, 1], [5.0])], version)


NUMBERS = st.one_of(
    st.floats(-3, 3),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1.0, 2.0]),
    st.integers(-2, 3),
    st.none(),
)
LIMITS = st.fixed_dictionaries({}, optional={"minimum": st.floats(-2, 0), "maximum": st.floats(0, 2)})


@given(st.lists(LIMITS, min_size=1, max_size=3), st.data())
def test_a_matrix_is_checked_as_its_columns_are(limits: list[dict[str, float]], data: st.DataObject) -> None:
    names = [f"x{index}" for index in range(len(limits))]
    actions = {"missing": "reject", "out_of_range": "fallback"}
    contract = Contract(
        {
            "inputs": [
                {"name": name, "datatype": "FP64", **actions, **rule}
                for name, rule in zip(names, limits, strict=True)
            ]
        }
    )
    version = Version("v1", "trees", "m", columns=names)
    rows = data.draw(
        st.lists(st.lists(NUMBERS, min_size=len(names), max_size=len(names)), min_size=1, max_size=3)
    )
    matrix = [Tensor("input", "FP64", [len(rows), len(names)], [value for row in rows for value in row])]
    columns = [
        Tensor(name, "FP64", [len(rows)], [row[index] for row in rows]) for index, name in enumerate(names)
    ]

    def outcome(inputs: list[Tensor]) -> Any:
        try:
            checked = contract.apply(inputs, version)
        except RequestError as error:
            return str(error)
        return checked.flags, checked.fallback

    assert outcome(matrix) == outcome(columns)
