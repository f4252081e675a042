"""What the original answers to some rows, in this process or apart from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_runtime import predictors
from lastmile_runtime.manifest import TensorSpec, Version
from lastmile_sls.certification import examples
from lastmile_sls.certification.examples import MOST, Example, examples_apart, examples_of
from lastmile_sls.certification.rows import Row

VERSION = Version(
    "v1",
    "python",
    "model.py",
    "Model",
    inputs=[TensorSpec("x", "FP64", [-1, 2])],
    outputs=[TensorSpec("y", "FP64", [-1])],
)
ROWS: list[Row] = [[1.0, 2.0], [3.0, 4.0], [float("inf"), 0.0], [-1.0, 0.0], [0.5, 0.5], [9.0, 9.0]]
SUMS = """
class Model:
    def predict(self, inputs):
        if inputs["x"][0][0] < 0:
            raise ValueError("never negative")
        return {"y": [sum(row) for row in inputs["x"]]}
"""


def write(folder: Path, source: str) -> Path:
    path = folder / "model.py"
    path.write_text(source)
    return path


def test_in_this_process_and_apart_they_are_the_same(tmp_path: Path) -> None:
    path = write(tmp_path, SUMS)
    found = examples_of(predictors.load(str(path), VERSION), VERSION, ROWS)
    assert found == examples_apart(VERSION, path, ROWS)
    assert [example.outputs[0]["data"] for example in found] == [[3.0], [7.0], ["Infinity"], [1.0]]
    assert len(found) == MOST - 1  # one is refused, and the sixth row is not asked
    assert found[0] == Example(
        [{"name": "x", "datatype": "FP64", "shape": [1, 2], "data": [1.0, 2.0]}],
        [{"name": "y", "datatype": "FP64", "shape": [1], "data": [3.0]}],
    )


@pytest.mark.parametrize(
    "source",
    [
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "raise SystemExit(0)",
        "import nowhere",
        SUMS.replace("if", "import os; os._exit(3)\n        if"),
    ],
    ids=["killed", "exits", "cannot be imported", "ends in predict"],
)
def test_a_model_that_crashes_takes_nobody_with_it(tmp_path: Path, source: str) -> None:
    assert examples_apart(VERSION, write(tmp_path, source), ROWS) == []


def test_a_model_that_prints_is_understood(tmp_path: Path) -> None:
    path = write(tmp_path, "print('loading')\n" + SUMS.replace("return", "print(1)\n        return"))
    assert len(examples_apart(VERSION, path, ROWS)) == MOST - 1


def test_a_model_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "TIMEOUT_S", 1)
    assert examples_apart(VERSION, write(tmp_path, "import time; time.sleep(60)"), ROWS) == []
