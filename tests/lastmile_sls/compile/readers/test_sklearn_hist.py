from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from lastmile_sls.compile import readers
from lastmile_sls.compile.forest import CategorySplit, Split
from tests.lastmile_sls.compile.readers.agreement import check_estimator, margins, probes, refused

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(200, 4))
X[:, 2] = RANDOM.integers(0, 8, 200) * 3
X[:, 1] = RANDOM.integers(0, 5, 200)
HOLES = np.where(RANDOM.random(X.shape) < 0.15, np.nan, X)
Y = X[:, 0] + np.isin(X[:, 2], [0, 9, 12]) * 2 - (X[:, 1] == 3)
BINARY = np.where(Y > 0.5, "up", "down")
MANY = np.digitize(Y, [0, 1, 2])
SMALL = {"max_iter": 6, "max_leaf_nodes": 8, "min_samples_leaf": 2, "random_state": 0}


@pytest.mark.parametrize("rows", [X, HOLES], ids=["whole", "missing"])
@pytest.mark.parametrize("categorical", [None, [2], [1, 2]], ids=str)
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "quantile", "poisson", "gamma"])
def test_regression(tmp_path: Path, loss: str, categorical: Any, rows: Any) -> None:
    options = {"loss": loss, "categorical_features": categorical, **SMALL}
    model = HistGradientBoostingRegressor(quantile=0.7, **options).fit(rows, np.abs(Y) + 1)
    forest = check_estimator(model, tmp_path)
    probed = probes(forest, 1)
    np.testing.assert_array_equal(margins(forest, probed).ravel(), model._raw_predict(probed).ravel())
    kinds = {type(node) for tree in forest.trees for node in tree.nodes}
    assert (CategorySplit in kinds) == (categorical is not None)


@pytest.mark.parametrize("rows", [X, HOLES], ids=["whole", "missing"])
@pytest.mark.parametrize("categorical", [None, [1, 2]], ids=str)
@pytest.mark.parametrize("labels", [BINARY, MANY], ids=["binary", "many"])
def test_classification(tmp_path: Path, labels: Any, categorical: Any, rows: Any) -> None:
    model = HistGradientBoostingClassifier(categorical_features=categorical, **SMALL).fit(rows, labels)
    forest = check_estimator(model, tmp_path, outputs=("predict", "predict_proba", "decision_function"))
    probed = probes(forest, 1)
    np.testing.assert_array_equal(margins(forest, probed).squeeze(), model.decision_function(probed))


def test_one_class_only(tmp_path: Path) -> None:
    forest = check_estimator(HistGradientBoostingClassifier(**SMALL).fit(X, np.full(len(X), "up")), tmp_path)
    assert forest.answers[0].labels == ["up"]


def test_a_margin_of_zero_is_the_first_class(tmp_path: Path) -> None:
    model = HistGradientBoostingClassifier(**SMALL).fit(np.zeros((40, 2)), ["down", "up"] * 20)
    assert model.decision_function([[0.0, 0.0]]) == [0.0]
    check_estimator(model, tmp_path)


def test_constraints_and_early_stopping_do_not_matter(tmp_path: Path) -> None:
    model = HistGradientBoostingRegressor(
        monotonic_cst=[1, 0, 0, -1],
        interaction_cst="no_interactions",
        early_stopping=True,
        n_iter_no_change=1,
        **SMALL,
    )
    check_estimator(model.fit(X, Y), tmp_path)


def test_a_split_off_missing_values_has_an_infinite_threshold(tmp_path: Path) -> None:
    rows = X.copy()
    rows[:, 0] = np.where(RANDOM.random(200) < 0.5, np.nan, 1.0)
    model = HistGradientBoostingRegressor(**SMALL).fit(rows, np.isnan(rows[:, 0]) * 1.0)
    forest = check_estimator(model, tmp_path)
    splits = [node for tree in forest.trees for node in tree.nodes if isinstance(node, Split)]
    assert any(split.threshold == np.inf for split in splits)


def test_unseen_categories_go_as_missing_ones_do(tmp_path: Path) -> None:
    model = HistGradientBoostingRegressor(categorical_features=[1, 2], **SMALL).fit(HOLES, Y)
    forest = check_estimator(model, tmp_path)
    rows = np.repeat(HOLES[:20], 4, axis=0)
    rows[1::4, 2], rows[2::4, 2], rows[3::4, 2] = np.nan, 1.0, 10_000.5
    found = margins(forest, rows).reshape(20, 4)
    np.testing.assert_array_equal(found[:, 1], found[:, 2])
    np.testing.assert_array_equal(found[:, 1], found[:, 3])
    assert (found[:, 0] != found[:, 1]).any()


@pytest.mark.parametrize("value", [-1.0, 0.5, 2.0**24])
def test_refused_categories(value: float) -> None:
    rows = X.copy()
    rows[:50, 1] = value
    model = HistGradientBoostingRegressor(categorical_features=[1], **SMALL).fit(rows, Y)
    refused("HistGradientBoosting categories", lambda: readers.read_estimator(model))


def test_refused_categories_of_text() -> None:
    frame = pd.DataFrame({"a": X[:, 0], "city": pd.Categorical(np.where(X[:, 1] > 2, "Rom", "Ulm"))})
    model = HistGradientBoostingRegressor(categorical_features="from_dtype", **SMALL).fit(frame, Y)
    refused("HistGradientBoosting categories", lambda: readers.read_estimator(model))


def test_refused_losses() -> None:
    for model in (
        HistGradientBoostingRegressor(**SMALL).fit(X, Y),
        HistGradientBoostingClassifier(**SMALL).fit(X, MANY),
    ):
        model.loss = "another"
        refused("HistGradientBoosting loss", partial(readers.read_estimator, model))
