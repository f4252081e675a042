"""Pipelines and rows that hypothesis puts together, beside scikit-learn: the same answers, the same refusals."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sklearn import linear_model, preprocessing, svm
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline

from lastmile_sls.compile.not_carried import NotCarried
from tests.lastmile_sls.compile.pipelines import Pair

ROWS = 50
NUMBERS = st.one_of(
    st.floats(-5, 5),
    st.sampled_from([0.0, -0.0, 1.0, 2.0, 1e-320, 1e9, 1e150, -1e300, np.nan, np.inf, -np.inf]),
)
WHOLE = st.one_of(st.integers(-1, 6), st.sampled_from([2**53 + 1, -(2**63)]))
TEXTS = st.sampled_from(["red", "green", "blue", "", "unseen", "1.5"])

imputers = st.builds(
    SimpleImputer,
    strategy=st.sampled_from(["mean", "median", "most_frequent", "constant"]),
    add_indicator=st.booleans(),
    keep_empty_features=st.booleans(),
)
scalers = st.one_of(
    st.builds(preprocessing.StandardScaler, with_mean=st.booleans(), with_std=st.booleans()),
    st.builds(preprocessing.MinMaxScaler, feature_range=st.just((-1.0, 3.0)), clip=st.booleans()),
    st.builds(preprocessing.RobustScaler, with_centering=st.booleans(), with_scaling=st.booleans()),
    st.builds(preprocessing.MaxAbsScaler),
    st.builds(preprocessing.Normalizer, norm=st.sampled_from(["l1", "l2", "max"])),
    st.builds(preprocessing.Binarizer, threshold=st.floats(-1, 1)),
)
expanders = st.one_of(
    st.builds(
        preprocessing.PolynomialFeatures,
        degree=st.integers(1, 3),
        interaction_only=st.booleans(),
        include_bias=st.booleans(),
    ),
    st.builds(PCA, n_components=st.integers(1, 2), whiten=st.booleans(), svd_solver=st.just("full")),
    st.builds(SelectKBest, k=st.integers(1, 2)),
    st.just(FeatureUnion([("scaled", preprocessing.MaxAbsScaler()), ("both", PCA(1))])),
)
encoders = st.one_of(
    st.builds(
        preprocessing.OneHotEncoder,
        handle_unknown=st.sampled_from(["error", "ignore", "infrequent_if_exist"]),
        drop=st.sampled_from([None, "first", "if_binary"]),
        max_categories=st.sampled_from([None, 2, 3]),
        sparse_output=st.booleans(),
    ),
    st.builds(
        preprocessing.OrdinalEncoder,
        handle_unknown=st.just("use_encoded_value"),
        unknown_value=st.sampled_from([-1, np.nan]),
        encoded_missing_value=st.sampled_from([-3, np.nan]),
    ),
    st.builds(preprocessing.OrdinalEncoder),
)
finals = st.sampled_from(
    [
        linear_model.LogisticRegression(max_iter=50),
        linear_model.Ridge(),
        linear_model.SGDClassifier(loss="modified_huber", random_state=0),
        linear_model.RidgeClassifier(),
        linear_model.PoissonRegressor(max_iter=20),
        svm.LinearSVC(random_state=0),
        RandomForestClassifier(3, random_state=0),
        GradientBoostingRegressor(n_estimators=3),
        "passthrough",
    ]
)


@st.composite
def models(draw: st.DrawFn) -> tuple[Any, pd.DataFrame]:
    """An unfitted pipeline, and the table that it is to be fitted on."""
    random = np.random.default_rng(draw(st.integers(0, 9)))
    table = pd.DataFrame({"a": random.normal(size=ROWS), "b": random.normal(3, 100, ROWS)})
    table["whole"] = random.integers(0, 5, ROWS)
    table["colour"] = random.choice(["red", "green", "blue", ""], ROWS, p=[0.5, 0.2, 0.2, 0.1])
    if draw(st.booleans()):
        table.loc[random.random(ROWS) < 0.2, "a"] = np.nan
    chain = [draw(strategy) for strategy in (imputers, scalers, expanders, scalers) if draw(st.booleans())]
    numbers = make_pipeline(*chain, "passthrough") if chain else "passthrough"
    parts = [("numbers", numbers, ["a", "b"])]
    if draw(st.booleans()):
        parts.append(
            (
                "codes",
                draw(encoders),
                draw(st.sampled_from([["colour"], ["colour", "whole"], ["whole", "b"]])),
            )
        )
    rest = draw(st.sampled_from(["drop", "drop", preprocessing.OrdinalEncoder()]))
    columns = ColumnTransformer(parts, remainder=rest, sparse_threshold=draw(st.sampled_from([0, 1.0])))
    after = [draw(scalers)] if draw(st.integers(0, 3)) == 0 else []
    return make_pipeline(columns, *after, draw(finals)), table


@st.composite
def requests(draw: st.DrawFn) -> pd.DataFrame:
    count = draw(st.integers(1, 6))
    return pd.DataFrame(
        {
            "a": draw(st.lists(NUMBERS, min_size=count, max_size=count)),
            "b": draw(st.lists(NUMBERS, min_size=count, max_size=count)),
            "whole": draw(st.lists(WHOLE, min_size=count, max_size=count)),
            "colour": draw(st.lists(TEXTS, min_size=count, max_size=count)),
        }
    )


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(models(), requests(), st.integers(2, 4))
def test_random_pipelines(made: tuple[Any, pd.DataFrame], rows: pd.DataFrame, classes: int) -> None:
    check_pipeline(made, rows, classes)


def check_pipeline(made: tuple[Any, pd.DataFrame], rows: pd.DataFrame, classes: int) -> None:
    """Fit a pipeline, compile it, and compare its answers to rows, and to two that it was fitted on."""
    model, table = made
    labels = np.digitize(np.nan_to_num(table["a"]) + table["whole"], [1, 2, 3][: classes - 1])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            model.fit(table, labels)
        except (TypeError, ValueError):
            assume(False)  # missing values or a sparse matrix that a step does not take, or none of a class
    names = [
        name
        for name in ("predict", "predict_proba", "decision_function", "transform")
        if hasattr(model, name) and not (name == "decision_function" and hasattr(model[-1], "estimators_"))
    ]
    with tempfile.TemporaryDirectory() as folder:
        if not _is_carried(model):
            with pytest.raises(NotCarried, match="transform is a column as it was sent"):
                Pair(model, Path(folder), table, names)
            return
        pair = Pair(model, Path(folder), table, names)
        pair.check(pd.concat([rows, table.head(2)], ignore_index=True).astype({"whole": int}))


def _is_carried(model: Any) -> bool:
    """A transformer with a column as it was sent is the one thing here that is refused."""
    columns, *others = [step for _, step in model.steps if step != "passthrough"]
    if others or model.steps[-1][1] != "passthrough":
        return True
    numbers = columns.transformers[0][1]
    steps = [numbers] if numbers == "passthrough" else [step for _, step in numbers.steps]
    return not all(_keeps_types(step) for step in steps)


def _keeps_types(step: Any) -> bool:
    if isinstance(step, SimpleImputer):
        return step.strategy in ("most_frequent", "constant")
    return step == "passthrough" or isinstance(step, SelectKBest)
