"""Parquet in and out: its own types, row groups of any size, and what is told of a row, or a file, that is none."""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.lastmile_runtime.batch.scored import Scored, matrix_scored


def whole(scored: Scored, name: str) -> pa.Table:
    return pa.concat_tables([pq.read_table(pa.BufferReader(part)) for part in scored.parts(name)])


@pytest.mark.parametrize("group", [7, 50, 1000])
def test_every_row_comes_out_once_with_its_types_and_its_prediction(tmp_path: Path, group: int) -> None:
    scored = Scored(tmp_path, "parquet", piece_bytes=512)
    days = [datetime.date(2026, 1, 1) + datetime.timedelta(number) for number in range(120)]
    table = pa.table(
        {
            "day": days,
            "b": pa.array([decimal.Decimal(number) / 4 for number in range(120)], pa.decimal128(10, 2)),
            "a": pa.array([None if number == 5 else number + 20 for number in range(120)], pa.int32()),
            "kind": pa.array(["x", "y"] * 60).dictionary_encode(),
        }
    )
    pq.write_table(table, scored.input / "t.parquet", row_group_size=group)
    scored.look()
    found = whole(scored, "t.parquet")
    assert found.select(table.column_names).equals(table)
    expected = [None if number == 5 else number + 20 + number / 4 for number in range(120)]
    sums = found.column("sum").to_pylist()
    assert [None if value != value else value for value in sums] == expected
    assert len(scored.parts("t.parquet")) > 4


def test_rows_that_fail_are_told_with_their_number(tmp_path: Path) -> None:
    scored = Scored(tmp_path, "parquet")
    table = pa.table({"a": [1, 13, 2, 13], "b": [1, 1, 1, 1], "sum": [b"\xff", b"x", b"y", b"\xff"]})
    pq.write_table(table, scored.input / "t.parquet", row_group_size=3)
    scored.look()
    found = whole(scored, "t.parquet").to_pydict()
    assert found == {"a": [1, 2], "b": [1, 1], "sum": [b"\xff", b"y"], "predicted_sum": [2, 3]}
    thirteen = "version 'v1' failed on this request: ArithmeticError: thirteen"
    assert scored.errors("t.parquet") == [
        {"number": 2, "reason": thirteen, "row": {"a": 13, "b": 1, "sum": "x"}},
        {"number": 4, "reason": thirteen, "row": {"a": 13, "b": 1, "sum": {"b64": "/w=="}}},
    ]


def test_a_matrix_and_no_rows(tmp_path: Path) -> None:
    scored = matrix_scored(tmp_path)
    scored.batch.format = "parquet"
    pq.write_table(pa.table({"l": [1.0, 3.0], "r": [2.0, 4.0]}), scored.input / "t.parquet")
    pq.write_table(pa.table({"l": pa.array([], pa.float64())}), scored.input / "u.parquet")
    scored.look()
    assert whole(scored, "t.parquet").column("doubled").to_pylist() == [[2.0, 4.0], [6.0, 8.0]]
    assert whole(scored, "u.parquet").num_rows == 0


def test_files_that_are_none(tmp_path: Path) -> None:
    scored = Scored(tmp_path, "parquet")
    (scored.input / "t.parquet").write_bytes(b"a,b\n1,2\n")
    pq.write_table(pa.table({"a": [1]}), scored.input / "u.parquet")
    broken = (scored.input / "u.parquet").read_bytes()
    (scored.input / "v.parquet").write_bytes(broken[:4] + b"\xff" * 20 + broken[24:])
    scored.look()
    assert (
        scored.failure("u.parquet") == "it lacks the columns 'b': input 'b' is missing; the inputs are a, b."
    )
    assert (scored.failure("t.parquet") or "").startswith("it is not Parquet: ")
    assert (scored.failure("v.parquet") or "").startswith("it cannot be read as Parquet: ")
