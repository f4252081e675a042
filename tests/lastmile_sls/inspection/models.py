"""Real scikit-learn models that the tests share, each fitted on a few rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.impute import SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, SplineTransformer, StandardScaler
from sklearn.svm import SVC

_RANDOM = np.random.default_rng(0)
X: Any = _RANDOM.normal(size=(40, 3))
Y: Any = (X[:, 0] + X[:, 1] > 0).astype(int)
TABLE: Any = pd.DataFrame(
    {"age": X[:, 0], "plan": np.where(Y == 1, "gold", "free"), "visits": np.arange(40) % 7}
)
TEXTS = [f"word{index % 5} thing{index % 3}" for index in range(40)]


def encoded_table() -> Any:
    """Return an unfitted pipeline that selects columns by name."""
    columns = ColumnTransformer(
        [
            ("text", OneHotEncoder(handle_unknown="ignore"), ["plan"]),
            ("number", make_pipeline(SimpleImputer(), StandardScaler()), ["age", "visits"]),
        ]
    )
    return make_pipeline(columns, LogisticRegression())


MODELS: dict[str, Callable[[], Any]] = {
    "linear": lambda: LinearRegression().fit(X, X[:, 0]),
    "forest": lambda: RandomForestClassifier(n_estimators=3, random_state=0).fit(X, Y),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=3).fit(X, Y),
    "histogram": lambda: HistGradientBoostingClassifier(max_iter=3).fit(X, Y),
    "histogram-poisson": lambda: HistGradientBoostingRegressor(loss="poisson", max_iter=3).fit(X, Y + 1.0),
    "svm": lambda: SVC(random_state=0).fit(X, Y),
    "neighbours": lambda: KNeighborsClassifier(algorithm="kd_tree").fit(X, Y),
    "density": lambda: KernelDensity().fit(X),
    "gaussian-process": lambda: GaussianProcessRegressor(RBF() + WhiteKernel()).fit(X, X[:, 0]),
    "calibrated": lambda: CalibratedClassifierCV(SVC(), cv=2).fit(X, Y),
    "isotonic": lambda: IsotonicRegression().fit(X[:, 0], Y),
    "stacking": lambda: StackingClassifier([("a", LogisticRegression()), ("b", SVC())], cv=2).fit(X, Y),
    "search": lambda: GridSearchCV(
        LogisticRegression(), {"C": [1, 2]}, scoring="roc_auc", cv=StratifiedKFold(2)
    ).fit(X, Y),
    "network": lambda: MLPClassifier((4,), max_iter=5, random_state=0).fit(X, Y),
    "stochastic": lambda: SGDClassifier(random_state=0).fit(X, Y),
    "outliers": lambda: IsolationForest(n_estimators=3, random_state=0).fit(X),
    "clusters": lambda: KMeans(2, n_init=1, random_state=0).fit(X),
    "components": lambda: PCA(2).fit(X),
    "selected": lambda: make_pipeline(
        SelectKBest(f_classif, k=2), SplineTransformer(), LogisticRegression()
    ).fit(X, Y),
    "function": lambda: make_pipeline(FunctionTransformer(np.expm1), LinearRegression()).fit(X, X[:, 0]),
    "random-state": lambda: RandomForestClassifier(3, random_state=np.random.RandomState(0)).fit(X, Y),
    "words": lambda: make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, Y),
    "labels": lambda: LogisticRegression().fit(X, np.array(["no", "yes"], dtype=object)[Y]),
    "table": lambda: encoded_table().fit(TABLE, Y),
    "selector": lambda: make_pipeline(
        ColumnTransformer([("n", StandardScaler(), make_column_selector(dtype_include="number"))]),
        LogisticRegression(),
    ).fit(TABLE[["age", "visits"]], Y),
}


def inputs_of(name: str) -> Any:
    """Return rows that the model takes."""
    special = {"words": TEXTS, "table": TABLE, "selector": TABLE[["age", "visits"]], "isotonic": X[:, 0]}
    return special.get(name, X)
