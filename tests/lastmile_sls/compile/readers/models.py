"""Trains the model that a case describes, compiles it and compares."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import ensemble, tree

from tests.lastmile_sls.compile.readers.agreement import check_estimator, check_file
from tests.lastmile_sls.compile.readers.cases import Case, classes, inputs, named, targets


def check(case: Case, folder: Path) -> None:
    """Train the model, compile it and compare."""
    rows = inputs(case)
    with np.errstate(all="ignore"):
        _CHECKS.get(case.family, check_sklearn)(case, rows, folder)


def check_sklearn(case: Case, rows: Any, folder: Path) -> None:
    options, family = dict(case.options), case.family
    rows = rows if family.startswith("Hist") or family == "IsolationForest" else rows.astype(np.float32)
    if family.startswith("Gradient"):
        rows = np.nan_to_num(rows)
    labels: Any = targets(case, rows)
    outputs: tuple[str, ...] = ("predict",)
    if family.endswith("Classifier"):
        binary = case.names == "bool" or options.get("loss") == "exponential"
        case = Case(**{**vars(case), "classes": 2}) if binary else case
        labels, outputs = named(case, rows), ("predict", "predict_proba")
        outputs += ("decision_function",) if "Boosting" in family else ()
    elif family == "IsolationForest":
        outputs = ("predict", "score_samples", "decision_function")
    elif options.get("loss") in ("poisson", "gamma"):
        labels = np.abs(labels) + 0.1
    elif "Boosting" not in family and case.classes > 2:
        labels = np.column_stack([labels * power for power in range(1, case.classes)])
    if options.pop("categorical_features", False):
        options["categorical_features"] = [kind == "integers" for kind in case.columns]
    kind = getattr(tree, family, None) or getattr(ensemble, family)
    check_estimator(kind(**options).fit(rows, labels), folder, seed=case.seed, outputs=outputs)


def check_xgboost(case: Case, rows: Any, folder: Path) -> None:
    import xgboost

    options = {name: value for name, value in case.options.items() if value is not None}
    rounds, best, suffix = options.pop("rounds"), options.pop("best", None), options.pop("suffix")
    objective = options["objective"]
    labels: Any = classes(case, rows)
    if objective.startswith("multi"):
        options["num_class"] = case.classes
        options.pop("base_score", None)
    elif objective.startswith("binary"):
        labels = labels % 2
    elif objective == "reg:logistic":
        labels = labels / case.classes
    elif objective == "reg:squarederror" and case.classes > 2:
        labels = np.column_stack([targets(case, rows) * power for power in range(1, case.classes)])
    elif objective.startswith("reg"):
        labels = np.abs(targets(case, rows)) + 0.1
    types = None
    if options.pop("categorical"):
        types = ["c" if kind == "integers" else "float" for kind in case.columns]
        options["tree_method"] = "hist"
    data = xgboost.DMatrix(rows.astype(np.float32), labels, feature_types=types, enable_categorical=True)
    if objective.startswith("rank"):
        data.set_group([len(rows)])
    booster = xgboost.train({**options, "nthread": 1, "rate_drop": 0.5, "verbosity": 0}, data, rounds)
    if best is not None and best < rounds:
        booster.set_attr(best_iteration=str(best))
    path = folder / f"model.{suffix}"
    booster.save_model(path)
    check_file(path, "xgboost", seed=case.seed)


def check_xgboost_estimator(case: Case, rows: Any, folder: Path) -> None:
    import xgboost

    options = dict(case.options)
    kind, missing = options.pop("kind"), options.pop("missing")
    if missing is not None:
        options["missing"] = missing
        rows = np.where(np.isnan(rows), missing, rows)
    labels = classes(case, rows) if kind.endswith("Classifier") else targets(case, rows)
    estimator = getattr(xgboost, kind)(**options, n_jobs=1).fit(rows, labels)
    check_estimator(estimator, folder, seed=case.seed)


def check_lightgbm(case: Case, rows: Any, folder: Path) -> None:
    import lightgbm

    options = dict(case.options)
    rounds, objective = options.pop("rounds"), options["objective"]
    labels: Any = classes(case, rows)
    if objective.startswith("multiclass"):
        options["num_class"] = case.classes
    elif objective == "binary":
        labels = labels % 2
    elif objective == "cross_entropy":
        labels = labels / case.classes
    elif objective != "lambdarank":
        labels = np.abs(targets(case, rows)) + 0.1
    categorical: Any = "auto"
    if options.pop("categorical"):
        categorical = [index for index, kind in enumerate(case.columns) if kind == "integers"]
    if options["boosting"] == "rf":
        options |= {"bagging_freq": 1, "bagging_fraction": 0.6}
    fixed = {
        "min_data_in_leaf": 2,
        "min_data_in_bin": 1,
        "cat_smooth": 0,
        "cat_l2": 0,
        "min_data_per_group": 1,
    }
    group = [len(rows)] if objective == "lambdarank" else None
    data = lightgbm.Dataset(rows, labels, group=group, categorical_feature=categorical)
    booster = lightgbm.train({**options, **fixed, "num_threads": 1, "verbose": -1}, data, rounds)
    path = folder / "model.txt"
    booster.save_model(path)
    check_file(path, "lightgbm", seed=case.seed)


def check_lightgbm_estimator(case: Case, rows: Any, folder: Path) -> None:
    import lightgbm

    options = dict(case.options)
    kind = options.pop("kind")
    case = Case(**{**vars(case), "classes": 2}) if case.names == "bool" else case
    labels = named(case, rows) if kind.endswith("Classifier") else targets(case, rows)
    estimator = getattr(lightgbm, kind)(**options, min_child_samples=2, n_jobs=1, verbose=-1).fit(
        rows, labels
    )
    check_estimator(estimator, folder, seed=case.seed)


_CHECKS: dict[str, Callable[[Case, Any, Path], None]] = {
    "xgboost": check_xgboost,
    "xgboost estimator": check_xgboost_estimator,
    "lightgbm": check_lightgbm,
    "lightgbm estimator": check_lightgbm_estimator,
}
