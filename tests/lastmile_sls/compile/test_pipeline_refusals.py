from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import linear_model
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import RFE
from sklearn.impute import SimpleImputer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
)

from lastmile_sls.compile.not_carried import REFUSALS
from lastmile_sls.compile.readers.sklearn_pipeline import read
from lastmile_sls.compile.refusal import CannotCompile
from lastmile_sls.errors import LastmileError

X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)
WIDE = np.random.default_rng(0).normal(size=(20, 300))
TABLE = pd.DataFrame({"size": X[:, 0], "plan": np.where(Y, "gold", "free")})
TEXTS = TABLE[["plan"]].astype(object)
ONE = [("a", StandardScaler(), [0])]
RIDGE = linear_model.Ridge()


class Scaler(StandardScaler):  # type: ignore[misc]
    """Might do anything."""


class Own(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    def fit(self, rows: Any, labels: Any = None) -> Own:
        self.n_features_in_ = rows.shape[1]
        return self

    def transform(self, rows: Any) -> Any:
        return rows


REFUSED: list[tuple[str, object, Any]] = [
    ("step", "SplineTransformer", make_pipeline(SplineTransformer(), RIDGE).fit(X, Y)),
    ("step", "Scaler", make_pipeline(Scaler(), RIDGE).fit(X, Y)),
    ("step", "Own", make_pipeline(Own(), RIDGE).fit(X, Y)),
    ("final step", "KNeighborsClassifier", KNeighborsClassifier().fit(X, Y)),
    ("final step", "LinearDiscriminantAnalysis", LinearDiscriminantAnalysis().fit(X, Y)),
    ("final step", "RFE", RFE(RIDGE).fit(X, Y)),
    ("final step", "TransformedTargetRegressor", TransformedTargetRegressor(RIDGE).fit(X, Y)),
    ("transform", "a column as it was sent", ColumnTransformer([("a", "passthrough", [0])]).fit(X)),
    ("transform", "a column as it was sent", SimpleImputer(strategy="most_frequent").fit(X)),
    ("columns", None, make_pipeline("passthrough", StandardScaler()).fit(X)),
    ("products per row", 21400, make_pipeline(PolynomialFeatures(2), PCA(100)).fit(np.tile(X, (4, 9))[:, :19])),
    ("products per row", 45451, make_pipeline(PolynomialFeatures(2), RIDGE).fit(WIDE, WIDE[:, 0])),
    ("encoder dtype", "float32", OneHotEncoder(dtype=np.float32).fit(X)),
    ("encoder dtype", "int64", OrdinalEncoder(dtype=np.int64).fit(X)),
    ("encoder category", "b'x'", OneHotEncoder(categories=[np.array([b"x", 1], dtype=object)]).fit([[b"x"]])),
    ("SimpleImputer missing_values", "None", SimpleImputer(missing_values=None, strategy="constant").fit(TEXTS)),
    ("FunctionTransformer func", "cos", make_pipeline(FunctionTransformer(np.cos), RIDGE).fit(X, Y)),
    ("FunctionTransformer func", "clip", FunctionTransformer(np.clip, kw_args={"min": 0, "max": 1}).fit(X)),
    ("transformer_weights", {"a": 2.0}, ColumnTransformer(ONE, transformer_weights={"a": 2.0}).fit(X)),
    ("transformer_weights", {"a": 2.0}, FeatureUnion([("a", StandardScaler())], transformer_weights={"a": 2.0}).fit(X)),
    ("RidgeClassifier labels", "multilabel-indicator", linear_model.RidgeClassifier().fit(X, np.column_stack([Y, 1 - Y]))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("option", "found", "model"), REFUSED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_is_not_carried_is_refused_by_name(option: str, found: object, model: Any) -> None:
    with pytest.raises(CannotCompile) as refused:
        read(model)
    assert refused.value.option == option
    told = f"the model cannot be compiled: {option} is {found}, but {REFUSALS[option]}."
    assert refused.value.message == told
    assert refused.value.hint == "It keeps its own library; predictions stay the same."


def test_a_method_that_the_model_lacks_is_refused() -> None:
    for model in (linear_model.Ridge().fit(X, Y), StandardScaler().fit(X)):
        with pytest.raises(CannotCompile, match="output is predict_proba"):
            read(model, ["predict_proba"])


def test_what_trees_do_not_carry_is_refused_as_their_reader_refuses_it() -> None:
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(2).fit(X, np.column_stack([Y, Y]))
    with pytest.raises(CannotCompile, match="classifier with several outputs is 2"):
        read(make_pipeline(StandardScaler().fit(X), model))


@pytest.mark.parametrize("model", [linear_model.LogisticRegression(), StandardScaler(), OneHotEncoder()])
def test_a_model_that_is_not_whole_is_refused(model: Any) -> None:
    model.n_features_in_ = 3
    with pytest.raises(LastmileError) as refused:
        read(model)
    assert refused.value.message.startswith(f"{type(model).__name__} is not a whole model: AttributeError")
    assert refused.value.hint == "Fit it and save it anew."
