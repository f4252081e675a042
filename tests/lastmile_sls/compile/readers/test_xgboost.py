from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lastmile_sls.compile import readers
from lastmile_sls.compile.forest import CategorySplit, Forest
from lastmile_sls.compile.readers.xgboost import read_booster, read_model
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.compile.readers.agreement import check_estimator, check_file, margins, probes, refused

xgboost = pytest.importorskip("xgboost")

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(150, 4)).astype(np.float32)
X[:, 3] = RANDOM.integers(0, 12, 150)
HOLES = np.where(RANDOM.random(X.shape) < 0.2, np.nan, X)
Y = X[:, 0] + np.isin(X[:, 3], [1, 4, 5]) * 2
BINARY = (Y > 0.8).astype(int)
MANY = np.digitize(Y, [0, 1])
LABELS = {
    "binary:logistic": BINARY,
    "binary:logitraw": BINARY,
    "binary:hinge": BINARY,
    "multi:softprob": MANY,
    "multi:softmax": MANY,
    "reg:squarederror": Y,
    "reg:squaredlogerror": np.abs(Y),
    "reg:absoluteerror": Y,
    "reg:pseudohubererror": Y,
    "reg:quantileerror": Y,
    "reg:logistic": BINARY * 0.7,
    "count:poisson": MANY,
    "reg:gamma": np.abs(Y) + 0.1,
    "reg:tweedie": np.abs(Y),
    "survival:cox": np.abs(Y) + 0.1,
    "rank:pairwise": MANY,
    "rank:ndcg": MANY,
    "rank:map": BINARY,
}
SMALL = {"max_depth": 4, "nthread": 1, "seed": 0}
CATEGORICAL = ["float", "float", "float", "c"]


def train(rows: Any, labels: Any, rounds: int = 5, types: Any = None, **options: Any) -> Any:
    if options.get("objective", "").startswith("multi"):
        options.setdefault("num_class", 3)
    if options.get("objective") == "reg:quantileerror":
        options.setdefault("quantile_alpha", 0.6)
    data = xgboost.DMatrix(rows, labels, feature_types=types, enable_categorical=types is not None)
    if options.get("objective", "").startswith("rank"):
        data.set_group([50, 50, 50])
    return xgboost.train({**SMALL, **options}, data, rounds)


def check(booster: Any, folder: Path, suffix: str = "json") -> Forest:
    path = folder / f"model.{suffix}"
    booster.save_model(path)
    forest = check_file(path, "xgboost")
    probed = probes(forest, 1)
    best = booster.attr("best_iteration")
    with np.errstate(over="ignore"):
        values = probed.astype(np.float32)
    rounds = (0, int(best) + 1 if best else 0)
    raw = booster.inplace_predict(
        values, iteration_range=rounds, predict_type="margin", validate_features=False
    )
    np.testing.assert_array_equal(margins(forest, probed).astype(np.float32).squeeze(), raw)
    return forest


@pytest.mark.parametrize("rows", [X, HOLES], ids=["whole", "missing"])
@pytest.mark.parametrize("objective", LABELS)
def test_objectives(tmp_path: Path, objective: str, rows: Any) -> None:
    check(train(rows, LABELS[objective], objective=objective), tmp_path)


@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob"])
@pytest.mark.parametrize("types", [None, CATEGORICAL], ids=["numbers", "categories"])
def test_the_binary_format_says_the_same(tmp_path: Path, objective: str, types: Any) -> None:
    booster = train(HOLES, LABELS[objective], types=types, objective=objective)
    forest = check(booster, tmp_path, "ubj")
    assert forest == read_booster(booster)


@pytest.mark.parametrize("one_hot", [1, 100])
@pytest.mark.parametrize("rows", [X, HOLES], ids=["whole", "missing"])
def test_categories(tmp_path: Path, rows: Any, one_hot: int) -> None:
    forest = check(train(rows, Y, types=CATEGORICAL, max_cat_to_onehot=one_hot), tmp_path)
    assert any(isinstance(node, CategorySplit) for tree in forest.trees for node in tree.nodes)


