from __future__ import annotations

import shutil
from pathlib import Path

import joblib
import pytest
from sklearn.linear_model import LogisticRegression

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ColumnFacts
from lastmile_sls.inspection.inspect import inspect
from tests.lastmile_sls.inspection.models import X, Y

FILES = Path(__file__).with_name("files")
PYTHON = "class A:\n    def predict(self, inputs): ...\nclass B:\n    def predict(self, inputs): ...\n"


def refusal(path: Path, entry: str | None = None) -> str:
    with pytest.raises(LastmileError) as caught:
        inspect(path, entry=entry)
    return str(caught.value)


@pytest.mark.parametrize("name", sorted(path.name for path in FILES.iterdir()))
def test_files_are_recognised_by_what_is_in_them(tmp_path: Path, name: str) -> None:
    """Whatever the suffix, and for XGBoost also with white space before the content."""
    framework = "onnx" if name.endswith(".onnx") else name.split("_", maxsplit=1)[0]
    assert inspect(FILES / name).framework == framework
    shutil.copyfile(FILES / name, tmp_path / "model")
    assert inspect(tmp_path / "model").framework == framework


def test_a_pickle_is_recognised_whatever_its_name(tmp_path: Path) -> None:
    joblib.dump(LogisticRegression().fit(X, Y), tmp_path / "model.bin", compress=3)
    assert inspect(tmp_path / "model.bin").framework == "sklearn"


def test_the_sample_is_taken_in(tmp_path: Path) -> None:
    joblib.dump(LogisticRegression().fit(X, Y), tmp_path / "m.joblib")
    (tmp_path / "s.csv").write_text("a,b,c\n1,2,3\n4,5,6\n")
    facts = inspect(tmp_path / "m.joblib", sample=tmp_path / "s.csv")
    assert facts.inputs[0] == ColumnFacts("a", "FP64", minimum=1, maximum=4)


def test_the_entry_is_for_python(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(PYTHON)
    assert inspect(path, entry="B").entry == "B"
    assert refusal(path).startswith("m.py has 2 classes with a predict method: A, B.")
    assert refusal(FILES / "lightgbm_binary.txt", entry="B") == (
        "--entry is 'B', but lightgbm_binary.txt is LightGBM (text).\nLeave --entry out."
    )


def test_other_files(tmp_path: Path) -> None:
    path = tmp_path / "m.bin"
    assert refusal(tmp_path) == f"{tmp_path} is a folder.\nName the model file in it."
    assert refusal(path) == f"{path} cannot be read: No such file or directory.\nName the model file."
    path.touch()
    assert refusal(path) == "m.bin is empty.\nSave the model again."
    path.write_bytes(b"GIF89a")
    assert refusal(path) == (
        "m.bin is no model file that lastmile recognises.\nIt recognises:\n"
        "  LightGBM (text)\n  XGBoost (JSON or UBJSON)\n  ONNX\n"
        "  Python (a file with a class that has a predict method)\n  scikit-learn (joblib or pickle)"
    )
