from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ModelFacts
from lastmile_sls.inspection.python import MAX_BYTES, find_entry, read

ONE = "class Model:\n    def predict(self, inputs):\n        return inputs\n"
TWO = ONE + ONE.replace("Model", "Other")


def written(folder: Path, text: str) -> Path:
    path = folder / "model.py"
    path.write_text(text)
    return path


def test_the_only_predictor_is_found_and_nothing_is_run(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    touch = f"pathlib.Path({str(canary)!r}).touch()\n"
    text = f"import pathlib, numpy\nfrom pandas.api import types\n{touch}{ONE}class Helper:\n    x = 1\n"
    path = written(tmp_path, text)
    assert read(path) == ModelFacts(
        "python",
        entry="Model",
        notes=("It imports numpy, pandas: list what they come from under requirements.",),
    )
    assert find_entry(path, None) == "Model"
    assert not canary.exists()


def test_of_several_one_must_be_named(tmp_path: Path) -> None:
    path = written(tmp_path, TWO)
    assert read(path).entry is None
    assert find_entry(path, "Other") == "Other"
    with pytest.raises(LastmileError) as caught:
        find_entry(path, None)
    assert caught.value.message == "model.py has 2 classes with a predict method: Model, Other."
    assert caught.value.hint == "Name one: --entry Model"
    with pytest.raises(LastmileError) as caught:
        find_entry(path, "Third")
    assert caught.value.message == (
        "--entry is 'Third', but the classes with a predict method in model.py are Model, Other."
    )
    assert caught.value.hint == "Name one of them."


def test_a_file_without_a_predictor(tmp_path: Path) -> None:
    with pytest.raises(LastmileError) as caught:
        read(written(tmp_path, "def predict(inputs): ...\n"))
    assert caught.value.message == "model.py has no class with a predict method."
    assert caught.value.hint.startswith("Write one:\nclass Model:")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("x = 1\nclass:\n", "model.py:2 is not Python: invalid syntax."),
        ("x = '\0'\n", "model.py is not Python: source code string cannot contain null bytes."),
        ("-" * 100_000 + "1", "model.py is nested too deep to be read."),
        ("a" + ".a" * 100_000, "model.py is nested too deep to be read."),
        (
            "#" * (MAX_BYTES + 1),
            f"model.py has {MAX_BYTES + 1} bytes, but a Python file is read up to {MAX_BYTES}.",
        ),
    ],
)
def test_what_is_no_python(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(LastmileError) as caught:
        read(written(tmp_path, content))
    assert caught.value.message.replace("<unknown>", "model.py") == says
