"""CSV in and out: whole rows in every piece, and what is told of a row, or a file, that is none."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pytest

from lastmile_runtime.batch.csv_file import Reader, end_of_row
from lastmile_runtime.batch.source import Source
from lastmile_runtime.stores.file import FileStore
from tests.lastmile_runtime.batch.scored import Scored, matrix_scored


def reader_of(folder: Path, content: bytes) -> Reader:
    (folder / "t.csv").write_bytes(content)
    return Reader(Source(FileStore(str(folder)), "t.csv", len(content)))


def rows_of(content: bytes) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(content.decode(), newline="")) if row]


@pytest.mark.parametrize("seed", range(4))
def test_pieces_are_of_whole_rows_whatever_is_quoted(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    texts = ["x", "é", "🙂,", "a\nb", "c\r\nd", '"', '""', "", 'in"side', " ", "\n\n"]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=draw.choice(["\n", "\r\n"]), quoting=draw.choice([0, 1]))
    writer.writerows(
        [["a", "b"], *([draw.choice(texts) * draw.randrange(3) for _ in "ab"] for _ in range(200))]
    )
    content = text.getvalue().encode()
    reader = reader_of(tmp_path, content)
    for piece_bytes in (1, 7, 100, 10_000):
        pieces = list(reader.pieces(piece_bytes, reader.start()))
        assert [piece.start for piece in pieces[1:]] == [piece.end for piece in pieces[:-1]]
        assert pieces[-1].end == len(content)
        found = [row for piece in pieces for row in reader.read(piece).rows]
        assert found == rows_of(content)[1:]
        assert [piece.line for piece in pieces] == [
            content[: piece.start].count(b"\n") + 1 for piece in pieces
        ]


def test_where_a_row_ends() -> None:
    assert end_of_row(b"a\nb\nc", 1) == 2
    assert end_of_row(b"a\nb\nc", 3) == 4
    assert end_of_row(b"abc", 1) is None
    assert end_of_row(b'"a\nb"\nc\n', 1) == 6
    assert end_of_row(b'5" pipe\n"x\n"\n', 1) == 8
    assert end_of_row(b'"open\nand\nopen', 1) is None
    assert end_of_row('"é"\né,é\nx\n'.encode(), 6) == 11


def test_the_rest_of_a_table_is_carried_and_a_name_that_is_taken_gets_another(tmp_path: Path) -> None:
    scored = Scored(tmp_path)
    (scored.input / "t.csv").write_bytes(
        b'\xef\xbb\xbfid,b,a,sum\r\n"q\r\n1",2,1,z\r\n\r\n"s ""x""",4,3,u\r\nt,,1,\r\nlast,1,1,\xc3\xa9'
    )
    scored.look()
    assert scored.text("t.csv") == (
        'id,b,a,sum,predicted_sum\n"q\r\n1",2,1,z,3\n"s ""x""",4,3,u,7\nt,,1,,nan\nlast,1,1,é,2\n'
    )
    assert scored.errors("t.csv") == []