@pytest.mark.parametrize("suffix", ["json", "ubj"])
def test_a_frame_with_categories_of_text(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame({"a": X[:, 0], "city": pd.Categorical([f"city {int(code)}" for code in X[:, 3]])})
    data = xgboost.DMatrix(frame, Y, enable_categorical=True)
    # It is served codes, as every model file is.
    assert check(xgboost.train(SMALL, data, 4), tmp_path, suffix).features == 2


@pytest.mark.parametrize(
    "objective", ["binary:logistic", "multi:softmax", "count:poisson", "reg:squarederror"]
)
def test_dart(tmp_path: Path, objective: str) -> None:
    options = {"booster": "dart", "rate_drop": 0.5, "one_drop": 1, "objective": objective}
    check(train(HOLES, LABELS[objective], 8, **options), tmp_path)


@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob"])
def test_forests(tmp_path: Path, objective: str) -> None:
    options = {"num_parallel_tree": 3, "subsample": 0.6, "colsample_bynode": 0.6, "objective": objective}
    check(train(X, LABELS[objective], 3, **options), tmp_path)


@pytest.mark.parametrize("base_score", [0.1, 0.5, 0.999, 1e-9])
@pytest.mark.parametrize("objective", ["binary:logistic", "reg:logistic", "binary:logitraw", "count:poisson"])
def test_base_scores(tmp_path: Path, objective: str, base_score: float) -> None:
    check(train(X, LABELS[objective], 2, objective=objective, base_score=base_score), tmp_path)


def test_labels_that_are_all_alike(tmp_path: Path) -> None:
    check(train(X, np.ones(len(X)), 2, objective="binary:logistic"), tmp_path)


def test_several_targets_and_quantiles(tmp_path: Path) -> None:
    assert check(train(X, np.column_stack([Y, -Y, Y * Y])), tmp_path).answers[0].columns == 3
    quantiles = train(X, Y, objective="reg:quantileerror", quantile_alpha=[0.1, 0.5])
    assert check(quantiles, tmp_path).answers[0].columns == 2


def test_the_best_iteration(tmp_path: Path) -> None:
    data, held = xgboost.DMatrix(X[:100], MANY[:100]), xgboost.DMatrix(X[100:], 2 - MANY[100:])
    options = {**SMALL, "objective": "multi:softprob", "num_class": 3, "num_parallel_tree": 2}
    booster = xgboost.train(
        options, data, 30, evals=[(held, "held")], early_stopping_rounds=3, verbose_eval=False
    )
    assert booster.num_boosted_rounds() > int(booster.attr("best_iteration")) + 1
    forest = check(booster, tmp_path)
    assert len(forest.trees) == 6 * (int(booster.attr("best_iteration")) + 1)


def test_trees_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    document = json.loads(train(X, MANY, 4, objective="multi:softprob").save_raw("json"))
    document["learner"]["gradient_booster"]["model"]["trees"].reverse()
    path = tmp_path / "reversed.json"
    path.write_text(json.dumps(document))
    assert check_file(path, "xgboost") == check(xgboost.Booster(model_file=path), tmp_path)


@pytest.mark.parametrize("margin", [0.0, 2e-8, 8.94e-8, 8.95e-8, 1.1e-7, 1.2e-7, 3e-7, -1e-7], ids=str)
def test_probabilities_next_to_a_half(tmp_path: Path, margin: float) -> None:
    booster = train(X, BINARY, 1, objective="binary:logistic", base_score=0.5, max_depth=1)
    document = json.loads(booster.save_raw("json"))
    tree = document["learner"]["gradient_booster"]["model"]["trees"][0]
    tree["split_conditions"][1:] = [margin, -margin]
    (tmp_path / "model.json").write_text(json.dumps(document))
    check_file(tmp_path / "model.json", "xgboost")


def test_thresholds_at_the_ends(tmp_path: Path) -> None:
    booster = train(X, Y, 1, max_depth=1)
    document = json.loads(booster.save_raw("json"))
    for end in (3.4028234663852886e38, -3.4028234663852886e38, 0.0, -0.0, 1e-45, -1e-45):
        document["learner"]["gradient_booster"]["model"]["trees"][0]["split_conditions"][0] = end
        (tmp_path / "model.json").write_text(json.dumps(document))
        check_file(tmp_path / "model.json", "xgboost")


def test_nothing_is_less_than_minus_infinity() -> None:
    document = json.loads(train(X, Y, 1, max_depth=1).save_raw("json"))
    tree = document["learner"]["gradient_booster"]["model"]["trees"][0]
    tree["split_conditions"][0], tree["default_left"][0] = -np.inf, 1
    forest = read_model(document)
    left, right = (node.values[0] for node in forest.trees[0].nodes[1:])  # type: ignore[union-attr]
    feature = forest.trees[0].nodes[0].feature  # type: ignore[union-attr]
    rows = np.zeros((4, 4))
    rows[:, feature] = [-np.inf, 0, np.inf, np.nan]
    forest.base = [0.0]
    assert margins(forest, rows).ravel().tolist() == [right, right, right, left]


@pytest.mark.parametrize("missing", [np.nan, -999.0, 0.0, 0.1])
def test_estimators_and_what_stands_for_missing(tmp_path: Path, missing: float) -> None:
    rows = np.where(np.isnan(HOLES), missing, HOLES)
    for estimator, labels in (
        (xgboost.XGBClassifier(n_estimators=4, n_jobs=1, missing=missing), BINARY),
        (xgboost.XGBClassifier(n_estimators=4, n_jobs=1, missing=missing), MANY),
        (xgboost.XGBClassifier(n_estimators=4, n_jobs=1, missing=missing, objective="multi:softmax"), MANY),
        (xgboost.XGBRegressor(n_estimators=4, n_jobs=1, missing=missing), Y),
        (xgboost.XGBRegressor(n_estimators=4, n_jobs=1, missing=missing, booster="dart", rate_drop=0.5), Y),
        (xgboost.XGBRFClassifier(n_estimators=4, n_jobs=1, missing=missing), BINARY),
        (xgboost.XGBRFRegressor(n_estimators=4, n_jobs=1, missing=missing), Y),
    ):
        check_estimator(estimator.fit(rows, labels), tmp_path)


def test_a_ranker_and_early_stopping(tmp_path: Path) -> None:
    check_estimator(xgboost.XGBRanker(n_estimators=4).fit(X, MANY, group=[50, 100]), tmp_path)
    stopped = xgboost.XGBClassifier(n_estimators=40, early_stopping_rounds=2)
    stopped.fit(X[:100], BINARY[:100], eval_set=[(X[100:], 1 - BINARY[100:])], verbose=False)
    assert len(check_estimator(stopped, tmp_path).trees) == stopped.best_iteration + 1


@pytest.mark.parametrize("objective", ["binary:logistic", "binary:hinge", "multi:softprob", "multi:softmax"])
def test_estimators_that_do_not_classify_give_what_the_objective_makes(
    tmp_path: Path, objective: str
) -> None:
    options = {"num_class": 3} if objective.startswith("multi") else {}
    model = xgboost.XGBRegressor(n_estimators=3, objective=objective, n_jobs=1, **options)
    check_estimator(model.fit(X, LABELS[objective]), tmp_path)


def changed(**learner: Any) -> Any:
    document = json.loads(train(X, Y, 1).save_raw("json"))
    document["learner"].update(learner)
    return document


def test_refusals(tmp_path: Path) -> None:
    old = changed() | {"version": [1, 7, 6]}
    refused("XGBoost version", lambda: read_model(old))
    refused("XGBoost objective", lambda: read_model(changed(objective={"name": "reg:expectileerror"})))
    linear = train(X, Y, booster="gblinear")
    refused("XGBoost booster", lambda: read_booster(linear))
    several = np.column_stack([Y, -Y])
    whole = train(X, several, multi_strategy="multi_output_tree", tree_method="hist")
    refused("XGBoost multi_strategy", lambda: read_booster(whole))
    targets = train(X, np.column_stack([BINARY, 1 - BINARY]), objective="binary:logistic")
    refused("XGBoost targets", lambda: read_booster(targets))
    for objective in ("binary:logitraw", "binary:hinge"):
        model = xgboost.XGBClassifier(n_estimators=2, objective=objective).fit(X, BINARY)
        refused("XGBClassifier objective", partial(readers.read_estimator, model))
    two = xgboost.XGBClassifier(n_estimators=2, objective="multi:softprob", num_class=2).fit(X, BINARY)
    refused("XGBClassifier objective", lambda: readers.read_estimator(two))


def test_leaves_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    document = changed()
    document["learner"]["gradient_booster"]["model"]["trees"][0]["split_conditions"][-1] = np.inf
    path = tmp_path / "model.json"
    path.write_text(json.dumps(document))
    refused("numbers", lambda: readers.read_file(path, "xgboost"))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"{}", b'{"learner": {}, "version": [3, 2, 0]}', b"{L\0\0\0\0\0\0\0\x07learnerZ}", b"\0\1"],
    ids=str,
)
def test_broken_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(content)
    with pytest.raises(LastmileError, match=r"model\.json is not a whole model"):
        readers.read_file(path, "xgboost")


def test_a_tree_that_is_none() -> None:
    document = changed()
    document["learner"]["gradient_booster"]["model"]["trees"][0]["right_children"][0] = 1
    with pytest.raises(ValueError, match="node 1 has two parents"):
        read_model(document)
    document["learner"]["gradient_booster"]["model"]["trees"][0]["right_children"][0] = -3
    with pytest.raises(IndexError, match="node -3"):
        read_model(document)


def test_every_cut_of_a_binary_file_is_refused(tmp_path: Path) -> None:
    content = bytes(train(X, Y, 1, max_depth=2).save_raw("ubj"))
    path = tmp_path / "model.ubj"
    for end in range(0, len(content) - 1, 37):
        path.write_bytes(content[:end])
        with pytest.raises(LastmileError):
            readers.read_file(path, "xgboost")
