"""Schemas of signatures, and their examples, against what the runtime itself takes."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_runtime import schemas, tensors
from lastmile_runtime.contract import Contract
from lastmile_runtime.manifest import TensorSpec, Version
from lastmile_runtime.protocols import rows
from lastmile_runtime.signature import check_inputs
from lastmile_runtime.tensors import DATATYPES


def version(*inputs: tuple[str, str, list[int]], columns: list[str] | None = None) -> Version:
    specs = [TensorSpec(*one) for one in inputs]
    return Version("v1", "python", "models/v1/model.py", "Model", columns, inputs=specs)


MATRIX = version(("input", "FP64", [-1, 2]), columns=["age", "income"])
MIXED = version(("age", "INT64", [-1]), ("plan", "BYTES", [-1]), columns=["age", "plan"])
ONE = version(("x", "FP32", [-1, 2]))
IMAGE = version(("image", "UINT8", [-1, 4, 4, 3]))
SEVERAL = version(("age", "INT32", [-1]), ("flag", "BOOL", [-1]), ("name", "BYTES", [-1]))
KNOWN = [MATRIX, MIXED, ONE, IMAGE, SEVERAL]
NAMES = ["matrix", "mixed", "one", "image", "several"]


@pytest.mark.parametrize("known", KNOWN, ids=NAMES)
def test_an_example_fits_the_schema_and_the_signature(known: Version) -> None:
    inputs, lines = schemas.example_inputs(known, {}), schemas.example_rows(known, {})
    jsonschema.validate(inputs, schemas.inputs_schema(known, {}))
    jsonschema.validate(lines, schemas.rows_schema(known, {}))
    assert inputs
    check_inputs([tensors.read(one) for one in inputs], known)
    check_inputs(rows.from_instances(lines, known), known)


def test_the_examples_are_those() -> None:
    assert schemas.example_inputs(MATRIX, {}) == [
        {"name": "input", "shape": [1, 2], "datatype": "FP64", "data": [1.0, 1.0]}
    ]
    assert schemas.example_rows(MIXED, {}) == [{"age": 1, "plan": "text"}]
    assert schemas.example_rows(ONE, {}) == [[1.0, 1.0]]
    assert schemas.example_csv(MIXED, {}, header=True) == "age,plan\n1,text\n"
    assert schemas.example_csv(MATRIX, {}, header=False) == "1.0,1.0\n"
    assert schemas.example_csv(ONE, {}, header=True) is None


def test_nothing_known_or_too_large_has_no_example() -> None:
    assert schemas.example_inputs(version(), {}) is None
    assert schemas.example_rows(version(), {}) is None
    large = version(("image", "FP32", [-1, 3, 224, 224]))
    assert schemas.example_inputs(large, {}) is None
    assert schemas.example_rows(large, {}) is None
    apart = version(("a", "FP32", [2]), ("b", "FP32", [3]))
    assert schemas.example_rows(apart, {}) is None


def test_a_version_that_declares_nothing_takes_any_tensors_and_rows() -> None:
    assert schemas.inputs_schema(version(), {})["items"] == {"$ref": "#/components/schemas/Tensor"}
    assert schemas.rows_schema(version(), {}) == {"type": "array", "minItems": 1}


@pytest.mark.parametrize(
    ("rule", "datatype", "expected"),
    [
        ({}, "FP64", 1.0),
        ({}, "INT8", 1),
        ({}, "BOOL", True),
        ({}, "BYTES", "text"),
        ({"minimum": 18.0, "maximum": 99.0}, "INT64", 58),
        ({"minimum": 0.5, "maximum": 1.2}, "INT64", 1),
        ({"minimum": 10.0}, "FP32", 10.0),
        ({"maximum": -3.0}, "FP64", -3.0),
        ({"minimum": 1e-9, "maximum": 3e-9}, "FP64", 2e-9),
        ({"minimum": -1.7e308, "maximum": 1.7e308}, "FP64", 0.0),
        ({"categories": ["pro", "basic"]}, "BYTES", "pro"),
        ({"categories": ["3", "4"]}, "INT64", 3),
        ({"categories": ["0.5"]}, "FP64", 0.5),
        ({"categories": ["x"]}, "FP64", 1.0),
    ],
)
def test_an_example_keeps_to_the_contract(rule: dict[str, Any], datatype: str, expected: Any) -> None:
    known = version(("x", datatype, [-1]))
    assert schemas.example_rows(known, {"x": rule}) == [expected]


def test_what_the_contract_refuses_is_not_in_the_schema() -> None:
    rules: dict[str, Any] = {
        "age": {"name": "age", "minimum": 18, "maximum": 99, "out_of_range": "reject", "missing": "reject"},
        "plan": {"name": "plan", "categories": ["basic", "pro"], "unknown": "reject"},
    }
    schema = schemas.rows_schema(MIXED, rules)
    check = jsonschema.Draft202012Validator(schema)
    contract = Contract({"inputs": list(rules.values())})
    for row, fits in [
        ({"age": 18, "plan": "pro"}, True),
        ({"age": 17, "plan": "pro"}, False),
        ({"age": 18, "plan": "free"}, False),
    ]:
        assert check.is_valid([row]) is fits
        inputs = rows.from_instances([row], MIXED)
        if fits:
            assert contract.apply(inputs, MIXED).flags == []
        else:
            with pytest.raises(Exception, match="must be"):
                contract.apply(inputs, MIXED)


def test_a_column_that_the_contract_puts_in_may_be_left_out() -> None:
    rules = {"age": {"name": "age", "missing": "impute", "impute": 40}}
    assert jsonschema.Draft202012Validator(schemas.rows_schema(MIXED, rules)).is_valid([{"plan": "pro"}])
    assert not jsonschema.Draft202012Validator(schemas.rows_schema(MIXED, {})).is_valid([{"plan": "pro"}])


def test_different_versions_are_told_once_each() -> None:
    assert schemas.any_of([{"type": "string"}, {"type": "string"}]) == {"type": "string"}
    assert schemas.any_of([{"type": "string"}, {"type": "null"}]) == {
        "anyOf": [{"type": "string"}, {"type": "null"}]
    }


SPECS = st.builds(
    TensorSpec,
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(DATATYPES),
    st.lists(st.sampled_from([1, 2, 3]), max_size=2).map(lambda rest: [-1, *rest]),
)


@given(st.lists(SPECS, min_size=1, max_size=3, unique_by=lambda spec: spec.name))
def test_of_any_signature_the_examples_are_taken(specs: list[TensorSpec]) -> None:
    known = Version("v1", "python", "models/v1/model.py", "Model", inputs=specs)
    inputs, lines = schemas.example_inputs(known, {}), schemas.example_rows(known, {})
    assert inputs
    check_inputs([tensors.read(one) for one in inputs], known)
    check_inputs(rows.from_instances(lines, known), known)
    jsonschema.validate(json.loads(json.dumps(inputs)), schemas.inputs_schema(known, {}))
    jsonschema.validate(json.loads(json.dumps(lines)), schemas.rows_schema(known, {}))
