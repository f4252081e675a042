"""Reads a fitted scikit-learn model that is no ensemble of trees by itself: linear models, pipelines, transformers.

What surrounds the steps is taken apart here: Pipeline, ColumnTransformer, FeatureUnion, and the searches that keep
their best estimator. Everything that is not carried is refused by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import nan
from typing import Any

from lastmile_sls.compile import readers
from lastmile_sls.compile.forest import Answer, Forest
from lastmile_sls.compile.not_carried import NotCarried
from lastmile_sls.compile.pipeline import (
    Branches,
    Impute,
    Linear,
    Pipeline,
    Polynomial,
    Project,
    Select,
    Step,
)
from lastmile_sls.compile.readers.answers import choose
from lastmile_sls.compile.readers.row import Row, beside, given
from lastmile_sls.compile.readers.sklearn_encoders import ENCODERS
from lastmile_sls.compile.readers.sklearn_linear import LINEAR
from lastmile_sls.compile.readers.sklearn_steps import TRANSFORMERS, Read
from lastmile_sls.compile.refusal import CannotCompile
from lastmile_sls.errors import LastmileError

MAX_PRODUCTS = 10_000
"""Multiplications per row; Python needs 0.3 ms for as many."""
_SEARCHES = ("GridSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV", "RandomizedSearchCV")
_BROKEN = (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError)


def read(estimator: Any, outputs: Sequence[str] = ()) -> Pipeline:
    """Read a fitted estimator.

    `outputs` names the methods that it is asked for; where none is named, predict, and predict_proba if it has it, or
    transform of an estimator that does not predict. Raises CannotCompile for what is not carried, and LastmileError
    for an estimator that is not whole.
    """
    try:
        return _read(estimator, outputs)
    except LastmileError:
        raise
    except _BROKEN as error:
        raise LastmileError(
            f"{type(estimator).__name__} is not a whole model: {type(error).__name__} {error}.",
            "Fit it and save it anew.",
        ) from error


def _read(estimator: Any, outputs: Sequence[str]) -> Pipeline:
    if _name(estimator) in _SEARCHES:
        return _read(estimator.best_estimator_, outputs)
    columns = getattr(estimator, "n_features_in_", None)
    if not isinstance(columns, int) or columns < 1:
        raise NotCarried("columns", columns)
    *before, last = _flat(estimator)
    steps, row = _sequence(before, given(columns))
    if hasattr(last, "predict"):
        more, final, answers = _final(last, row, outputs)
        steps += more
    else:
        more, row = _step(last, row)
        steps += more
        final, answers = None, _transformed(row, outputs)
    pipeline = Pipeline(columns, steps, final, row.width, answers)
    if (found := _products(pipeline)) > MAX_PRODUCTS:
        raise NotCarried("products per row", found)
    return pipeline


def _flat(estimator: Any) -> list[Any]:
    """Return a pipeline's steps, those of pipelines in it as well; of another estimator, itself."""
    if _name(estimator) != "Pipeline":
        return [estimator]
    found = [step for _, step in estimator.steps]
    return [inner for step in found for inner in _flat(step)]


def _sequence(estimators: list[Any], row: Row) -> Read:
    steps: list[Step] = []
    for estimator in estimators:
        more, row = _step(estimator, row)
        steps += more
    return steps, row


def _step(estimator: Any, row: Row) -> Read:
    """Return what a transformer does to a row, and the row after it."""
    if estimator is None or (isinstance(estimator, str) and estimator == "passthrough"):
        return [], row
    name = _name(estimator)
    if name == "Pipeline":
        return _sequence([step for _, step in estimator.steps], row)
    if name == "ColumnTransformer":
        return _column_transformer(estimator, row)
    if name == "FeatureUnion":
        return _feature_union(estimator, row)
    reader = TRANSFORMERS.get(name) or ENCODERS.get(name)
    if reader is None:
        raise NotCarried("step", type(estimator).__qualname__)
    return reader(estimator, row)


def _column_transformer(estimator: Any, row: Row) -> Read:
    _refuse_weights(estimator)
    read = []
    for name, transformer, _ in estimator.transformers_:
        places = [int(place) for place in estimator._transformer_to_input_indices[name]]
        if places and not (isinstance(transformer, str) and transformer == "drop"):
            steps, after = _step(transformer, row.take(places))
            whole = places == list(range(row.width))
            read.append((steps if whole else [Select(places), *steps], after))
    steps, after = _side_by_side(read)
    return steps, replace(after, sparse=bool(estimator.sparse_output_))


def _feature_union(estimator: Any, row: Row) -> Read:
    _refuse_weights(estimator)
    members = [member for _, member in estimator.transformer_list]
    kept = [member for member in members if not (isinstance(member, str) and member == "drop")]
    return _side_by_side([_step(member, row) for member in kept])


def _side_by_side(read: list[Read]) -> Read:
    after = beside([row for _, row in read])
    if len(read) == 1:
        return read[0][0], after
    return [Branches([steps for steps, _ in read])], after


def _refuse_weights(estimator: Any) -> None:
    if estimator.transformer_weights:
        raise NotCarried("transformer_weights", estimator.transformer_weights)


def _final(
    estimator: Any, row: Row, outputs: Sequence[str]
) -> tuple[list[Step], Linear | Forest, list[Answer]]:
    """Return the steps before the last one's sums, those sums, and the answers, which a forest has itself."""
    reader = LINEAR.get(_name(estimator))
    if reader is not None:
        linear, known = reader(estimator)
        return row.check(_name(estimator), "not_finite"), linear, _chosen(known, outputs)
    try:
        forest = readers.read_estimator(estimator, outputs)
    except CannotCompile as error:
        if error.option == "estimator":
            raise NotCarried("final step", type(estimator).__qualname__) from error
        raise
    return _steps_of_sparse(row, estimator) if row.sparse else [], forest, []


def _steps_of_sparse(row: Row, estimator: Any) -> list[Step]:
    """Return what trees do with a sparse matrix alone: zeros are missing (XGBoost), NaN is refused (scikit-learn)."""
    package = type(estimator).__module__.partition(".")[0]
    if package == "xgboost":
        return [Impute(0.0, [nan] * row.width, None, [])]
    return row.check(_name(estimator), "not_finite") if package == "sklearn" else []


def _chosen(known: list[Answer], outputs: Sequence[str]) -> list[Answer]:
    for name in outputs:
        if name not in {answer.name for answer in known}:
            raise NotCarried("output", name)
    return choose(known, outputs)


def _transformed(row: Row, outputs: Sequence[str]) -> list[Answer]:
    if not all(row.numeric):
        raise NotCarried("transform", "a column as it was sent")
    return _chosen([Answer("transform", "FP64", columns=row.width)], outputs or ["transform"])


def _products(pipeline: Pipeline) -> int:
    found = _products_of(pipeline.steps)
    if isinstance(pipeline.final, Linear):
        found += len(pipeline.final.coefficients) * pipeline.width
    return found


def _products_of(steps: list[Step]) -> int:
    found = 0
    for step in steps:
        if isinstance(step, Branches):
            found += sum(_products_of(branch) for branch in step.branches)
        elif isinstance(step, Polynomial):
            found += sum(max(len(term), 1) for term in step.terms)
        elif isinstance(step, Project):
            found += sum(len(component) for component in step.components)
    return found


def _name(estimator: Any) -> str:
    """Return the name of one of scikit-learn's own classes; of others, which may do otherwise, none."""
    kind = type(estimator)
    return kind.__name__ if kind.__module__.startswith("sklearn.") else ""
