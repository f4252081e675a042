from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lastmile_sls.compile import readers
from lastmile_sls.compile.forest import CategorySplit, Forest, Split
from lastmile_sls.compile.readers.lightgbm import read_booster, read_text
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.compile.readers.agreement import check_estimator, check_file, margins, probes, refused

lightgbm = pytest.importorskip("lightgbm")

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(200, 4))
X[:, 2] = np.where(RANDOM.random(200) < 0.4, 0, X[:, 2])
X[:, 3] = RANDOM.integers(0, 40, 200)
HOLES = np.where(RANDOM.random(X.shape) < 0.2, np.nan, X)
Y = X[:, 0] + np.isin(X[:, 3], [1, 4, 5, 33, 38]) * 2 + (X[:, 2] == 0)
BINARY = (Y > 0.8).astype(int)
MANY = np.digitize(Y, [0, 1])
LABELS = {
    "binary": BINARY,
    "multiclass": MANY,
    "multiclassova": MANY,
    "regression": Y,
    "regression_l1": Y,
    "huber": Y,
    "fair": Y,
    "quantile": Y,
    "mape": np.abs(Y) + 1,
    "poisson": MANY,
    "gamma": np.abs(Y) + 0.1,
    "tweedie": np.abs(Y),
    "cross_entropy": BINARY * 0.7,
    "lambdarank": MANY,
    "rank_xendcg": MANY,
}
SMALL = {"num_leaves": 8, "min_data_in_leaf": 2, "num_threads": 1, "verbose": -1, "seed": 0}
CATEGORIES = {"cat_smooth": 0, "min_data_per_group": 1, "cat_l2": 0}


def train(rows: Any, labels: Any, rounds: int = 5, categorical: Any = "auto", **options: Any) -> Any:
    objective = options.get("objective")
    if objective in ("multiclass", "multiclassova"):
        options["num_class"] = 3
    group = [100, 100] if objective in ("lambdarank", "rank_xendcg") else None
    data = lightgbm.Dataset(rows, labels, group=group, categorical_feature=categorical)
    return lightgbm.train({**SMALL, **options}, data, rounds)


def check(booster: Any, folder: Path) -> Forest:
    path = folder / "model.txt"
    booster.save_model(path)
    forest = check_file(path, "lightgbm")
    if forest.divide == 1:
        probed = probes(forest, 1)
        raw = booster.predict(probed, raw_score=True)
        np.testing.assert_array_equal(margins(forest, probed).squeeze(), raw)
    return forest


@pytest.mark.parametrize("rows", [X, HOLES], ids=["whole", "missing"])
@pytest.mark.parametrize("objective", LABELS)
def test_objectives(tmp_path: Path, objective: str, rows: Any) -> None:
    check(train(rows, LABELS[objective], objective=objective), tmp_path)


@pytest.mark.parametrize("rows", [X, HOLES], ids=["whole", "missing"])
@pytest.mark.parametrize(
    ("options", "missing"),
    [({}, ["none", "nan"]), ({"zero_as_missing": True}, ["zero"]), ({"use_missing": False}, ["none"])],
    ids=str,
)
def test_what_is_missing(tmp_path: Path, options: dict[str, Any], missing: list[str], rows: Any) -> None:
    forest = check(train(rows, Y, **options), tmp_path)
    found = {node.missing for tree in forest.trees for node in tree.nodes if isinstance(node, Split)}
    assert found
    assert found <= set(missing)


@pytest.mark.parametrize("rows", [X, HOLES], ids=["whole", "missing"])
@pytest.mark.parametrize("objective", ["regression", "binary", "multiclass"])
@pytest.mark.parametrize("one_hot", [1, 100])
def test_categories(tmp_path: Path, objective: str, rows: Any, one_hot: int) -> None:
    options: dict[str, Any] = {**CATEGORIES, "max_cat_to_onehot": one_hot, "objective": objective}
    forest = check(train(rows, LABELS[objective], categorical=[3], **options), tmp_path)
    sets = [
        node.categories for tree in forest.trees for node in tree.nodes if isinstance(node, CategorySplit)
    ]
    assert sets
    assert one_hot == 100 or max(map(max, sets)) > 32


