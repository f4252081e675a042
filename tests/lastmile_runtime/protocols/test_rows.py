"""Rows, columns and CSV, made into the tensors of a table, of named inputs, and of a model that declares nothing."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_runtime.errors import RequestError
from lastmile_runtime.manifest import TensorSpec, Version
from lastmile_runtime.protocols import rows
from lastmile_runtime.tensors import Tensor


def version(*inputs: TensorSpec, columns: list[str] | None = None, frame: bool = False) -> Version:
    return Version("v1", "sklearn", "models/v1/m", columns=columns, frame=frame, inputs=list(inputs))


TABLE = version(TensorSpec("input", "FP64", [-1, 2]), columns=["a", "b"])
FRAME = version(
    TensorSpec("zip", "BYTES", [-1]), TensorSpec("age", "INT64", [-1]), columns=["zip", "age"], frame=True
)
MATRIX = version(TensorSpec("x", "FP64", [-1, 2]))
NAMED = version(TensorSpec("x", "FP64", [-1, 2]), TensorSpec("y", "BYTES", [-1]))
FREE = version()
ROWS = [[1, 2.5], [3, 4]]


def seen(found: list[Tensor]) -> list[tuple[str, str, list[int], list[Any]]]:
    return [(tensor.name, tensor.datatype, tensor.shape, tensor.data) for tensor in found]


TABLE_MATRIX = [("input", "FP64", [2, 2], [1, 2.5, 3, 4])]
TABLE_COLUMNS = [("a", "FP64", [2], [1, 3]), ("b", "FP64", [2], [2.5, 4])]
FRAME_COLUMNS = [("zip", "BYTES", [2], ["02139", ""]), ("age", "INT64", [2], [4, 5])]
NAMED_TENSORS = [("x", "FP64", [2, 2], [1, 2, 3, 4]), ("y", "BYTES", [2], ["p", "q"])]


@pytest.mark.parametrize(
    ("instances", "model", "expected"),
    [
        (ROWS, TABLE, TABLE_MATRIX),
        ([{"a": 1, "b": 2.5}, {"b": 4, "a": 3}], TABLE, TABLE_COLUMNS),
        ([["02139", 4], [None, 5.0]], FRAME, FRAME_COLUMNS),
        ([{"zip": "02139", "age": 4}, {"age": 5}], FRAME, FRAME_COLUMNS),
        (ROWS, MATRIX, [("x", "FP64", [2, 2], [1, 2.5, 3, 4])]),
        ([{"x": [1, 2], "y": "p"}, {"x": [3, 4], "y": "q"}], NAMED, NAMED_TENSORS),
        ([[[1, 2], "p"], [[3, 4], "q"]], NAMED, NAMED_TENSORS),
        ([1, 2], version(TensorSpec("x", "FP64", [-1, 1])), [("x", "FP64", [2, 1], [1, 2])]),
        (
            [1, 2],
            version(TensorSpec("input", "FP64", [-1, 1]), columns=["a"]),
            [("input", "FP64", [2, 1], [1, 2])],
        ),
        ([{"b64": "AA=="}], version(TensorSpec("x", "BYTES", [-1])), [("x", "BYTES", [1], ["\0"])]),
        (ROWS, FREE, [("input", "FP64", [2, 2], [1, 2.5, 3, 4])]),
        ([{"p": 1, "q": "a"}], FREE, [("p", "INT64", [1], [1]), ("q", "BYTES", [1], ["a"])]),
    ],
)
def test_instances(instances: Any, model: Version, expected: Any) -> None:
    assert seen(rows.from_instances(instances, model)) == expected
    assert seen(rows.from_inputs(instances, model)) == expected


def test_a_value_that_a_row_lacks_is_a_nan() -> None:
    assert seen(rows.from_records([{"b": 3}], TABLE)) == [("b", "FP64", [1], [3])]
    (_, b) = rows.from_records([{"a": 1}, {"a": 2, "b": 4}], TABLE)
    assert math.isnan(b.data[0])
    assert b.data[1] == 4


@pytest.mark.parametrize(
    ("frame", "model", "expected"),
    [
        ({"columns": ["a", "b"], "data": ROWS}, TABLE, TABLE_MATRIX),
        ({"columns": ["b", "a"], "index": [0, 1], "data": [[2.5, 1], [4, 3]]}, TABLE, TABLE_COLUMNS[::-1]),
        ({"columns": [0, 1], "index": [0, 1], "data": ROWS}, TABLE, TABLE_MATRIX),
        ({"data": ROWS}, TABLE, TABLE_MATRIX),
        ({"columns": ["age", "zip"], "data": [[4, "02139"], [5, None]]}, FRAME, FRAME_COLUMNS[::-1]),
        ({"columns": ["p", "q"], "data": ROWS}, MATRIX, [("x", "FP64", [2, 2], [1, 2.5, 3, 4])]),
        ({"columns": ["x"], "data": [[[1, 2]], [[3, 4]]]}, MATRIX, [("x", "FP64", [2, 2], [1, 2, 3, 4])]),
        ({"columns": ["y", "x"], "data": [["p", [1, 2]], ["q", [3, 4]]]}, NAMED, NAMED_TENSORS[::-1]),
        ({"columns": ["p"], "data": [[1], [2]]}, FREE, [("p", "INT64", [2], [1, 2])]),
    ],
)
def test_a_data_frame(frame: Any, model: Version, expected: Any) -> None:
    assert seen(rows.from_split(frame, model)) == expected


@pytest.mark.parametrize(
    ("columns", "model", "expected"),
    [
        ({"a": [1, 3], "b": [2.5, 4]}, TABLE, TABLE_COLUMNS),
        ({"a": [1]}, TABLE, [("a", "FP64", [1], [1])]),
        ({"more": [1]}, TABLE, [("more", "FP64", [1], [1])]),
        ({"x": [[1, 2], [3, 4]], "y": ["p", "q"]}, NAMED, NAMED_TENSORS),
    ],
)
def test_columns(columns: Any, model: Version, expected: Any) -> None:
    assert seen(rows.from_columns(columns, model)) == expected
    assert seen(rows.from_inputs(columns, model)) == expected


@pytest.mark.parametrize(
    ("text", "header", "model", "expected"),
    [
        ("a,b\r\n1,2.5\r\n3,4\r\n", True, TABLE, TABLE_MATRIX),
        ("b,a\n2.5,1\n4,3\n", True, TABLE, TABLE_COLUMNS[::-1]),
        ("1,2.5\n\n3,4", False, TABLE, TABLE_MATRIX),
        ('02139,4\n"",5\n', False, FRAME, FRAME_COLUMNS),
        ("p,q\n1,2.5\n3,4\n", True, MATRIX, [("x", "FP64", [2, 2], [1, 2.5, 3, 4])]),
        ("1,2.5\n3,4\n", False, MATRIX, [("x", "FP64", [2, 2], [1, 2.5, 3, 4])]),
        (
            '"a\nb"\n"c\u2028,d"\n',
            False,
            version(TensorSpec("t", "BYTES", [-1])),
            [("t", "BYTES", [2], ["a\nb", "c\u2028,d"])],
        ),
        ("p,q\n1,x\n", True, FREE, [("p", "INT64", [1], [1]), ("q", "BYTES", [1], ["x"])]),
        ("1,2\n", False, FREE, [("input", "INT64", [1, 2], [1, 2])]),
    ],
)
def test_csv(text: str, header: bool, model: Version, expected: Any) -> None:
    assert seen(rows.from_csv(text, model, header=header)) == expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rows.from_instances([], TABLE), "instances must be a list of at least one row."),
        (lambda: rows.from_instances("a", TABLE), "instances must be a list of at least one row."),
        (lambda: rows.from_instances([[1]], TABLE), "row 0 has 1 values, but there are 2: 'a', 'b'."),
        (lambda: rows.from_instances([1, 2], TABLE), "row 0 has one value, but there are 2: 'a', 'b'."),
        (
            lambda: rows.from_instances([[1, 2], {"a": 1}], TABLE),
            "row 1 has one value, but there are 2: 'a', 'b'.",
        ),
        (
            lambda: rows.from_instances([[1, "u"]], TABLE),
            "input 'input' has the value 'u', which is not FP64.",
        ),
        (
            lambda: rows.from_instances([{"c": 1}], TABLE),
            "row 0 has the unknown input 'c'; the inputs are 'a', 'b'.",
        ),
        (lambda: rows.from_records([], TABLE), "the records must be a list of at least one object."),
        (lambda: rows.from_records([{"a": 1}, 5], TABLE), "row 1 must be an object of values by name."),
        (lambda: rows.from_records([{}], FREE), "row 0 must be an object of values by name."),
        (
            lambda: rows.from_split([1], TABLE),
            "a data frame must be an object with columns and data, a list of at least one row.",
        ),
        (lambda: rows.from_split({"columns": [5], "data": [[1]]}, TABLE), "columns must be a list of names."),
        (
            lambda: rows.from_split({"columns": "ab", "data": [[1]]}, TABLE),
            "columns must be a list of names.",
        ),
        (
            lambda: rows.from_split({"columns": ["a", "a"], "data": [[1, 2]]}, TABLE),
            "columns has a name twice.",
        ),
        (lambda: rows.from_columns([], TABLE), "the columns must be an object of lists by name."),
        (lambda: rows.from_columns({}, TABLE), "the columns must be an object of lists by name."),
        (lambda: rows.from_csv("", TABLE, header=False), "the CSV has no row."),
        (lambda: rows.from_csv("a,b\n", TABLE, header=True), "the CSV has no row."),
        (lambda: rows.from_csv("a,a\n1,2", TABLE, header=True), "the CSV's first line has a name twice."),
        (
            lambda: rows.from_csv("1,2\n3", TABLE, header=False),
            "row 1 has 1 values, but there are 2: 'a', 'b'.",
        ),
        (lambda: rows.from_csv("1,2\n3", MATRIX, header=False), "row 1 has 1 values, but row 0 has 2."),
        (
            lambda: rows.from_csv("1,two", TABLE, header=False),
            "input 'input' has the value 'two', which is not FP64.",
        ),
        (
            lambda: rows.from_csv("x,1.5", FRAME, header=False),
            "input 'age' has the value 1.5, which is not INT64.",
        ),
        (lambda: rows.from_csv('"a', TABLE, header=False), "the body is not CSV: unexpected end of data."),
    ],
)
def test_what_is_no_table_is_refused(call: Any, message: str) -> None:
    with pytest.raises(RequestError) as refused:
        call()
    assert (refused.value.status, refused.value.message) == (400, message)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(st.lists(st.tuples(TEXTS, st.integers(-(2**63), 2**63 - 1)), min_size=1))
def test_every_form_of_a_table_is_the_same_table(table: list[tuple[str, int]]) -> None:
    lists = [list(row) for row in table]
    output = io.StringIO()
    csv.writer(output).writerows(table)
    expected = [
        ("zip", "BYTES", [len(table)], [row[0] for row in table]),
        ("age", "INT64", [len(table)], [row[1] for row in table]),
    ]
    named = [dict(zip(["zip", "age"], row, strict=True)) for row in lists]
    assert seen(rows.from_instances(lists, FRAME)) == expected
    assert seen(rows.from_records(named, FRAME)) == expected
    assert seen(rows.from_split({"columns": ["zip", "age"], "data": lists}, FRAME)) == expected
    assert seen(rows.from_csv(output.getvalue(), FRAME, header=False)) == expected
    assert seen(rows.from_csv(f"zip,age\r\n{output.getvalue()}", FRAME, header=True)) == expected
