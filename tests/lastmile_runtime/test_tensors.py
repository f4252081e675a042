from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_runtime.errors import RequestError
from lastmile_runtime.tensors import (
    DATATYPES,
    INTEGER_RANGES,
    Tensor,
    finite,
    from_nested,
    product,
    read,
)


def entry(data: Any, datatype: Any = "FP64", shape: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "name": "x",
        "datatype": datatype,
        "shape": [len(data)] if shape is None else shape,
        "data": data,
        **more,
    }


def content(tensor: Tensor) -> tuple[str, str, list[int], list[Any]]:
    return tensor.name, tensor.datatype, tensor.shape, tensor.data


@pytest.mark.parametrize(
    ("given_", "flat"),
    [
        (entry([1, 2.5, 3, 4], shape=[2, 2]), [1, 2.5, 3, 4]),
        (entry([[1, 2.5], [3, 4]], shape=[2, 2]), [1, 2.5, 3, 4]),
        (entry([[[1], [2]], [[3], [4]]], shape=[2, 2, 1]), [1, 2, 3, 4]),
        (entry([], shape=[0, 3]), []),
        (entry([[], []], shape=[2, 0]), []),
        (entry([7], shape=[]), [7]),
        (entry(["a", ""], "BYTES"), ["a", ""]),
        (entry([True, False], "BOOL"), [True, False]),
        (entry([None, "NaN", "Infinity", "-Infinity"]), [math.nan, math.nan, math.inf, -math.inf]),
        (entry([math.nan, math.inf], "FP32"), [math.nan, math.inf]),
    ],
)
def test_data_is_read_flat_or_nested(given_: dict[str, Any], flat: list[Any]) -> None:
    np.testing.assert_array_equal(np.array(read(given_).data), np.array(flat))


BINARY = "input 'x' is binary, but the request has no header inference-header-content-length."


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        (7, "each of inputs must be an object with a name."),
        ({"datatype": "FP64"}, "each of inputs must be an object with a name."),
        ({"name": "x", "datatype": "FP64", "shape": [1], "parameters": {"binary_data_size": 8}}, BINARY),
        (
            entry([1], "FP65"),
            f"input 'x' has the datatype 'FP65'; it must be one of {', '.join(DATATYPES)}.",
        ),
        (
            entry([1], ["FP64"]),
            f"input 'x' has the datatype ['FP64']; it must be one of {', '.join(DATATYPES)}.",
        ),
        (entry([1], shape=[-1]), "input 'x' has the shape [-1]; it must be a list of sizes from 0."),
        (entry([1], shape=[True]), "input 'x' has the shape [True]; it must be a list of sizes from 0."),
        (entry([1], shape=3), "input 'x' has the shape 3; it must be a list of sizes from 0."),
        (entry(None, shape=[1]), "input 'x' has no data; it must be a list, flat or nested as its shape."),
        (entry([1, 2, 3], shape=[2, 2]), "input 'x' has 3 values, but its shape [2, 2] takes 4."),
        (entry([[1, 2]], shape=[2, 1]), "input 'x' has 1 rows, but its shape [2, 1] says 2."),
        (entry([[1, 2, 3], [4]], shape=[2, 2]), "input 'x' is not nested as its shape [2, 2] says."),
        (entry([[1, 2], 3], shape=[2, 2]), "input 'x' is not nested as its shape [2, 2] says."),
        (entry([[1], [2]], shape=[2]), "input 'x' has the value [1], which is not FP64."),
        (entry(["1"]), "input 'x' has the value '1', which is not FP64."),
        (entry([True]), "input 'x' has the value True, which is not FP64."),
        (entry([1e39], "FP32"), "input 'x' has the value 1e+39, which is not FP32."),
        (entry([65505], "FP16"), "input 'x' has the value 65505, which is not FP16."),
        (entry([10**400]), f"input 'x' has the value 1{'0' * 76}..., which is not FP64."),
        (entry([1, 1.0], "INT64"), "input 'x' has the value 1.0, which is not INT64."),
        (entry([1, True], "INT8"), "input 'x' has the value True, which is not INT8."),
        (entry([None], "INT64"), "input 'x' has the value None, which is not INT64."),
        (entry([1], "BYTES"), "input 'x' has the value 1, which is not BYTES."),
        (entry([0], "BOOL"), "input 'x' has the value 0, which is not BOOL."),
    ],
)
def test_an_input_that_breaks_a_rule_is_refused(given_: Any, message: str) -> None:
    with pytest.raises(RequestError) as refused:
        read(given_)
    assert (refused.value.status, refused.value.message) == (400, message)


