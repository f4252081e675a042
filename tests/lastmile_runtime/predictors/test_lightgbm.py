from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lastmile_runtime.manifest import Version
from tests.lastmile_runtime.predictors.calls import ask, matrix

pytestmark = pytest.mark.conformance

COLUMNS = [f"c{index}" for index in range(4)]
TABLE = np.random.default_rng(0).normal(size=(90, 4))
SUM = TABLE.sum(axis=1)
SETTINGS: dict[str, Any] = {"n_estimators": 5, "min_child_samples": 5, "verbose": -1}


def served(folder: Path, model: Any) -> Any:
    from lastmile_runtime.predictors.lightgbm import load

    path = folder / "model.txt"
    model.booster_.save_model(path)
    return load(str(path), Version("v1", "lightgbm", "models/v1/model.txt", columns=COLUMNS))


@pytest.mark.parametrize("classes", [2, 3])
def test_a_classifier_gives_what_its_own_wrapper_gives(tmp_path: Path, classes: int) -> None:
    from lightgbm import LGBMClassifier

    labels = np.digitize(SUM, np.quantile(SUM, np.arange(1, classes) / classes))
    model = LGBMClassifier(**SETTINGS).fit(TABLE, labels)
    answer = ask(served(tmp_path, model), matrix(TABLE.tolist()))
    assert answer["predict"] == ("INT64", [90], np.asarray(model.predict(TABLE)).tolist())
    assert answer["predict_proba"][:2] == ("FP64", [90, classes])
    np.testing.assert_allclose(
        answer["predict_proba"][2], np.asarray(model.predict_proba(TABLE)).ravel(), atol=1e-12
    )


def test_a_regressor_predicts(tmp_path: Path) -> None:
    from lightgbm import LGBMRegressor

    model = LGBMRegressor(**SETTINGS).fit(TABLE, SUM)
    answer = ask(served(tmp_path, model), matrix(TABLE.tolist()))
    assert answer == {"predict": ("FP64", [90], np.asarray(model.predict(TABLE)).tolist())}
