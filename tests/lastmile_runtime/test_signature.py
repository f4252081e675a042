from __future__ import annotations

from typing import Any

import pytest

from lastmile_runtime.errors import RequestError
from lastmile_runtime.manifest import TensorSpec, Version
from lastmile_runtime.signature import check_inputs, check_outputs
from lastmile_runtime.tensors import Tensor


def version(**changes: Any) -> Version:
    return Version("v1", "onnx", "models/v1/model.onnx", **changes)


TENSORS = version(inputs=[TensorSpec("x", "FP32", [-1, 2]), TensorSpec("n", "INT8", [1])])
NUMBERS = version(columns=["a", "b"], inputs=[TensorSpec("input", "FP64", [-1, 2])])
MIXED = version(
    columns=["a", "b"], frame=True, inputs=[TensorSpec("a", "FP64", [-1]), TensorSpec("b", "BYTES", [-1])]
)


def x(datatype: str = "FP32", shape: list[int] | None = None, data: list[Any] | None = None) -> Tensor:
    return Tensor("x", datatype, shape or [1, 2], data or [1, 2])


def n(datatype: str = "INT8", value: Any = 1) -> Tensor:
    return Tensor("n", datatype, [1], [value])


def columns(b: str, value: Any) -> list[Tensor]:
    return [Tensor("a", "FP64", [1], [1.0]), Tensor("b", b, [1], [value])]


@pytest.mark.parametrize(
    ("served", "inputs"),
    [
        (TENSORS, [x(), n()]),
        (TENSORS, [n(), x("FP64", [3, 2], [0.5] * 6)]),
        (TENSORS, [x("INT64"), n("BOOL", value=True)]),
        (TENSORS, [x("BOOL", data=[True, False]), n("UINT64")]),
        (NUMBERS, [Tensor("any", "FP32", [1, 2], [1, 2])]),
        (NUMBERS, columns("INT64", 1)),
        (MIXED, columns("BYTES", "red")),
        (version(), [x("BYTES", data=["any", "thing"])]),
    ],
)
def test_inputs_that_fit_are_accepted(served: Version, inputs: list[Tensor]) -> None:
    check_inputs(inputs, served)


@pytest.mark.parametrize(
    ("served", "inputs", "message"),
    [
        (TENSORS, [x()], "input 'n' is missing; the inputs are x, n."),
        (TENSORS, [x(), n(), Tensor("y", "FP32", [1], [1])], "input 'y' is unknown; the inputs are x, n."),
        (
            TENSORS,
            [x(shape=[2], data=[1, 2]), n()],
            "input 'x' has the shape [2], but must have [-1, 2] (-1: any size).",
        ),
        (
            TENSORS,
            [x(shape=[1, 3], data=[1, 2, 3]), n()],
            "input 'x' has the shape [1, 3], but must have [-1, 2] (-1: any size).",
        ),
        (
            TENSORS,
            [x("BYTES", data=["a", "b"]), n()],
            "input 'x' has the datatype BYTES, but must have FP32.",
        ),
        (TENSORS, [x("FP64", data=[1, 1e39]), n()], "input 'x' has the value 1e+39, which is not FP32."),
        (TENSORS, [x(), n("FP32")], "input 'n' has the datatype FP32, but must have INT8."),
        (TENSORS, [x(), n("INT64", 128)], "input 'n' has the value 128, which is not INT8."),
        (
            NUMBERS,
            [Tensor("any", "BYTES", [1, 2], ["a", "b"])],
            "input 'any' has the datatype BYTES, but the model takes numbers.",
        ),
        (NUMBERS, [x(shape=[1, 1], data=[1])], "input 'x' has 1 columns, but the model takes 2."),
        (MIXED, columns("FP64", 1.0), "input 'b' has the datatype FP64, but must have BYTES."),
        (
            MIXED,
            [Tensor("any", "BYTES", [1, 2], ["1", "red"])],
            "input 'a' has the datatype BYTES, but must have FP64.",
        ),
    ],
)
def test_inputs_that_do_not_fit_are_refused(served: Version, inputs: list[Tensor], message: str) -> None:
    with pytest.raises(RequestError) as refused:
        check_inputs(inputs, served)
    assert (refused.value.status, refused.value.message) == (400, message)


def test_outputs_are_checked_against_what_is_declared() -> None:
    served = version(outputs=[TensorSpec("y", "FP32", [-1]), TensorSpec("z", "FP32", [-1])])
    check_outputs(["z"], served)
    check_outputs(["anything"], version())
    with pytest.raises(RequestError) as refused:
        check_outputs(["y", "w"], served)
    assert (refused.value.status, refused.value.message) == (
        400,
        "output 'w' is unknown; the outputs are y, z.",
    )
