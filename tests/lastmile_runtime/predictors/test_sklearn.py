from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from lastmile_runtime.manifest import TensorSpec, Version
from lastmile_runtime.predictors.sklearn import load
from lastmile_runtime.tensors import Tensor
from tests.lastmile_runtime.predictors.calls import ask, matrix

ROWS = [[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 5.0]]
NAMES = ["a", "b"]


def fitted(estimator: Any, labels: Any = (0, 0, 1, 1)) -> Any:
    return estimator.fit(np.array(ROWS), np.array(labels))


def served(folder: Path, estimator: Any, **more: Any) -> Any:
    path = folder / "model.joblib"
    joblib.dump(estimator, path)
    return load(str(path), Version("v1", "sklearn", "models/v1/model.joblib", **{"columns": NAMES, **more}))


def outputs(*names: str) -> list[TensorSpec]:
    return [TensorSpec(name, "FP64", [-1]) for name in names]


@pytest.mark.parametrize("columns", [NAMES, []])
def test_a_classifier_gives_classes_and_probabilities(tmp_path: Path, columns: list[str]) -> None:
    model = fitted(LogisticRegression())
    answer = ask(served(tmp_path, model, columns=columns), matrix(ROWS))
    assert answer["predict"] == ("INT64", [4], model.predict(ROWS).tolist())
    assert answer["predict_proba"] == ("FP64", [4, 2], model.predict_proba(ROWS).ravel().tolist())
    assert list(answer) == ["predict", "predict_proba"]


def test_labels_of_text_are_text(tmp_path: Path) -> None:
    model = fitted(LogisticRegression(), ["no", "no", "yes", "yes"])
    predict = served(tmp_path, model, outputs=outputs("predict"))
    assert ask(predict, matrix(ROWS)) == {"predict": ("BYTES", [4], model.predict(ROWS).tolist())}


def test_a_regressor_predicts(tmp_path: Path) -> None:
    model = fitted(LinearRegression())
    assert ask(served(tmp_path, model), matrix(ROWS)) == {
        "predict": ("FP64", [4], model.predict(ROWS).tolist())
    }


def test_a_transformer_transforms(tmp_path: Path) -> None:
    model = fitted(StandardScaler())
    expected = ("FP64", [4, 2], model.transform(ROWS).ravel().tolist())
    assert ask(served(tmp_path, model), matrix(ROWS)) == {"transform": expected}


def test_an_outlier_detector_gives_what_the_manifest_names(tmp_path: Path) -> None:
    model = IsolationForest(n_estimators=5, random_state=0).fit(ROWS)
    predict = served(tmp_path, model, outputs=outputs("predict", "score_samples"))
    answer = ask(predict, matrix(ROWS))
    assert answer == {
        "predict": ("INT64", [4], model.predict(ROWS).tolist()),
        "score_samples": ("FP64", [4], model.score_samples(ROWS).tolist()),
    }


def test_a_plain_pickle_is_read_as_well(tmp_path: Path) -> None:
    model = fitted(LinearRegression())
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(model))
    predict = load(str(path), Version("v1", "sklearn", "models/v1/model.pkl", columns=NAMES))
    assert ask(predict, matrix(ROWS))["predict"][2] == model.predict(ROWS).tolist()


def test_columns_may_come_one_by_one_in_any_order(tmp_path: Path) -> None:
    model = fitted(LinearRegression())
    columns = [Tensor(name, "FP64", [4], [row[NAMES.index(name)] for row in ROWS]) for name in ("b", "a")]
    assert ask(served(tmp_path, model), *columns)["predict"][2] == model.predict(ROWS).tolist()


def test_a_model_that_selects_by_name_gets_a_frame(tmp_path: Path) -> None:
    frame = pd.DataFrame({"colour": ["red", "blue", "red", "blue"], "size": [1, 2, 3, 4]})
    encoder = ColumnTransformer([("colour", OneHotEncoder(), ["colour"])], remainder="passthrough")
    model = make_pipeline(encoder, LogisticRegression()).fit(frame, [0, 1, 0, 1])
    predict = served(tmp_path, model, columns=["colour", "size"], frame=True)
    answer = ask(
        predict,
        Tensor("size", "INT64", [4, 1], [1, 2, 3, 4]),
        Tensor("colour", "BYTES", [4], ["red", "blue", "red", "blue"]),
    )
    assert answer["predict"][2] == [0, 1, 0, 1]
    assert answer["predict_proba"][2] == model.predict_proba(frame).ravel().tolist()
