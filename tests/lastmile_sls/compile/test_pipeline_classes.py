"""Every class that is carried, with its options, beside scikit-learn itself."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import linear_model, svm
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import RFE, SelectFromModel, SelectKBest, VarianceThreshold, f_classif
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)

from tests.lastmile_sls.compile.pipelines import Pair

warnings.simplefilter("ignore")
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 4)) * [1, 100, 0.01, 1] + [0, 1e4, 0, 0]
X[:, 3] = RANDOM.integers(0, 3, 60)
Y = X[:, 0] + X[:, 3]
BINARY = (Y > 1).astype(int)
MANY = np.digitize(Y, [0, 1, 2])
EXTREMES = [0.0, -0.0, 1e-320, -1e300, 1.7e308, 1e9, np.nan, np.inf, -np.inf, 1.0]
PROBES = np.vstack(
    [X[:8], *(np.where(np.arange(4) == place, value, X[9]) for place in range(4) for value in EXTREMES)]
)
TABLE = pd.DataFrame(
    {
        "age": X[:, 0],
        "plan": RANDOM.choice(["gold", "free", "trial"], 60, p=[0.5, 0.4, 0.1]),
        "city": RANDOM.choice(["a", "b", "c", "d", ""], 60),
        "visits": RANDOM.integers(0, 3, 60),
        "known": RANDOM.integers(0, 2, 60).astype(bool),
    }
)
LABELS = {
    "numbers": BINARY,
    "booleans": BINARY == 1,
    "text": np.where(BINARY, "yes", "no"),
    "objects": np.array(["no", "yes"], dtype=object)[BINARY],
    "floats": BINARY * 2.0,
    "small": BINARY.astype(np.int8),
    "many": MANY,
    "many texts": np.array(["w", "x", "y", "z"])[MANY],
}


def table_probes() -> pd.DataFrame:
    rows = [dict(TABLE.iloc[index]) for index in range(6)]
    for change in (
        {"plan": "platinum"}, {"city": "unseen"}, {"plan": ""}, {"age": np.nan}, {"age": np.inf}, {"age": 1e300},
        {"visits": 9}, {"visits": -1},
    ):  # fmt: skip
        rows.append({**rows[0], **change})
    return pd.DataFrame(rows, columns=list(TABLE.columns))


REGRESSORS: dict[str, Any] = {
    "linear": linear_model.LinearRegression(),
    "without-intercept": linear_model.LinearRegression(fit_intercept=False),
    "ridge": linear_model.Ridge(),
    "ridge-cv": linear_model.RidgeCV(),
    "lasso": linear_model.Lasso(0.01),
    "elastic-net": linear_model.ElasticNet(0.01),
    "sgd": make_pipeline(StandardScaler(), linear_model.SGDRegressor(random_state=0)),
    "huber": linear_model.HuberRegressor(),
    "bayesian": linear_model.BayesianRidge(),
    "svr": make_pipeline(StandardScaler(), svm.LinearSVR(random_state=0)),
    "poisson": make_pipeline(StandardScaler(), linear_model.PoissonRegressor()),
    "gamma": make_pipeline(StandardScaler(), linear_model.GammaRegressor()),
    "tweedie": make_pipeline(StandardScaler(), linear_model.TweedieRegressor(power=1.5)),
    "tweedie-identity": make_pipeline(StandardScaler(), linear_model.TweedieRegressor(power=0)),
    "tweedie-log": make_pipeline(StandardScaler(), linear_model.TweedieRegressor(power=0, link="log")),
}


@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors(tmp_path: Path, name: str) -> None:
    answers = Pair(REGRESSORS[name].fit(X, np.abs(Y) + 0.1), tmp_path, X).check(PROBES)
    assert list(answers) == ["predict"]


@pytest.mark.parametrize("targets", [1, 3])
@pytest.mark.parametrize(
    "model", [linear_model.LinearRegression(), linear_model.Ridge(), linear_model.MultiTaskLasso()]
)
def test_several_targets_are_a_matrix(tmp_path: Path, model: Any, targets: int) -> None:
    several = np.column_stack([Y * factor for factor in range(1, targets + 1)])
    assert Pair(model.fit(X, several), tmp_path, X).check(PROBES)["predict"].shape[1:] in ([targets], [])


CLASSIFIERS: dict[str, Any] = {
    "logistic": linear_model.LogisticRegression(),
    "logistic-cv": linear_model.LogisticRegressionCV(cv=3, Cs=2),
    "sgd-log": linear_model.SGDClassifier(loss="log_loss", random_state=0),
    "sgd-huber": linear_model.SGDClassifier(loss="modified_huber", random_state=0),
    "sgd-hinge": linear_model.SGDClassifier(random_state=0),
    "svc": svm.LinearSVC(random_state=0),
    "ridge": linear_model.RidgeClassifier(),
    "perceptron": linear_model.Perceptron(random_state=0),
}


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers(tmp_path: Path, name: str, labels: str) -> None:
    model = make_pipeline(StandardScaler(), CLASSIFIERS[name]).fit(X, LABELS[labels])
    names = [method for method in ("predict", "predict_proba", "decision_function") if hasattr(model, method)]
    assert list(Pair(model, tmp_path, X, names).check(PROBES)) == names


def test_liblinear(tmp_path: Path) -> None:
    model = make_pipeline(StandardScaler(), linear_model.LogisticRegression(solver="liblinear"))
    Pair(model.fit(X, BINARY), tmp_path, X).check(PROBES)


def test_without_names_it_answers_predict_and_predict_proba(tmp_path: Path) -> None:
    pair = Pair(linear_model.LogisticRegression().fit(X, BINARY), tmp_path, X)
    assert list(pair.check(PROBES)) == ["predict", "predict_proba"]


def test_an_outlier_detector(tmp_path: Path) -> None:
    names = ["predict", "decision_function", "score_samples"]
    model = make_pipeline(StandardScaler(), linear_model.SGDOneClassSVM(random_state=0)).fit(X)
    answers = Pair(model, tmp_path, X, names).check(PROBES)
    assert set(answers["predict"].data) == {-1, 1}


TRANSFORMERS: dict[str, Any] = {
    "standard": StandardScaler(),
    "centred": StandardScaler(with_std=False),
    "scaled": StandardScaler(with_mean=False),
    "neither": StandardScaler(with_mean=False, with_std=False),
    "min-max": MinMaxScaler((-1, 2)),
    "min-max-clip": MinMaxScaler(clip=True),
    "max-abs": MaxAbsScaler(),
    "max-abs-clip": MaxAbsScaler(clip=True),
    "robust": RobustScaler(),
    "robust-scaled": RobustScaler(with_centering=False),
    "robust-centred": RobustScaler(with_scaling=False),
    "l1": Normalizer("l1"),
    "l2": Normalizer("l2"),
    "max": Normalizer("max"),
    "binarizer": Binarizer(threshold=0.5),
    "polynomial": PolynomialFeatures(3),
    "interactions": PolynomialFeatures((2, 3), interaction_only=True, include_bias=False),
    "pca": PCA(2),
    "pca-whiten": PCA(3, whiten=True),
    "svd": TruncatedSVD(2),
    "kbest": make_pipeline(SelectKBest(f_classif, k=2), StandardScaler()),
    "threshold": make_pipeline(VarianceThreshold(0.01), StandardScaler()),
    "from-model": make_pipeline(SelectFromModel(linear_model.Ridge()), StandardScaler()),
    "rfe": make_pipeline(RFE(linear_model.Ridge(), n_features_to_select=2), StandardScaler()),
    "imputer": SimpleImputer(),
    "median-indicator": SimpleImputer(strategy="median", add_indicator=True),
    "imputer-value": SimpleImputer(missing_values=1.0),
    "passthrough": make_pipeline(FunctionTransformer(), "passthrough", StandardScaler()),
    "validated": make_pipeline(FunctionTransformer(validate=True), StandardScaler()),
    "union": FeatureUnion([("a", PCA(2)), ("b", StandardScaler()), ("c", "drop")]),
}  # fmt: skip


@pytest.mark.parametrize("holes", [False, True], ids=["whole", "missing"])
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_transformers(tmp_path: Path, name: str, holes: bool) -> None:
    rows = np.where((np.arange(4) < 2) & (RANDOM.random(X.shape) < 0.2), np.nan, X) if holes else X
    try:
        model = TRANSFORMERS[name].fit(rows, BINARY)
    except ValueError:
        pytest.skip("scikit-learn does not fit it on missing values")
    assert list(Pair(model, tmp_path, X).check(PROBES)) == ["transform"]


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent", "constant"])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("indicator", [False, True])
def test_imputers_before_trees(tmp_path: Path, strategy: str, keep: bool, indicator: bool) -> None:
    rows = np.where(RANDOM.random(X.shape) < 0.2, np.nan, X)
    rows[:, 1] = np.nan
    imputer = SimpleImputer(strategy=strategy, keep_empty_features=keep, add_indicator=indicator)
    model = make_pipeline(imputer, RandomForestClassifier(3, random_state=0)).fit(rows, MANY)
    Pair(model, tmp_path, X).check(PROBES)


FUNCTIONS = [
    np.abs,
    np.exp,
    np.expm1,
    np.log,
    np.log10,
    np.log1p,
    np.log2,
    np.negative,
    np.sign,
    np.sqrt,
    np.square,
    np.tanh,
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_functions(tmp_path: Path, function: Any) -> None:
    model = make_pipeline(FunctionTransformer(function), HistGradientBoostingClassifier(max_iter=3))
    with np.errstate(all="ignore"):
        model.fit(np.abs(X), BINARY)
    Pair(model, tmp_path, X).check(PROBES)


ENCODERS: dict[str, Any] = {
    "error": OneHotEncoder(),
    "ignore": OneHotEncoder(handle_unknown="ignore"),
    "dense": OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    "drop-first": OneHotEncoder(drop="first", handle_unknown="ignore"),
    "drop-binary": OneHotEncoder(drop="if_binary"),
    "drop-named": OneHotEncoder(drop=["gold", "b", 1, False]),
    "infrequent": OneHotEncoder(min_frequency=10, handle_unknown="infrequent_if_exist"),
    "infrequent-ignore": OneHotEncoder(min_frequency=10, handle_unknown="ignore"),
    "infrequent-drop": OneHotEncoder(max_categories=2, drop="first", handle_unknown="infrequent_if_exist"),
    "infrequent-error": OneHotEncoder(max_categories=2),
    "warn": OneHotEncoder(max_categories=3, handle_unknown="warn"),
    "named": OneHotEncoder(
        categories=[["free", "gold", "trial"], [*list("abcd"), ""], [0, 1, 2, 7], [False, True]]
    ),
    "ordinal": OrdinalEncoder(),
    "ordinal-unknown": OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-7),
    "ordinal-infrequent": OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=90, max_categories=2
    ),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_encoders(tmp_path: Path, name: str) -> None:
    columns = ["plan", "city", "visits", "known"]
    encoder = ColumnTransformer([("coded", ENCODERS[name], columns), ("number", StandardScaler(), ["age"])])
    Pair(encoder.fit(TABLE), tmp_path, TABLE).check(table_probes())
    model = make_pipeline(encoder, linear_model.LogisticRegression()).fit(TABLE, BINARY)
    Pair(model, tmp_path, TABLE).check(table_probes())


@pytest.mark.parametrize(
    "encoder",
    [
        OneHotEncoder(),
        OneHotEncoder(handle_unknown="ignore"),
        OneHotEncoder(drop="first"),
        OneHotEncoder(max_categories=2, handle_unknown="infrequent_if_exist"),
        OrdinalEncoder(),
        OrdinalEncoder(encoded_missing_value=-2),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan),
        OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=-1, max_categories=3, encoded_missing_value=-5
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("holes", [False, True], ids=["whole", "missing"])
def test_encoders_of_numbers(tmp_path: Path, encoder: Any, holes: bool) -> None:
    rows = np.floor(np.abs(X) % 4)
    if holes:
        rows[RANDOM.random(rows.shape) < 0.2] = np.nan
    probes = np.vstack([rows[:10], PROBES, np.full((1, 4), np.nan)])
    Pair(encoder.fit(rows), tmp_path, X).check(probes)


def test_columns_by_number_and_the_rest(tmp_path: Path) -> None:
    for rest in ("drop", "passthrough", MinMaxScaler()):
        columns = ColumnTransformer(
            [("a", StandardScaler(), [2, 0]), ("b", "passthrough", [3]), ("c", "drop", [1])]
        )
        columns.set_params(remainder=rest)
        Pair(make_pipeline(columns, linear_model.Ridge()).fit(X, Y), tmp_path, X).check(PROBES)


@pytest.mark.parametrize(
    "select",
    [slice(0, 2), [True, False, True, False], -1, [], np.array([1, 2])],
    ids=["slice", "mask", "from-the-end", "none", "array"],
)
def test_columns_selected_in_other_ways(tmp_path: Path, select: Any) -> None:
    chosen = [select] if isinstance(select, int) else select
    columns = ColumnTransformer([("a", StandardScaler(), chosen)], remainder="passthrough")
    Pair(make_pipeline(columns, linear_model.Ridge()).fit(X, Y), tmp_path, X).check(PROBES)


def test_columns_by_type_in_pipelines_in_pipelines(tmp_path: Path) -> None:
    numbers = Pipeline(
        [("fill", SimpleImputer(add_indicator=True)), ("scale", Pipeline([("s", StandardScaler())]))]
    )
    texts = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="?", missing_values=""),
        OneHotEncoder(handle_unknown="ignore"),
    )
    columns = ColumnTransformer(
        [("n", numbers, make_column_selector(dtype_include="number")), ("t", texts, ["city", "plan"])],
        remainder="passthrough",
    )
    table = TABLE.copy()
    table.loc[3, "age"] = np.nan
    for output in ("default", "pandas"):
        if output == "pandas":
            columns.set_params(t__onehotencoder__sparse_output=False).set_output(transform="pandas")
        model = make_pipeline(columns, make_pipeline(linear_model.LogisticRegression())).fit(table, BINARY)
        Pair(model, tmp_path, TABLE).check(table_probes())


def test_text_is_imputed_by_its_mode(tmp_path: Path) -> None:
    encode = make_pipeline(SimpleImputer(strategy="most_frequent", missing_values=""), OneHotEncoder())
    columns = ColumnTransformer([("t", encode, ["city", "plan", "visits"])])
    Pair(make_pipeline(columns, linear_model.Ridge()).fit(TABLE, Y), tmp_path, TABLE).check(table_probes())


@pytest.mark.parametrize("sparse", [False, True])
def test_trees_at_the_end(tmp_path: Path, sparse: bool) -> None:
    lightgbm, xgboost = pytest.importorskip("lightgbm"), pytest.importorskip("xgboost")
    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=sparse)
    columns = ColumnTransformer(
        [("t", encode, ["city", "plan", "visits"])], remainder=SimpleImputer(), sparse_threshold=1.0
    )
    for final in (
        RandomForestClassifier(5, random_state=0),
        lightgbm.LGBMClassifier(n_estimators=5, min_child_samples=2, verbose=-1),
        xgboost.XGBClassifier(n_estimators=5),
    ):
        pair = Pair(make_pipeline(columns, final).fit(TABLE, BINARY), tmp_path, TABLE)
        assert [path.name for path in pair.files] == ["model.pipeline", "model.pipeline.forest"]
        rows = table_probes().iloc[[0, 1, 2, 3, 4, 5, 6, 7, 8]]
        theirs, ours = pair.original(rows), pair.compiled(rows)
        assert ours["predict"].data == theirs["predict"].data
        np.testing.assert_allclose(ours["predict_proba"].data, theirs["predict_proba"].data, rtol=1e-6)
        assert ours["predict_proba"].datatype == theirs["predict_proba"].datatype


def test_a_search_is_its_best_estimator(tmp_path: Path) -> None:
    search = GridSearchCV(
        make_pipeline(StandardScaler(), linear_model.Ridge()), {"ridge__alpha": [1, 2]}, cv=2
    )
    pair = Pair(search.fit(X, Y), tmp_path, X)
    pair.model = search.best_estimator_
    pair.check(PROBES)


@pytest.mark.parametrize("sparse", [False, True])
def test_a_forest_takes_missing_values_of_an_array_but_not_of_a_sparse_matrix(
    tmp_path: Path, sparse: bool
) -> None:
    table = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0] * 5, "plan": ["x", "y", "z", "x"] * 5})
    encode = OneHotEncoder(sparse_output=sparse)
    columns = ColumnTransformer([("t", encode, ["plan"])], remainder="passthrough", sparse_threshold=1.0)
    model = make_pipeline(columns, RandomForestClassifier(3, random_state=0)).fit(table, [0, 1, 1, 0] * 5)
    pair = Pair(model, tmp_path, table, ["predict", "predict_proba"])
    pair.check(pd.DataFrame({"a": [np.nan, 2.5], "plan": ["x", "y"]}))
