from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ColumnFacts, ModelFacts
from lastmile_sls.inspection.sklearn import check_pickle, read, recognises
from tests.lastmile_sls.inspection.models import MODELS, TABLE, X, Y

PINNED = f"scikit-learn=={sklearn.__version__}"


def saved(folder: Path, model: Any) -> Path:
    path = folder / "model.joblib"
    joblib.dump(model, path)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(LastmileError) as caught:
        read(path)
    return caught.value.message


def test_a_classifier(tmp_path: Path) -> None:
    assert read(saved(tmp_path, LogisticRegression().fit(X, Y))) == ModelFacts(
        framework="sklearn",
        framework_version=sklearn.__version__,
        requirements=(PINNED,),
        inputs=(ColumnFacts("x0", "FP64"), ColumnFacts("x1", "FP64"), ColumnFacts("x2", "FP64")),
        outputs=(ColumnFacts("predict", "INT64"), ColumnFacts("predict_proba", "FP64", (-1, 2))),
        named=False,
    )


def test_a_table_selected_by_name_is_a_frame(tmp_path: Path) -> None:
    assert read(saved(tmp_path, MODELS["table"]())) == ModelFacts(
        framework="sklearn",
        framework_version=sklearn.__version__,
        requirements=(PINNED, "pandas"),
        inputs=(
            ColumnFacts("age", "FP64"),
            ColumnFacts("plan", "BYTES", categories=("free", "gold")),
            ColumnFacts("visits", "FP64"),
        ),
        outputs=(ColumnFacts("predict", "INT64"), ColumnFacts("predict_proba", "FP64", (-1, 2))),
        frame=True,
    )


def test_names_without_selection_need_no_frame(tmp_path: Path) -> None:
    facts = read(saved(tmp_path, LogisticRegression().fit(TABLE[["age", "visits"]], Y)))
    assert [column.name for column in facts.inputs] == ["age", "visits"]
    assert (facts.frame, facts.named) == (False, True)


_PREDICTS = {
    "linear": [("predict", "FP64", (-1,))],
    "labels": [("predict", "BYTES", (-1,)), ("predict_proba", "FP64", (-1, 2))],
    "svm": [("predict", "INT64", (-1,))],
    "outliers": [("predict", "INT64", (-1,))],
    "clusters": [("predict", "INT64", (-1,))],
    "components": [("transform", "FP64", (-1, -1))],
    "search": [("predict", "INT64", (-1,)), ("predict_proba", "FP64", (-1, 2))],
}


@pytest.mark.parametrize("name", _PREDICTS)
def test_outputs_are_what_the_model_answers(tmp_path: Path, name: str) -> None:
    facts = read(saved(tmp_path, MODELS[name]()))
    assert [(column.name, column.datatype, column.shape) for column in facts.outputs] == _PREDICTS[name]


def test_several_outputs_at_once(tmp_path: Path) -> None:
    facts = read(saved(tmp_path, LinearRegression().fit(X, X[:, :2])))
    assert facts.outputs == (ColumnFacts("predict", "FP64"),)
    facts = read(saved(tmp_path, DecisionTreeClassifier().fit(X, np.c_[Y, Y])))
    assert facts.outputs == (ColumnFacts("predict", "INT64", (-1, 2)),)
    assert facts.notes == ("It predicts several outputs at once, so predict_proba is left out.",)


def test_a_model_of_texts_says_that_it_takes_no_table(tmp_path: Path) -> None:
    facts = read(saved(tmp_path, MODELS["words"]()))
    assert facts.inputs == ()
    assert "\n".join(facts.notes) == (
        "Pipeline does not say how many columns it takes, so it takes no table (texts, for example). "
        "Serve it through a Python class with a predict method."
    )


def test_another_version_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(
        pickle.dumps(LogisticRegression().fit(X, Y)).replace(sklearn.__version__.encode(), b"0.0.1")
    )
    facts = read(path)
    assert (facts.framework_version, facts.requirements) == ("0.0.1", ("scikit-learn==0.0.1",))
    assert "\n".join(facts.notes) == (
        f"model.pkl was made with scikit-learn 0.0.1, but {sklearn.__version__} is installed here. "
        "Predictions may differ; install the one it was made with."
    )


