"""JSON lines in and out."""

from __future__ import annotations

import json
from pathlib import Path

from tests.lastmile_runtime.batch.scored import Scored


def test_objects_come_out_with_their_predictions_and_what_is_none_is_told(tmp_path: Path) -> None:
    scored = Scored(tmp_path, "jsonl", piece_bytes=32)
    lines = [
        b'\xef\xbb\xbf{"a": 1, "b": 2, "id": {"x": [1]}, "sum": "taken"}', b'{"b": 1.5, "a": 2}\r', b"", b"[1, 2]",
        b'{"a": 1', b'{"a": 1}', b"\xff", b'{"a": null, "b": 1}', b'{"a": 13, "b": 1}',
        b'{"a": NaN, "b": 1, "c": "\\ud800"}',
        b'{"b": 7, "a": 0}',
    ]  # fmt: skip
    (scored.input / "t.ndjson").write_bytes(b"\n".join(lines))
    scored.look()
    found = [json.loads(line) for part in scored.parts("t.ndjson") for line in part.splitlines()]
    assert found == [
        {"a": 1, "b": 2, "id": {"x": [1]}, "sum": "taken", "predicted_sum": 3},
        {"b": 1.5, "a": 2, "sum": 3.5},
        {"a": None, "b": 1, "sum": None},
        {"a": None, "b": 1, "c": "\ud800", "sum": None},
        {"b": 7, "a": 0, "sum": 7},
    ]
    assert scored.errors("t.ndjson") == [
        {"line": 4, "reason": "it must be an object of values by name.", "row": "[1, 2]"},
        {"line": 5, "reason": "it is not JSON: Expecting ',' delimiter: line 1 column 8 (char 7).", "row": '{"a": 1'},
        {"line": 6, "reason": "input 'b' is missing; the inputs are a, b.", "row": {"a": 1}},
        {"line": 7, "reason": "it is not UTF-8.", "row": {"b64": "/w=="}},
        {"line": 9, "reason": "version 'v1' failed on this request: ArithmeticError: thirteen", "row": {"a": 13, "b": 1}},
    ]  # fmt: skip
    assert all(path.suffix == ".jsonl" for path in (scored.output / "t.ndjson").glob("part-*"))


def test_an_empty_file_is_one_without_rows(tmp_path: Path) -> None:
    scored = Scored(tmp_path, "jsonl")
    (scored.input / "t.jsonl").touch()
    scored.look()
    success = scored.success("t.jsonl")
    assert success is not None
    assert (success["rows"], scored.parts("t.jsonl")) == (0, [b""])
