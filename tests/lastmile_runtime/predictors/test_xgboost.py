from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lastmile_runtime.manifest import Version
from tests.lastmile_runtime.predictors.calls import ask, matrix

pytestmark = pytest.mark.conformance

COLUMNS = [f"c{index}" for index in range(4)]
TABLE = np.random.default_rng(0).normal(size=(60, 4))
SUM = TABLE.sum(axis=1)


def served(folder: Path, model: Any, suffix: str = "json") -> Any:
    from lastmile_runtime.predictors.xgboost import load

    path = folder / f"model.{suffix}"
    model.save_model(path)
    return load(str(path), Version("v1", "xgboost", f"models/v1/model.{suffix}", columns=COLUMNS))


@pytest.mark.parametrize("suffix", ["json", "ubj"])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_classifier_gives_what_its_own_wrapper_gives(tmp_path: Path, suffix: str, classes: int) -> None:
    from xgboost import XGBClassifier

    labels = np.digitize(SUM, np.quantile(SUM, np.arange(1, classes) / classes))
    model = XGBClassifier(n_estimators=5, max_depth=2).fit(TABLE, labels)
    answer = ask(served(tmp_path, model, suffix), matrix(TABLE.tolist()))
    assert answer["predict"] == ("INT64", [60], model.predict(TABLE).tolist())
    assert answer["predict_proba"][:2] == ("FP32", [60, classes])
    np.testing.assert_allclose(answer["predict_proba"][2], model.predict_proba(TABLE).ravel(), atol=1e-6)


def test_a_regressor_predicts(tmp_path: Path) -> None:
    from xgboost import XGBRegressor

    model = XGBRegressor(n_estimators=5, max_depth=2).fit(TABLE, SUM)
    answer = ask(served(tmp_path, model), matrix(TABLE.tolist()))
    assert list(answer) == ["predict"]
    np.testing.assert_allclose(answer["predict"][2], model.predict(TABLE), atol=1e-6)


def test_a_model_that_stopped_early_answers_with_its_best_round(tmp_path: Path) -> None:
    from xgboost import XGBRegressor

    noise = np.random.default_rng(1).normal(size=60)
    model = XGBRegressor(n_estimators=200, early_stopping_rounds=3).fit(
        TABLE[:30], noise[:30], eval_set=[(TABLE[30:], noise[30:])], verbose=False
    )
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    answer = ask(served(tmp_path, model), matrix(TABLE.tolist()))
    np.testing.assert_allclose(answer["predict"][2], model.predict(TABLE), atol=1e-6)


def test_an_objective_that_gives_classes_only_gives_no_probabilities(tmp_path: Path) -> None:
    import xgboost

    labels = (SUM > 0).astype(int)
    booster = xgboost.train({"objective": "multi:softmax", "num_class": 2}, xgboost.DMatrix(TABLE, labels), 5)
    answer = ask(served(tmp_path, booster), matrix(TABLE.tolist()))
    assert answer == {
        "predict": ("INT64", [60], booster.predict(xgboost.DMatrix(TABLE)).astype(int).tolist())
    }
