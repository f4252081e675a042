"""Values of documents, and the tensors that they make."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_runtime.errors import RequestError
from lastmile_runtime.manifest import TensorSpec
from lastmile_runtime.protocols.cells import read_texts, to_tensor
from lastmile_runtime.tensors import Tensor

NUMBERS = st.floats(width=64) | st.integers(-(2**53), 2**53)


def seen(tensor: Tensor) -> tuple[str, list[int], list[Any]]:
    return tensor.datatype, tensor.shape, tensor.data


def spec(datatype: str, *shape: int) -> TensorSpec:
    return TensorSpec("x", datatype, list(shape))


@pytest.mark.parametrize(
    ("values", "datatype", "shape", "data"),
    [
        ([1, 2], "INT64", [2], [1, 2]),
        ([2**63], "UINT64", [1], [2**63]),
        ([2**64], "FP64", [1], [2**64]),
        ([1, 2.5], "FP64", [2], [1, 2.5]),
        ([[True], [False]], "BOOL", [2, 1], [True, False]),
        (["a", None], "BYTES", [2], ["a", ""]),
        (5, "INT64", [1], [5]),
        ([], "FP64", [0], []),
        ([[], []], "FP64", [2, 0], []),
        ([{"b64": "/w=="}], "BYTES", [1], ["\udcff"]),
        ([{"b64": ""}, "b"], "BYTES", [2], ["", "b"]),
    ],
)
def test_without_a_declaration_the_datatype_is_the_one_that_fits(
    values: Any, datatype: str, shape: list[int], data: list[Any]
) -> None:
    assert seen(to_tensor("x", values, None)) == (datatype, shape, data)


@pytest.mark.parametrize(
    ("values", "declared", "shape", "data"),
    [
        ([1, 2], spec("FP32", -1), [2], [1, 2]),
        ([1.0, 2], spec("INT32", -1), [2], [1, 2]),
        ([1, 2], spec("FP64", -1, 1), [2, 1], [1, 2]),
        ([[1], [2]], spec("FP64", -1), [2], [1, 2]),
        ([[1], [2]], spec("FP64", -1, 1), [2, 1], [1, 2]),
        (5, spec("FP64", -1), [1], [5]),
        (["Infinity", "-Infinity"], spec("FP64", -1), [2], [math.inf, -math.inf]),
        ([None, "b"], spec("BYTES", -1), [2], ["", "b"]),
    ],
)
def test_a_declaration_decides_datatype_and_rank(
    values: Any, declared: TensorSpec, shape: list[int], data: list[Any]
) -> None:
    found = to_tensor("x", values, declared)
    assert seen(found) == (declared.datatype, shape, data)
    assert list(map(type, found.data)) == list(map(type, data))


@pytest.mark.parametrize(("declared", "datatype"), [("FP32", "FP32"), ("INT64", "FP64"), (None, "FP64")])
def test_no_value_among_numbers_is_a_nan(declared: str | None, datatype: str) -> None:
    found = to_tensor("x", [1, None], spec(declared, -1) if declared else None)
    assert found.datatype == datatype
    assert found.data[0] == 1
    assert math.isnan(found.data[1])


@pytest.mark.parametrize(
    ("values", "declared", "message"),
    [
        ([[1], [2, 3]], None, "input 'x' is ragged; its lists must have one length at each level."),
        ([1, [2]], None, "input 'x' is ragged; its lists must have one length at each level."),
        ([1, "a"], None, "input 'x' mixes values of the types int, str."),
        ([True, 1], None, "input 'x' mixes values of the types bool, int."),
        ([1.5], spec("INT64", -1), "input 'x' has the value 1.5, which is not INT64."),
        ([300], spec("INT8", -1), "input 'x' has the value 300, which is not INT8."),
        (["a"], spec("FP64", -1), "input 'x' has the value 'a', which is not FP64."),
        ([True], spec("FP64", -1), "input 'x' has the value True, which is not FP64."),
        ([None], spec("BOOL", -1), "input 'x' has the value None, which is not BOOL."),
        ([5], spec("BYTES", -1), "input 'x' has the value 5, which is not BYTES."),
        ([10**400], None, f"input 'x' has the value {str(10**400)[:77]}..., which is not FP64."),
        ([{"a": 1}], None, """input 'x' has an object where a value must be; bytes are {"b64": "..."}."""),
        ([{"b64": 1}], None, """input 'x' has an object where a value must be; bytes are {"b64": "..."}."""),
        ([{"b64": "!"}], None, "input 'x' has a b64 that is not base64: Only base64 data is allowed."),
        (["\ud800"], None, "input 'x' has a text with half of a surrogate pair; send bytes as b64."),
    ],
)
def test_values_that_no_tensor_holds_are_refused(values: Any, declared: Any, message: str) -> None:
    with pytest.raises(RequestError) as refused:
        to_tensor("x", values, declared)
    assert (refused.value.status, refused.value.message) == (400, message)


def test_a_name_that_is_no_text_is_refused() -> None:
    message = r"^input '\\ud800' has a text with half of a surrogate pair; send bytes as b64\.$"
    with pytest.raises(RequestError, match=message):
        to_tensor("\ud800", [1], None)


@pytest.mark.parametrize(
    ("texts", "datatype", "values"),
    [
        (["1", "2.5", " 3 ", "1e3"], None, [1, 2.5, 3, 1000.0]),
        (["1", "", "NA"], None, [1, None, None]),
        (["1", "b"], None, ["1", "b"]),
        (["true", "False", ""], None, [True, False, None]),
        (["02139", "1", ""], "BYTES", ["02139", "1", ""]),
        (["1", "0", "TRUE", "", "maybe"], "BOOL", [True, False, True, None, "maybe"]),
        (["1", "b"], "FP64", [1, "b"]),
        (["1_000", "٣"], "INT64", ["1_000", "٣"]),
        (["-inf", "Infinity"], "FP64", [-math.inf, math.inf]),
    ],
)
def test_fields_of_csv_are_read_by_what_is_declared(
    texts: list[str], datatype: str | None, values: list[Any]
) -> None:
    assert read_texts(texts, datatype) == values


@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(NUMBERS, min_size=width, max_size=width), min_size=1)
    )
)
def test_what_json_says_is_what_the_tensor_holds(rows: list[list[float]]) -> None:
    found = to_tensor("x", json.loads(json.dumps(rows)), spec("FP64", -1, len(rows[0])))
    assert found.shape == [len(rows), len(rows[0])]
    assert repr(found.nested()) == repr(rows)


@given(st.lists(st.binary(), min_size=1))
def test_bytes_come_through_as_b64(contents: list[bytes]) -> None:
    from base64 import b64encode

    found = to_tensor("x", [{"b64": b64encode(content).decode()} for content in contents], spec("BYTES", -1))
    assert [value.encode("utf-8", "surrogateescape") for value in found.data] == contents


@given(st.lists(st.floats(), min_size=1))
def test_numbers_come_through_csv(values: list[float]) -> None:
    found = to_tensor("x", read_texts(list(map(repr, values)), "FP64"), spec("FP64", -1))
    assert repr(found.data) == repr(values)
