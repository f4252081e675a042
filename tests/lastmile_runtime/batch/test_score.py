"""Rows are predicted together, and what one of them brings about is its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_runtime.errors import RequestError
from tests.lastmile_runtime.batch.scored import Scored
from tests.lastmile_runtime.bundles import routing

COUNTING = """
calls = []
class Model:
    def predict(self, inputs):
        calls.append(len(inputs["a"]))
        if any(a == 13 for a in inputs["a"]):
            raise ArithmeticError("thirteen")
        return {"sum": list(inputs["a"]), "calls": [len(calls)] * len(inputs["a"])}
"""


def test_the_contract_applies_to_each_row(tmp_path: Path) -> None:
    rules = [
        {"name": "a", "datatype": "FP64", "missing": "reject", "out_of_range": "fallback", "minimum": 0},
        {"name": "b", "datatype": "FP64", "missing": "impute", "impute": 5.0, "maximum": 9, "out_of_range": "reject"},
    ]  # fmt: skip
    scored = Scored(tmp_path, contract={"inputs": rules, "fallback": {"sum": -1.0}})
    (scored.input / "t.csv").write_text("a,b\n1,1\n-1,1\n2,\n,1\n3,10\n4,4\n")
    scored.look()
    assert scored.text("t.csv") == "a,b,sum\n1,1,2\n-1,1,-1.0\n2,,7.0\n4,4,8\n"
    assert scored.errors("t.csv") == [
        {"line": 5, "reason": "input 'a' has no value, but needs one.", "row": {"a": "", "b": "1"}},
        {"line": 6, "reason": "input 'b' is 10, but must be at most 9.", "row": {"a": "3", "b": "10"}},
    ]
    (scored.input / "u.csv").write_text("a\n1\n")
    scored.look()
    assert scored.text("u.csv") == "a,sum\n1,6.0\n"


def test_one_call_predicts_many_rows_and_few_find_the_one_at_fault(tmp_path: Path) -> None:
    scored = Scored(tmp_path, source=COUNTING)
    rows = [f"{13 if number == 700 else number + 1000},0" for number in range(3000)]
    (scored.input / "t.csv").write_text("\n".join(["a,b", *rows]))
    scored.look()
    lines = scored.text("t.csv").splitlines()
    assert len(lines) == 3000
    assert int(lines[-1].rpartition(",")[2]) < 35
    assert [error["line"] for error in scored.errors("t.csv")] == [702]


def test_a_version_that_cannot_be_loaded_is_not_the_files_fault(tmp_path: Path) -> None:
    scored = Scored(tmp_path, source="raise ImportError('no such library')")
    (scored.input / "t.csv").write_text("a,b\n1,1\n")
    scored.application.scheduled()
    with pytest.raises(RequestError, match="cannot be loaded: ImportError: no such library"):
        scored.work()
    assert scored.failure("t.csv") is None


def test_outputs_that_are_not_one_per_row_fail_the_file(tmp_path: Path) -> None:
    scored = Scored(
        tmp_path, source="class Model:\n    def predict(self, inputs):\n        return {'mean': [1.0]}\n"
    )
    (scored.input / "t.csv").write_text("a,b\n1,1\n2,2\n")
    scored.look()
    assert scored.failure("t.csv") == (
        "version 'v1' answered 2 rows with 'mean' of the shape [1], but predictions are kept row by row."
    )


def test_shadows_and_challengers_see_nothing(tmp_path: Path) -> None:
    scored = Scored(tmp_path, ids=("v1", "v2", "v3"))
    document = {**routing(v1=1, v2=9999), "shadows": [{"version": "v3", "percent": 10_000}]}
    scored.application = scored.serving(document)
    seen: list[str] = []
    scored.application.service.mirror = lambda request, version, inputs, prediction: seen.append(version)
    (scored.input / "t.csv").write_text("a,b\n" + 50 * "1,1\n")
    scored.look()
    assert [event["version"] for event in scored.told("batch part")] == ["v1"]
    assert seen == []
