from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from lastmile_runtime import forest_python
from lastmile_sls.compile import readers
from lastmile_sls.compile.forest_file import render
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.compile.readers.agreement import check_estimator, margins, probes, refused

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(120, 4)).astype(np.float32)
Y = X[:, 0] * 2 + np.sin(X[:, 1])
BINARY = (Y > 0).astype(int)
MANY = np.digitize(Y, [-1, 0, 1])
HOLES = np.where(RANDOM.random(X.shape) < 0.2, np.nan, X)
SMALL = {"n_estimators": 7, "max_depth": 4, "random_state": 0}


@pytest.mark.parametrize("rows", [X, HOLES], ids=["whole", "missing"])
@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeClassifier(max_depth=5),
        ExtraTreeClassifier(max_depth=5, random_state=1),
        RandomForestClassifier(**SMALL),
        ExtraTreesClassifier(**SMALL),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
@pytest.mark.parametrize("labels", [BINARY, MANY], ids=["binary", "many"])
def test_classifiers(tmp_path: Path, estimator: Any, rows: Any, labels: Any) -> None:
    forest = check_estimator(estimator.fit(rows, labels), tmp_path)
    probed = probes(forest, 1)
    # The mean of the leaves, added in the order of the trees: the same bits.
    np.testing.assert_array_equal(margins(forest, probed), estimator.predict_proba(probed))


@pytest.mark.parametrize("targets", [Y, np.column_stack([Y, -Y, Y * Y])], ids=["one", "three"])
@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeRegressor(max_depth=5),
        ExtraTreeRegressor(max_depth=5, random_state=1),
        RandomForestRegressor(**SMALL),
        ExtraTreesRegressor(**SMALL),
        RandomForestRegressor(criterion="absolute_error", max_features=2, **SMALL),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_regressors(tmp_path: Path, estimator: Any, targets: Any) -> None:
    forest = check_estimator(estimator.fit(X, targets), tmp_path)
    probed = probes(forest, 1)
    np.testing.assert_array_equal(margins(forest, probed).squeeze(), estimator.predict(probed))


def test_constraints_do_not_matter(tmp_path: Path) -> None:
    model = RandomForestRegressor(**SMALL, max_leaf_nodes=6, monotonic_cst=[1, 0, 0, -1])
    check_estimator(model.fit(X, Y), tmp_path)


@pytest.mark.parametrize(
    ("labels", "datatype"),
    [
        (np.array(["no", "yes"]), "BYTES"),
        (np.array(["no", "yes"], dtype=object), "BYTES"),
        (np.array([False, True]), "BOOL"),
        (np.array([-3, 700], dtype=np.int16), "INT16"),
        (np.array([1, 2], dtype=np.uint8), "UINT8"),
        (np.array([0.0, 2.0]), "FP64"),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [RandomForestClassifier, GradientBoostingClassifier])
def test_classes_of_any_kind(tmp_path: Path, kind: Any, labels: Any, datatype: str) -> None:
    forest = check_estimator(kind(**SMALL).fit(X, labels[BINARY]), tmp_path)
    assert forest.answers[0].datatype == datatype
    assert forest.answers[0].labels == labels.tolist()


def test_one_class_only(tmp_path: Path) -> None:
    forest = check_estimator(DecisionTreeClassifier().fit(X, np.full(len(X), 3)), tmp_path)
    assert [node.values for tree in forest.trees for node in tree.nodes] == [[1.0]]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "options", [{}, {"loss": "exponential"}, {"init": "zero"}, {"subsample": 0.5}], ids=str
)
def test_boosting_two_classes(tmp_path: Path, options: dict[str, Any]) -> None:
    model = GradientBoostingClassifier(**SMALL, **options).fit(X, BINARY)
    forest = check_estimator(model, tmp_path, outputs=("predict_proba", "decision_function", "predict"))
    probed = probes(forest, 1)
    np.testing.assert_array_equal(margins(forest, probed).ravel(), model.decision_function(probed))


@pytest.mark.parametrize(
    "options", [{}, {"init": "zero"}, {"init": DummyClassifier(strategy="prior")}], ids=str
)
def test_boosting_many_classes(tmp_path: Path, options: dict[str, Any]) -> None:
    model = GradientBoostingClassifier(**SMALL, **options).fit(X, MANY)
    forest = check_estimator(model, tmp_path, outputs=("predict", "predict_proba", "decision_function"))
    probed = probes(forest, 1)
    np.testing.assert_array_equal(margins(forest, probed), model.decision_function(probed))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"loss": "huber"},
        {"loss": "quantile", "alpha": 0.8},
        {"loss": "absolute_error"},
        {"init": "zero"},
        {"init": DummyRegressor(strategy="quantile", quantile=0.25)},
        {"n_iter_no_change": 1, "tol": 0.1},
    ],
    ids=str,
)
def test_boosting_regression(tmp_path: Path, options: dict[str, Any]) -> None:
    model = GradientBoostingRegressor(**SMALL, **options).fit(X, Y)
    forest = check_estimator(model, tmp_path)
    probed = probes(forest, 1)
    np.testing.assert_array_equal(margins(forest, probed).ravel(), model.predict(probed))


