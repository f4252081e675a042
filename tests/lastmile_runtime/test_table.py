from __future__ import annotations

from typing import Any

import pytest

from lastmile_runtime.errors import RequestError
from lastmile_runtime.table import columns_of, rows_of
from lastmile_runtime.tensors import Tensor

NAMES = ["a", "b"]


def tensor(name: str, shape: list[int], data: list[Any]) -> Tensor:
    return Tensor(name, "FP64", shape, data)


MATRIX = [tensor("anything", [2, 2], [1, 2, 3, 4])]
COLUMNS = [tensor("b", [2], [2, 4]), tensor("a", [2, 1], [1, 3])]


@pytest.mark.parametrize("tensors", [MATRIX, COLUMNS])
def test_a_matrix_and_columns_are_the_same_table(tensors: list[Tensor]) -> None:
    assert rows_of(tensors, NAMES) == [[1, 2], [3, 4]]
    columns = columns_of(tensors, NAMES)
    assert {name: column.data for name, column in columns.items()} == {"a": [1, 3], "b": [2, 4]}
    assert list(columns) == NAMES


@pytest.mark.parametrize("name", ["a", "input"])
def test_a_table_of_one_column_may_be_a_matrix_or_the_column(name: str) -> None:
    assert rows_of([tensor(name, [2, 1], [1, 2])], ["a"]) == [[1], [2]]


COLUMN_FORMS = "send one tensor of the shape [rows, 2], or one tensor per column."


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ([tensor("x", [1, 3], [1, 2, 3])], "input 'x' has 3 columns, but the model takes 2."),
        ([tensor("x", [0, 2], [])], "input 'x' has no rows; send at least one."),
        (
            [tensor("x", [2], [1, 2])],
            f"unknown inputs: 'x'; missing inputs: 'a', 'b'; {COLUMN_FORMS}",
        ),
        ([tensor("a", [1], [1])], f"missing inputs: 'b'; {COLUMN_FORMS}"),
        (
            [tensor("a", [1], [1]), tensor("b", [1], [1]), *(tensor(f"c{n}", [1], [1]) for n in range(7))],
            f"unknown inputs: 'c0', 'c1', 'c2', 'c3', 'c4' and 2 more; {COLUMN_FORMS}",
        ),
        (
            [tensor("a", [1], [1]), tensor("b", [2], [1, 2])],
            "the inputs have different numbers of rows: [1, 2].",
        ),
        (
            [tensor("a", [1, 2], [1, 2]), tensor("b", [2], [1, 2])],
            "input 'a' has the shape [1, 2], but a column is [rows] or [rows, 1].",
        ),
        ([tensor("a", [0], []), tensor("b", [0], [])], "input 'a' has no rows; send at least one."),
    ],
)
def test_what_is_not_the_table_is_refused(tensors: list[Tensor], message: str) -> None:
    for read in (columns_of, rows_of):
        with pytest.raises(RequestError) as refused:
            read(tensors, NAMES)
        assert (refused.value.status, refused.value.message) == (400, message)
