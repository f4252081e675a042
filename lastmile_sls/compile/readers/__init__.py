"""Reads trained ensembles of trees into the one form, so that compiled they answer as the original is served."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from lastmile_sls.compile.forest import Forest, Leaf
from lastmile_sls.compile.forest_file import ForestError, render
from lastmile_sls.compile.readers import lightgbm, sklearn_hist, sklearn_trees, xgboost
from lastmile_sls.compile.refusal import CannotCompile
from lastmile_sls.errors import LastmileError

Reader = Callable[[Any, Sequence[str]], Forest]

_ESTIMATORS: dict[str, dict[str, Reader]] = {
    "sklearn": {
        "DecisionTreeClassifier": sklearn_trees.read_tree,
        "DecisionTreeRegressor": sklearn_trees.read_tree,
        "ExtraTreeClassifier": sklearn_trees.read_tree,
        "ExtraTreeRegressor": sklearn_trees.read_tree,
        "RandomForestClassifier": sklearn_trees.read_forest,
        "RandomForestRegressor": sklearn_trees.read_forest,
        "ExtraTreesClassifier": sklearn_trees.read_forest,
        "ExtraTreesRegressor": sklearn_trees.read_forest,
        "GradientBoostingClassifier": sklearn_trees.read_boosting,
        "GradientBoostingRegressor": sklearn_trees.read_boosting,
        "IsolationForest": sklearn_trees.read_isolation,
        "HistGradientBoostingClassifier": sklearn_hist.read,
        "HistGradientBoostingRegressor": sklearn_hist.read,
    },
    "xgboost": dict.fromkeys(
        ("XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor"),
        xgboost.read_estimator,
    ),
    "lightgbm": dict.fromkeys(("LGBMClassifier", "LGBMRegressor", "LGBMRanker"), lightgbm.read_estimator),
}
"""By package and class; a class that derives from one of these may predict in ways of its own."""
_FILES: dict[str, Callable[[Path], Forest]] = {"xgboost": xgboost.read_file, "lightgbm": lightgbm.read_file}
FRAMEWORKS = tuple(_FILES)
"""The frameworks whose own files `read_file` reads."""
_BROKEN = (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError)
"""What a reader raises for a model that is not what it says it is."""


def read_estimator(estimator: Any, outputs: Sequence[str] = ()) -> Forest:
    """Read a fitted estimator of scikit-learn, or XGBoost's or LightGBM's estimators in its manner.

    `outputs` names the methods that it is asked for; where none is named, predict, and predict_proba if it has it.
    Raises CannotCompile for what is not carried, and LastmileError for an estimator that is not whole.
    """
    kind = type(estimator)
    package = kind.__module__.partition(".")[0]
    reader = _ESTIMATORS.get(package, {}).get(kind.__name__)
    if reader is None:
        raise CannotCompile("estimator", kind.__qualname__)
    return _whole(kind.__name__, "Fit it and save it anew.", lambda: reader(estimator, outputs))


def read_file(path: Path, framework: str) -> Forest:
    """Read a model file of one of FRAMEWORKS, which answers with what lastmile serves from it.

    Raises CannotCompile for what is not carried, and LastmileError for a file that is not whole, or contradicts itself
    so that it cannot be written as a forest.
    """
    if framework not in _FILES:
        raise LastmileError(
            f"framework is {framework!r}, but files are read of {' and '.join(FRAMEWORKS)} only.",
            "Load the model and read the estimator.",
        )
    hint = "Save it anew with the library's save_model."
    forest = _whole(path.name, hint, lambda: _FILES[framework](path))
    try:
        render(forest)
    except ForestError as error:
        raise LastmileError(f"{path.name} is not a whole model: {error}", hint) from error
    return forest


def _whole(name: str, hint: str, read: Callable[[], Forest]) -> Forest:
    try:
        forest = read()
    except _BROKEN as error:
        raise LastmileError(f"{name} is not a whole model: {type(error).__name__} {error}.", hint) from error
    leaves = (node for tree in forest.trees for node in tree.nodes if isinstance(node, Leaf))
    for values in (forest.base, *(leaf.values for leaf in leaves)):
        for value in values:
            if not isfinite(value):
                raise CannotCompile("numbers", value)
    return forest