class Evil:
    """Writes a file when it is loaded in the ordinary way, and predicts."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary
        self.n_features_in_ = 1

    def predict(self, rows: Any) -> Any:
        return rows

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuilt, (self.canary,)


def rebuilt(canary: Path) -> Evil:
    canary.touch()
    return Evil(canary)


def test_code_is_refused_unless_the_file_is_trusted(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    path = saved(tmp_path, Evil(canary))
    for look in (check_pickle, read):
        with pytest.raises(LastmileError) as caught:
            look(path)
        assert caught.value.message == (
            f"model.joblib is refused: it names {__name__}.rebuilt, which is not part of a model."
        )
        assert caught.value.hint == (
            "Loading it could run any code. If the file is your own, `lastmile init --trust` loads it all the same "
            "and writes `trusted: true`."
        )
    assert not canary.exists()
    facts = read(path, trust=True)
    assert canary.exists()
    assert facts.notes == (
        "It was loaded with --trust, so it could run any code; deploy only files that you made yourself.",
    )


def test_a_trusted_file_that_cannot_be_loaded(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x04cno_such_module\nModel\n.")
    with pytest.raises(LastmileError) as caught:
        read(path, trust=True)
    assert caught.value.message == (
        "model.pkl cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'."
    )
    assert caught.value.hint == "Run lastmile where the model's own packages are installed."


def test_a_trusted_ordinary_model_is_described_all_the_same(tmp_path: Path) -> None:
    path = saved(tmp_path, LogisticRegression().fit(X, Y))
    trusted, checked = read(path, trust=True), read(path)
    assert trusted.with_note("") != checked
    assert (trusted.inputs, trusted.outputs, trusted.framework_version) == (
        checked.inputs,
        checked.outputs,
        checked.framework_version,
    )


def test_a_part_of_a_frame_gets_its_own_hint(tmp_path: Path) -> None:
    model = LogisticRegression().fit(X, Y)
    model.kept = TABLE.columns
    with pytest.raises(LastmileError, match=r"it names pandas\.") as caught:
        read(saved(tmp_path, model))
    assert caught.value.hint.startswith("The model holds a part of a DataFrame. Give it plain lists")


@pytest.mark.parametrize("content", [{"a": 1}, LogisticRegression])
def test_what_is_no_fitted_model_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(LastmileError) as caught:
        read(saved(tmp_path, content))
    noun = type(content).__name__
    article = "an" if noun[0] in "aeiouA" else "a"
    assert (
        caught.value.message
        == f"model.joblib holds {article} {noun}, which has neither predict nor transform."
    )
    assert caught.value.hint == "Save the fitted model itself: joblib.dump(model, path)"


UNFOLDED = "model.joblib is refused: it holds parts in parts, more than 1000000 in all or 64 deep."


def test_a_model_that_holds_itself_is_refused(tmp_path: Path) -> None:
    model = LogisticRegression().fit(X, Y)
    model.estimator_ = model
    assert refusal(saved(tmp_path, model)) == UNFOLDED


def test_a_model_that_holds_the_same_parts_over_and_over_is_refused(tmp_path: Path) -> None:
    model: Any = LogisticRegression().fit(X, Y)
    for _ in range(18):
        model = Pipeline([("first", model), ("last", model)])
    assert refusal(saved(tmp_path, model)) == UNFOLDED


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"classes_": np.float64(1)}, "TypeError: object of type 'numpy.float64' has no len()"),
        ({"feature_names_in_": [["a"]]}, "ValueError: feature_names_in_ holds something else than text"),
        ({"feature_names_in_": 3}, "TypeError: 'int' object is not iterable"),
    ],
)
def test_a_model_that_is_not_whole(tmp_path: Path, attributes: dict[str, Any], says: str) -> None:
    model = LogisticRegression().fit(X, Y)
    vars(model).update(attributes)
    assert refusal(saved(tmp_path, model)) == f"model.joblib holds a model that is not whole: {says}."


def test_more_columns_than_are_served_are_refused(tmp_path: Path) -> None:
    model = LogisticRegression().fit(X, Y)
    model.n_features_in_ = 10**12
    assert refusal(saved(tmp_path, model)) == (
        "the model takes 1000000000000 columns, but at most 100000 are served."
    )


def test_pickles_are_recognised_by_content_and_by_suffix() -> None:
    assert recognises(Path("a"), b"\x80\x04")
    assert recognises(Path("a"), b"\x1f\x8b")
    assert recognises(Path("a.pkl"), b"(dp0")
    assert not recognises(Path("a"), b"tree\n")
