from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lastmile_runtime.manifest import Version
from lastmile_runtime.predictors.arrays import DTYPES, from_array, to_array, to_matrix
from lastmile_runtime.tensors import DATATYPES, Tensor
from tests.lastmile_runtime.predictors.calls import matrix


class Sparse:
    """What sparse matrices have in common."""

    def toarray(self) -> Any:
        return np.eye(2)


def test_every_datatype_has_a_dtype() -> None:
    assert tuple(DTYPES) == DATATYPES


@pytest.mark.parametrize("datatype", [datatype for datatype in DATATYPES if datatype != "BYTES"])
def test_numbers_go_to_arrays_and_back(datatype: str) -> None:
    tensor = Tensor("x", datatype, [2, 1], [True, False] if datatype == "BOOL" else [1, 2])
    array = to_array(tensor)
    assert (array.dtype, array.shape) == (np.dtype(DTYPES[datatype]), (2, 1))
    back = from_array("x", array)
    assert (back.datatype, back.shape, back.data) == (datatype, [2, 1], tensor.data)


def test_text_goes_to_an_array_of_objects() -> None:
    array = to_array(Tensor("x", "BYTES", [1], ["ü"]))
    assert (array.dtype, array.tolist()) == (np.dtype(object), ["ü"])


@pytest.mark.parametrize(
    ("values", "datatype", "shape", "data"),
    [
        (np.array(["a", "b"]), "BYTES", [2], ["a", "b"]),
        (np.array([b"a"], dtype=object), "BYTES", [1], ["a"]),
        (Sparse(), "FP64", [2, 2], [1.0, 0.0, 0.0, 1.0]),
        ([[1, 2], [3, 4]], "INT64", [2, 2], [1, 2, 3, 4]),
        (np.array(1.5, dtype=np.float32), "FP32", [], [1.5]),
        (np.array([[1, 2], [3, 4]]).T, "INT64", [2, 2], [1, 3, 2, 4]),
    ],
)
def test_what_a_model_answers_becomes_a_tensor(
    values: Any, datatype: str, shape: list[int], data: list[Any]
) -> None:
    tensor = from_array("y", values)
    assert (tensor.name, tensor.datatype, tensor.shape, tensor.data) == ("y", datatype, shape, data)


def test_a_table_and_a_tensor_become_a_matrix() -> None:
    table = Version("v1", "sklearn", "m", columns=["a", "b"])
    columns = [Tensor("b", "INT64", [2], [2, 4]), Tensor("a", "FP64", [2], [1.0, 3.0])]
    assert to_matrix(columns, table, np.float32).tolist() == [[1, 2], [3, 4]]
    assert to_matrix([matrix([[1, 2]])], Version("v1", "sklearn", "m"), np.float32).dtype == np.float32