def test_a_frame_with_categories_of_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": X[:, 0], "city": pd.Categorical([f"city={int(code)}" for code in X[:, 3]])})
    # It is served codes, as every model file is.
    assert check(train(frame, Y, **CATEGORIES), tmp_path).features == 2


@pytest.mark.parametrize("objective", ["regression", "binary", "multiclass", "multiclassova", "poisson"])
@pytest.mark.parametrize("boosting", ["rf", "dart", "goss"])
def test_boosting(tmp_path: Path, objective: str, boosting: str) -> None:
    options = {"boosting": boosting, "drop_rate": 0.5, "objective": objective}
    if boosting == "rf":
        options |= {"bagging_freq": 1, "bagging_fraction": 0.6}
    forest = check(train(HOLES, LABELS[objective], 6, **options), tmp_path)
    assert forest.divide == (6 if boosting == "rf" else 1)


@pytest.mark.parametrize("objective", ["binary", "multiclassova"])
def test_the_slope_of_the_sigmoid(tmp_path: Path, objective: str) -> None:
    assert check(train(X, LABELS[objective], objective=objective, sigmoid=1.7), tmp_path).scale == 1.7


def test_an_objective_of_the_callers_own(tmp_path: Path) -> None:
    booster = train(X, Y, objective=lambda scores, data: (scores - data.get_label(), np.ones_like(scores)))
    check(booster, tmp_path)


def test_nothing_to_split(tmp_path: Path) -> None:
    check(train(X[:3], Y[:3]), tmp_path)


def test_the_best_iteration(tmp_path: Path) -> None:
    data, held = lightgbm.Dataset(X[:100], BINARY[:100]), lightgbm.Dataset(X[100:], 1 - BINARY[100:])
    options = {**SMALL, "objective": "binary"}
    stop = lightgbm.early_stopping(2, verbose=False)
    booster = lightgbm.train(
        options, data, 30, valid_sets=[held], callbacks=[stop], keep_training_booster=True
    )
    assert 0 < booster.best_iteration < booster.num_trees()
    assert len(check(booster, tmp_path).trees) == booster.best_iteration
    assert len(read_booster(booster).trees) == booster.best_iteration


@pytest.mark.parametrize(
    "threshold", [0.0, -0.0, 1e-36, -1e-36, 1e-35, -1e-35, float(np.float32(-1e-35)), -2e-35]
)
@pytest.mark.parametrize("missing", [0, 4, 8])
def test_thresholds_next_to_zero(tmp_path: Path, threshold: float, missing: int) -> None:
    text = train(X, Y, 1, num_leaves=2).model_to_string()
    lines = []
    for line in text.splitlines():
        name = line.partition("=")[0]
        changes = {"threshold": f"threshold={threshold!r}", "decision_type": f"decision_type={2 + missing}"}
        if name != "tree_sizes":  # without them, it is read line by line
            lines.append(changes.get(name, line))
    path = tmp_path / "model.txt"
    path.write_text("\n".join(lines))
    forest = check_file(path, "lightgbm")
    edge = float(np.float32(1e-35))
    near = [0.0, edge, np.nextafter(edge, 1), np.nextafter(edge, 0), 1e-36, 5e-324, threshold]
    rows = np.repeat([[*near, *(-value for value in near), np.nan]], 4, axis=0).T
    raw = lightgbm.Booster(model_file=path).predict(rows, raw_score=True)
    np.testing.assert_array_equal(margins(forest, rows).ravel(), raw)