@pytest.mark.parametrize("datatype", INTEGER_RANGES)
def test_integers_reach_to_the_ends_of_their_range(datatype: str) -> None:
    low, high = INTEGER_RANGES[datatype]
    assert read(entry([low, high], datatype)).data == [low, high]
    for value in (low - 1, high + 1):
        with pytest.raises(RequestError) as refused:
            read(entry([0, value], datatype))
        assert refused.value.message == f"input 'x' has the value {value}, which is not {datatype}."


@given(st.lists(st.integers(0, 4), min_size=1, max_size=4))
def test_nesting_and_reading_are_inverse(shape: list[int]) -> None:
    tensor = Tensor("x", "INT64", shape, list(range(product(shape))))
    assert tensor.nested() == np.arange(product(shape)).reshape(shape).tolist()
    nested = {"name": "x", "datatype": "INT64", "shape": shape, "data": tensor.nested()}
    assert content(read(nested)) == content(tensor)


def test_a_scalar_is_nested_as_itself() -> None:
    assert Tensor("x", "FP64", [], [7]).nested() == 7


@pytest.mark.parametrize(
    ("values", "declared", "expected"),
    [
        ([1, 2], None, ("INT64", [2], [1, 2])),
        ([1, 2], "FP64", ("FP64", [2], [1, 2])),
        ([1, 2.5], None, ("FP64", [2], [1, 2.5])),
        ([[1.0], [2.0]], "FP32", ("FP32", [2, 1], [1.0, 2.0])),
        ((True, False), None, ("BOOL", [2], [True, False])),
        (["a", b"b"], None, ("BYTES", [2], ["a", "b"])),
        (["a"], "FP64", ("BYTES", [1], ["a"])),
        ([2**63], None, ("UINT64", [1], [2**63])),
        ([-1, 2**63], None, ("FP64", [2], [-1, 2**63])),
        ([], None, ("FP64", [0], [])),
        (3, None, ("INT64", [1], [3])),
        (np.array([[1, 2]]), None, ("INT64", [1, 2], [1, 2])),
        (np.float64(2.5), None, ("FP64", [1], [2.5])),
        ([np.float64(2.5), np.float64(1)], None, ("FP64", [2], [2.5, 1.0])),
        ([np.array([1, 2]), np.array([3, 4])], None, ("INT64", [2, 2], [1, 2, 3, 4])),
    ],
)
def test_what_a_class_answers_becomes_a_tensor(values: Any, declared: str | None, expected: Any) -> None:
    assert content(from_nested("y", values, declared)) == ("y", *expected)


def test_none_among_numbers_is_nan() -> None:
    tensor = from_nested("y", [None, 1.0])
    assert tensor.datatype == "FP64"
    np.testing.assert_array_equal(tensor.data, [math.nan, 1.0])


@pytest.mark.parametrize("values", [[[1], [2, 3]], [[1], 2], [1, [2]], [[], [1]]])
def test_a_ragged_answer_is_an_error(values: Any) -> None:
    with pytest.raises(ValueError, match=r"^output 'y' is ragged$"):
        from_nested("y", values)


@pytest.mark.parametrize(
    ("values", "kinds"),
    [([1, "a"], "int, str"), ([object()], "object"), ([True, 1], "bool, int"), ({}, "dict")],
)
def test_an_answer_of_several_kinds_is_an_error(values: Any, kinds: str) -> None:
    message = f"output 'y' holds values of the types {kinds}; it may hold numbers, booleans or text"
    with pytest.raises(TypeError) as raised:
        from_nested("y", values)
    assert str(raised.value) == message


def test_numbers_that_json_lacks_are_written_so_that_numpy_reads_them_back() -> None:
    data = [1.5, math.nan, math.inf, -math.inf, 2]
    answer = {"id": "1", "outputs": [Tensor("y", "FP64", [5], data).to_json()]}
    written = json.loads(json.dumps(finite(answer), allow_nan=False))
    assert written["id"] == "1"
    assert written["outputs"][0]["data"] == [1.5, None, "Infinity", "-Infinity", 2]
    np.testing.assert_array_equal(np.array(written["outputs"][0]["data"], dtype=np.float64), data)