ISOLATION = ("predict", "score_samples", "decision_function")


@pytest.mark.parametrize("rows", [X, HOLES], ids=["whole", "missing"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"contamination": 0.1},
        {"max_features": 0.5, "contamination": 0.3},
        {"max_samples": 1},
        {"bootstrap": True},
    ],
    ids=str,
)
def test_isolation(tmp_path: Path, options: dict[str, Any], rows: Any) -> None:
    model = IsolationForest(n_estimators=20, random_state=0, **options).fit(rows)
    check_estimator(model, tmp_path, outputs=ISOLATION)
    assert [answer.name for answer in readers.read_estimator(model).answers] == ["predict"]


@pytest.mark.parametrize("seed", [1, 2, 6, 14, 15, 16])
def test_rows_on_the_edge_of_an_isolation_forest_keep_their_side(seed: int) -> None:
    # Forests for which -log2(-offset) would be another quotient than the one that these rows have.
    grid = np.tile(np.arange(8.0), (3, 5)).T + np.arange(3)
    model = IsolationForest(n_estimators=10, contamination=0.3, random_state=seed).fit(grid)
    assert (model.decision_function(grid) == 0).any()
    forest = readers.read_estimator(model)
    found = np.where(margins(forest, grid).ravel() >= forest.answers[0].threshold, 1, -1)
    np.testing.assert_array_equal(found, model.predict(grid))


def test_a_margin_of_zero_is_the_second_class(tmp_path: Path) -> None:
    model = GradientBoostingClassifier(init="zero", **SMALL).fit(np.zeros((40, 2)), [0, 1] * 20)
    assert model.decision_function([[0.0, 0.0]]) == [0.0]
    check_estimator(model, tmp_path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39, 3e38], ids=str)
@pytest.mark.parametrize(
    "model",
    [
        GradientBoostingRegressor(**SMALL),
        RandomForestRegressor(**SMALL),
        ExtraTreeRegressor(),
        IsolationForest(n_estimators=3),
        HistGradientBoostingRegressor(max_iter=3),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_what_scikit_learn_does_not_accept_is_refused(model: Any, value: float) -> None:
    forest = forest_python.load(render(readers.read_estimator(model.fit(X, Y))))
    rows = np.array([[0.0, value, 0.0, 0.0]])
    assert outcome(lambda: forest.evaluate(rows.tolist())) == outcome(lambda: model.predict(rows))


def outcome(call: Callable[[], Any]) -> str:
    try:
        call()
    except ValueError:
        return "refused"
    return "answered"


@pytest.mark.filterwarnings("error")
def test_columns_with_names_are_read_by_their_places() -> None:
    frame = pd.DataFrame(X, columns=list("abcd"))
    for kind in (RandomForestClassifier, GradientBoostingClassifier):
        assert readers.read_estimator(kind(**SMALL).fit(frame, BINARY)) == readers.read_estimator(
            kind(**SMALL).fit(X, BINARY)
        )


class Derived(RandomForestRegressor):  # type: ignore[misc]
    pass


def test_refusals() -> None:
    pipeline = make_pipeline(StandardScaler(), RandomForestRegressor(**SMALL)).fit(X, Y)
    for other in (pipeline, Derived(**SMALL).fit(X, Y), LogisticRegression().fit(X, BINARY), object()):
        refused("estimator", partial(readers.read_estimator, other))
    forest = RandomForestClassifier(**SMALL).fit(X, BINARY)
    refused("output", lambda: readers.read_estimator(forest, ["decision_function"]))
    several = RandomForestClassifier(**SMALL).fit(X, np.column_stack([BINARY, MANY]))
    refused("classifier with several outputs", lambda: readers.read_estimator(several))
    for init in (LogisticRegression(), DummyClassifier(strategy="stratified")):
        boosting = GradientBoostingClassifier(init=init, **SMALL).fit(X, BINARY)
        refused("GradientBoosting init", partial(readers.read_estimator, boosting))
    odd = GradientBoostingRegressor(**SMALL).fit(X, Y)
    odd.loss = object()
    refused("GradientBoosting loss", lambda: readers.read_estimator(odd))
    boosting = GradientBoostingClassifier(**SMALL).fit(X, BINARY)
    boosting.loss = "deviance"
    refused("GradientBoosting loss", lambda: readers.read_estimator(boosting))


def test_leaves_that_are_not_finite_are_refused() -> None:
    model = DecisionTreeRegressor(max_depth=1).fit(X, Y)
    model.tree_.value[1] = np.inf
    refused("numbers", lambda: readers.read_estimator(model))


def test_an_estimator_that_was_not_fitted_is_no_whole_model() -> None:
    with pytest.raises(LastmileError, match=r"RandomForestRegressor is not a whole model: AttributeError"):
        readers.read_estimator(RandomForestRegressor())
