"""Random cases: a family that is read, its options, and the data to train it on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import numpy as np
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier, DummyRegressor

COLUMNS = ("normal", "float32", "few", "zeros", "integers", "large", "tiny", "constant")
NAMES = {
    "int": [3, 1, 7, 20],
    "str": ["no", "yes", "perhaps", "ä"],
    "bool": [False, True, False, True],
    "float": [0.0, 2.0, -1.0, 5.0],
}


@dataclass(frozen=True)
class Case:
    """A model to train: everything that makes it is here, so that a failing one can be read, and made again."""

    family: str
    seed: int
    rows: int
    columns: list[str]
    holes: float
    classes: int
    names: str
    options: dict[str, Any] = field(default_factory=dict)


def inputs(case: Case) -> Any:
    random = np.random.default_rng(case.seed)
    size = case.rows
    made: dict[str, Callable[[], Any]] = {
        "normal": lambda: random.normal(size=size),
        "float32": lambda: random.normal(size=size).astype(np.float32),
        "few": lambda: random.choice([-1.5, 0.1, 0.25, 3.0], size),
        "zeros": lambda: np.where(random.random(size) < 0.5, 0, random.normal(size=size)),
        "integers": lambda: random.integers(0, 20, size),
        "large": lambda: random.normal(size=size) * 1e30,
        "tiny": lambda: random.normal(size=size) * 1e-35,
        "constant": lambda: np.full(size, 2.5),
    }
    rows = np.column_stack([made[kind]() for kind in case.columns]).astype(np.float64)
    return np.where(random.random(rows.shape) < case.holes, np.nan, rows)


def targets(case: Case, rows: Any) -> Any:
    random = np.random.default_rng(case.seed + 1)
    ranks = np.argsort(np.argsort(np.nan_to_num(rows), axis=0), axis=0) / len(rows)
    return ranks @ random.normal(size=rows.shape[1]) + random.normal(size=len(rows)) * 0.1


def classes(case: Case, rows: Any) -> Any:
    """Class numbers from 0, none of them empty."""
    order = np.argsort(np.argsort(targets(case, rows)))
    return order * case.classes // len(rows)


def named(case: Case, rows: Any) -> Any:
    return np.array(NAMES[case.names])[classes(case, rows)]


SMALL = {"n_estimators": st.integers(1, 8), "max_depth": st.integers(1, 6), "random_state": st.just(0)}
TREE = {"max_depth": st.sampled_from([1, 3, 6, None]), "random_state": st.just(0)}
MIXED = {"max_features": st.sampled_from([None, 1, 0.5]), "min_samples_leaf": st.sampled_from([1, 4])}
SKLEARN: dict[str, dict[str, Any]] = {
    "DecisionTreeClassifier": {**TREE, **MIXED, "splitter": st.sampled_from(["best", "random"])},
    "DecisionTreeRegressor": {
        **TREE,
        **MIXED,
        "criterion": st.sampled_from(["squared_error", "absolute_error"]),
    },
    "ExtraTreeClassifier": {**TREE, **MIXED, "class_weight": st.sampled_from([None, "balanced"])},
    "ExtraTreeRegressor": {**TREE, **MIXED},
    "RandomForestClassifier": {**SMALL, **MIXED, "criterion": st.sampled_from(["gini", "entropy"])},
    "RandomForestRegressor": {**SMALL, **MIXED, "bootstrap": st.booleans()},
    "ExtraTreesClassifier": {**SMALL, **MIXED},
    "ExtraTreesRegressor": {**SMALL, **MIXED},
    "GradientBoostingClassifier": {
        **SMALL,
        "loss": st.sampled_from(["log_loss", "exponential"]),
        "learning_rate": st.floats(0.01, 1.5),
        "init": st.sampled_from([None, "zero", DummyClassifier(strategy="most_frequent")]),
        "subsample": st.sampled_from([0.5, 1.0]),
    },
    "GradientBoostingRegressor": {
        **SMALL,
        "loss": st.sampled_from(["squared_error", "absolute_error", "huber", "quantile"]),
        "learning_rate": st.floats(0.01, 1.5),
        "init": st.sampled_from([None, "zero", DummyRegressor(strategy="constant", constant=0.3)]),
    },
    "IsolationForest": {
        "n_estimators": st.integers(1, 20),
        "max_samples": st.sampled_from([1, 2, 16, "auto"]),
        "max_features": st.sampled_from([1.0, 0.5]),
        "contamination": st.sampled_from(["auto", 0.1, 0.3, 0.5]),
        "random_state": st.just(0),
    },
    "HistGradientBoostingClassifier": {
        "max_iter": st.integers(1, 6),
        "max_leaf_nodes": st.integers(2, 16),
        "min_samples_leaf": st.just(2),
        "learning_rate": st.floats(0.05, 1.5),
        "categorical_features": st.booleans(),
    },
    "HistGradientBoostingRegressor": {
        "max_iter": st.integers(1, 6),
        "max_leaf_nodes": st.integers(2, 16),
        "min_samples_leaf": st.just(2),
        "max_bins": st.sampled_from([32, 255]),
        "loss": st.sampled_from(["squared_error", "absolute_error", "poisson", "gamma", "quantile"]),
        "quantile": st.just(0.6),
        "categorical_features": st.booleans(),
    },
}
XGBOOST_OBJECTIVES = [
    "binary:logistic",
    "multi:softprob",
    "multi:softmax",
    "binary:hinge",
    "binary:logitraw",
    "reg:squarederror",
    "reg:logistic",
    "count:poisson",
    "reg:gamma",
    "reg:tweedie",
    "reg:absoluteerror",
    "rank:ndcg",
]
LIGHTGBM_OBJECTIVES = [
    "binary",
    "multiclass",
    "multiclassova",
    "regression",
    "regression_l1",
    "huber",
    "quantile",
    "poisson",
    "gamma",
    "tweedie",
    "mape",
    "cross_entropy",
    "lambdarank",
]
XGBOOST = {
    "objective": st.sampled_from(XGBOOST_OBJECTIVES),
    "booster": st.sampled_from(["gbtree", "gbtree", "dart"]),
    "tree_method": st.sampled_from(["hist", "exact", "approx"]),
    "max_depth": st.integers(1, 7),
    "eta": st.floats(0.05, 1.2),
    "num_parallel_tree": st.sampled_from([1, 1, 3]),
    "max_cat_to_onehot": st.sampled_from([1, 100]),
    "base_score": st.sampled_from([None, 0.1, 0.5, 0.77]),
    "rounds": st.integers(1, 8),
    "best": st.sampled_from([None, 0, 2]),
    "categorical": st.booleans(),
    "suffix": st.sampled_from(["json", "ubj"]),
}
LIGHTGBM = {
    "objective": st.sampled_from(LIGHTGBM_OBJECTIVES),
    "boosting": st.sampled_from(["gbdt", "gbdt", "dart", "rf"]),
    "num_leaves": st.integers(2, 20),
    "learning_rate": st.floats(0.05, 1.2),
    "zero_as_missing": st.booleans(),
    "use_missing": st.sampled_from([True, True, False]),
    "max_cat_to_onehot": st.sampled_from([1, 100]),
    "rounds": st.integers(1, 8),
    "categorical": st.booleans(),
}
WRAPPED = {
    "kind": st.sampled_from(["XGBClassifier", "XGBRegressor", "XGBRFClassifier", "XGBRFRegressor"]),
    "max_depth": st.integers(1, 6),
    "n_estimators": st.integers(1, 6),
    "missing": st.sampled_from([None, -999.0, 0.0, 2.5]),
}
LGBM_WRAPPED = {
    "kind": st.sampled_from(["LGBMClassifier", "LGBMRegressor"]),
    "num_leaves": st.integers(2, 12),
    "n_estimators": st.integers(1, 6),
}
OPTIONS = {
    **SKLEARN,
    **({"xgboost": XGBOOST, "xgboost estimator": WRAPPED} if find_spec("xgboost") else {}),
    **({"lightgbm": LIGHTGBM, "lightgbm estimator": LGBM_WRAPPED} if find_spec("lightgbm") else {}),
}
WEIGHTS = {"xgboost": 5, "lightgbm": 5, "xgboost estimator": 2}
FAMILIES = [family for family in OPTIONS for _ in range(WEIGHTS.get(family, 1))]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    family = draw(st.sampled_from(FAMILIES))
    return Case(
        family=family,
        seed=draw(st.integers(0, 10**6)),
        rows=draw(st.integers(20, 200)),
        columns=draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=6)),
        holes=draw(st.sampled_from([0.0, 0.0, 0.2])),
        classes=draw(st.integers(2, 4)),
        names=draw(st.sampled_from(list(NAMES))),
        options={name: draw(strategy) for name, strategy in OPTIONS[family].items()},
    )