@pytest.mark.parametrize(
    "names", [np.array(["no", "yes", "so"]), np.array([3, 5, 4]), np.array([0.0, -1.0, 9.0])], ids=str
)
def test_estimators(tmp_path: Path, names: Any) -> None:
    for estimator, labels in (
        (lightgbm.LGBMClassifier, names[BINARY]),
        (lightgbm.LGBMClassifier, names[MANY]),
        (lightgbm.LGBMRegressor, Y),
    ):
        model = estimator(n_estimators=4, num_leaves=6, verbose=-1, n_jobs=1).fit(X, labels)
        check_estimator(model, tmp_path)


def test_a_ranker_and_early_stopping(tmp_path: Path) -> None:
    ranker = lightgbm.LGBMRanker(n_estimators=4, num_leaves=6, verbose=-1, n_jobs=1)
    check_estimator(ranker.fit(X, MANY, group=[100, 100]), tmp_path)
    stopped = lightgbm.LGBMRegressor(n_estimators=40, num_leaves=6, verbose=-1, n_jobs=1)
    stop = lightgbm.early_stopping(2, verbose=False)
    stopped.fit(X[:100], Y[:100], eval_X=(X[100:],), eval_y=(-Y[100:],), callbacks=[stop])
    assert len(check_estimator(stopped, tmp_path).trees) == stopped.best_iteration_


@pytest.mark.parametrize("objective", ["binary", "multiclass", "multiclassova", "poisson"])
def test_estimators_that_do_not_classify_give_what_the_objective_makes(
    tmp_path: Path, objective: str
) -> None:
    options = {"num_class": 3} if objective.startswith("multi") else {}
    model = lightgbm.LGBMRegressor(n_estimators=3, objective=objective, n_jobs=1, verbose=-1, **options)
    check_estimator(model.fit(X, LABELS[objective]), tmp_path)


def test_refusals() -> None:
    linear = train(X, Y, linear_tree=True)
    refused("LightGBM linear_tree", lambda: read_booster(linear))
    for options in ({"reg_sqrt": True}, {"objective": "cross_entropy_lambda"}):
        booster = train(X, np.clip(np.abs(Y), 0, 1), **options)
        refused("LightGBM objective", partial(read_booster, booster))
    rows = X.copy()
    rows[:, 3] += 2**24 - 20
    large = train(rows, Y, categorical=[3], **CATEGORIES)
    refused("LightGBM categories", lambda: read_booster(large))
    early = lightgbm.LGBMRegressor(n_estimators=2, verbose=-1, pred_early_stop=True).fit(X, Y)
    refused("LightGBM pred_early_stop", lambda: readers.read_estimator(early))
    own = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1, objective=lambda y, p: (p - y, np.ones_like(p)))
    own.fit(X, BINARY)
    refused("LGBMClassifier objective", lambda: readers.read_estimator(own))


def test_broken_files(tmp_path: Path) -> None:
    path = tmp_path / "model.txt"
    text = train(X, Y, 2).model_to_string()
    cut = text[: text.index("leaf_value")]
    fewer = text.replace("num_leaves=8", "num_leaves=7", 1)
    loop = text.replace("left_child=", "left_child=0 ", 1)
    for content in ("", "tree\n", cut, fewer, loop, text.replace("end of trees", "end")):
        path.write_text(content)
        with pytest.raises(LastmileError, match=r"model\.txt is not a whole model"):
            readers.read_file(path, "lightgbm")


def test_trees_that_are_no_whole_iterations() -> None:
    text = train(X, MANY, 1, objective="multiclass").model_to_string()
    with pytest.raises(ValueError, match="it has 2 trees, but 3 in each iteration"):
        read_text(text.replace("Tree=2", "end of trees"))


def test_other_frameworks_have_no_files(tmp_path: Path) -> None:
    with pytest.raises(
        LastmileError, match="framework is 'onnx', but files are read of xgboost and lightgbm only"
    ):
        readers.read_file(tmp_path / "model.onnx", "onnx")