def test_rows_that_fail_are_told_with_their_line_and_reason(tmp_path: Path) -> None:
    scored = Scored(tmp_path, piece_bytes=16)
    (scored.input / "t.csv").write_bytes(
        b'id,a,b\n"1\n",1,1\n2,13,1\n3,1\n4,x,1\n"5"6,1,1\n\n7,1,\xff\n8,1,1\n9,13,13\n'
    )
    scored.look()
    assert scored.text("t.csv") == 'id,a,b,sum\n"1\n",1,1,2\n8,1,1,2\n'
    thirteen = "version 'v1' failed on this request: ArithmeticError: thirteen"
    assert scored.errors("t.csv") == [
        {"line": 4, "reason": thirteen, "row": {"id": "2", "a": "13", "b": "1"}},
        {"line": 5, "reason": "it has 2 values, but the file has 3 columns.", "row": ["3", "1"]},
        {"line": 6, "reason": "input 'a' has the value 'x', which is not FP64.",
         "row": {"id": "4", "a": "x", "b": "1"}},
        {"line": 7, "reason": "it is not CSV: ',' expected after '\"'.", "row": '"5"6,1,1'},
        {"line": 9, "reason": "it is not UTF-8.", "row": ["7", "1", {"b64": "/w=="}]},
        {"line": 11, "reason": thirteen, "row": {"id": "9", "a": "13", "b": "13"}},
    ]  # fmt: skip
    success = scored.success("t.csv")
    assert success is not None
    assert (success["rows"], success["predicted"], success["failed"]) == (8, 2, 6)
    assert [event["failed"] for event in scored.told("batch part")].count(0) < len(scored.parts("t.csv"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it is empty; a CSV file begins with the names of its columns."),
        (b"\xef\xbb\xbf\n \n", "it is empty; a CSV file begins with the names of its columns."),
        (b"c,d\n1,2\n", "it lacks the columns 'a', 'b'; it has 'c', 'd'."),
        (b"a,c\n1,2\n", "it lacks the columns 'b': input 'b' is missing; the inputs are a, b."),
        (b"a,b,a\n1,2,3\n", "its first line has the name 'a' twice."),
        (b"PAR1\xff\xfe\n1\n", "it is not CSV: the first line is not UTF-8."),
        (b"PK\x00\x04\n1\n", "it is not CSV: the first line has a zero byte."),
        (b'"a"x,b\n1,2\n', "it is not CSV: ',' expected after '\"' in the first line."),
        (b"a,b\n1,2\n" + 2_000_000 * b"x",
         "the row that ends after byte 65540 has no end within 1048576 bytes; rows must end with a line feed."),
    ],
)  # fmt: skip
def test_a_file_that_is_none_fails_once_and_is_tried_again_when_it_is_another(
    tmp_path: Path, content: bytes, told: str
) -> None:
    scored = Scored(tmp_path, piece_bytes=16)
    (scored.input / "t.csv").write_bytes(content)
    scored.look()
    assert scored.failure("t.csv") == told
    assert scored.told("batch file") == [{"level": "error", "file": "t.csv", "error": told}]
    scored.look()
    assert len(scored.told("batch file")) == 1
    (scored.input / "t.csv").write_text("a,b\n1,2\n")
    scored.look()
    assert scored.text("t.csv") == "a,b,sum\n1,2,3\n"
    assert scored.failure("t.csv") is None


def test_a_header_alone_is_a_file_without_rows(tmp_path: Path) -> None:
    scored = Scored(tmp_path)
    (scored.input / "t.csv").write_text("a,b")
    scored.look()
    assert scored.text("t.csv") == "a,b\n"
    success = scored.success("t.csv")
    assert success is not None
    assert (success["rows"], success["parts"]) == (0, 1)


def test_a_quote_that_is_never_closed_costs_what_is_in_reach_of_it(tmp_path: Path) -> None:
    scored = Scored(tmp_path, piece_bytes=1 << 18)
    rows = 400 * ("1,2," + 1000 * "x" + "\n")
    (scored.input / "t.csv").write_text('a,b,c\n1,2,x\n"3,4,x\n' + rows)
    scored.look()
    success = scored.success("t.csv")
    assert success is not None
    assert success["failed"] == 1
    assert 1 + 400 - 140 < success["predicted"] < 400 - 120
    assert scored.errors("t.csv")[0]["line"] == 3
    assert scored.errors("t.csv")[0]["reason"] == "it is not CSV: field larger than field limit (131072)."


def test_an_output_with_several_values_has_a_column_for_each(tmp_path: Path) -> None:
    scored = matrix_scored(tmp_path)
    (scored.input / "t.csv").write_text("left,right\n1,2\n3,4\n")
    scored.look()
    assert scored.text("t.csv") == "left,right,doubled_0,doubled_1\n1,2,2,4\n3,4,6,8\n"
