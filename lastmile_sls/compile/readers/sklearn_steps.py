"""Reads scikit-learn's transformers of one table: scalers, selectors, polynomials, projections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lastmile_sls.compile.not_carried import NotCarried
from lastmile_sls.compile.pipeline import (
    FUNCTIONS,
    Apply,
    Binarize,
    Normalize,
    Polynomial,
    Project,
    Rescale,
    Select,
    Standardize,
    Step,
)
from lastmile_sls.compile.readers.row import Row, computed

Read = tuple[list[Step], Row]
_MAX_TERMS = 10_000


def floats(values: Any) -> list[float]:
    """Return an array's values as a flat list of float64."""
    return [float(value) for value in values.ravel().tolist()]


def _standard_scaler(estimator: Any, row: Row) -> Read:
    shift = floats(estimator.mean_) if estimator.with_mean else None
    scale = floats(estimator.scale_) if estimator.with_std else None
    return _standardized(estimator, row, shift, scale)


def _robust_scaler(estimator: Any, row: Row) -> Read:
    shift = floats(estimator.center_) if estimator.with_centering else None
    scale = floats(estimator.scale_) if estimator.with_scaling else None
    return _standardized(estimator, row, shift, scale)


def _max_abs_scaler(estimator: Any, row: Row) -> Read:
    limit = 1.0 if getattr(estimator, "clip", False) else None
    return _standardized(estimator, row, None, floats(estimator.scale_), limit)


def _standardized(
    estimator: Any, row: Row, shift: list[float] | None, scale: list[float] | None, limit: float | None = None
) -> Read:
    check = row.check(type(estimator).__name__, "infinite")
    return [*check, Standardize(shift, scale, limit)], row.as_numbers()


def _min_max_scaler(estimator: Any, row: Row) -> Read:
    low, high = estimator.feature_range
    limits = (float(low), float(high)) if estimator.clip else None
    check = row.check("MinMaxScaler", "infinite")
    return [*check, Rescale(floats(estimator.scale_), floats(estimator.min_), limits)], row.as_numbers()


def _normalizer(estimator: Any, row: Row) -> Read:
    return [*row.check("Normalizer", "not_finite"), Normalize(estimator.norm)], row.as_numbers()


def _binarizer(estimator: Any, row: Row) -> Read:
    step = Binarize(float(estimator.threshold))
    return [*row.check("Binarizer", "not_finite"), step], row.as_numbers(finite=True)


def _function_transformer(estimator: Any, row: Row) -> Read:
    import numpy as np

    steps = row.check("FunctionTransformer", "not_finite") if estimator.validate else []
    func = estimator.func
    if estimator.kw_args or not (func is None or any(func is getattr(np, name) for name in FUNCTIONS)):
        raise NotCarried("FunctionTransformer func", getattr(func, "__name__", func))
    if func is None:
        return steps, replace(row, finite=row.finite or bool(steps))
    return [*steps, Apply("abs" if func is np.abs else func.__name__)], row.as_numbers()


def _polynomial_features(estimator: Any, row: Row) -> Read:
    if estimator.n_output_features_ > _MAX_TERMS:
        raise NotCarried("products per row", estimator.n_output_features_)
    terms = [
        [place for place, power in enumerate(powers) for _ in range(power)]
        for powers in estimator.powers_.tolist()
    ]
    return [*row.check("PolynomialFeatures", "not_finite"), Polynomial(terms)], computed(
        len(terms), sparse=row.sparse
    )


def _pca(estimator: Any, row: Row) -> Read:
    import numpy as np

    components = np.asarray(estimator.components_, dtype=np.float64)
    scale = None
    if estimator.whiten:
        deviations = np.sqrt(estimator.explained_variance_)
        scale = floats(np.maximum(deviations, np.finfo(deviations.dtype).eps))
    mean = estimator.mean_
    offset = None if mean is None else floats(np.reshape(mean, (1, -1)) @ estimator.components_.T)
    step = Project(components.tolist(), offset, scale)
    return [*row.check("PCA", "not_finite"), step], computed(len(components))


def _truncated_svd(estimator: Any, row: Row) -> Read:
    step = Project([floats(component) for component in estimator.components_], None, None)
    return [*row.check("TruncatedSVD", "not_finite"), step], computed(len(estimator.components_))


def _selector(estimator: Any, row: Row) -> Read:
    places = [int(place) for place in estimator.get_support(indices=True)]
    if _allows_nan(estimator):  # then scikit-learn looks at none of the values
        return [Select(places)], row.take(places)
    check = row.check(type(estimator).__name__, "not_finite")
    return [*check, Select(places)], replace(row.take(places), finite=True)


def _allows_nan(estimator: Any) -> bool:
    from sklearn import utils

    if hasattr(utils, "get_tags"):
        return bool(utils.get_tags(estimator).input_tags.allow_nan)
    return bool(estimator._get_tags()["allow_nan"])  # scikit-learn 1.5


TRANSFORMERS: dict[str, Callable[[Any, Row], Read]] = {
    "StandardScaler": _standard_scaler,
    "RobustScaler": _robust_scaler,
    "MaxAbsScaler": _max_abs_scaler,
    "MinMaxScaler": _min_max_scaler,
    "Normalizer": _normalizer,
    "Binarizer": _binarizer,
    "FunctionTransformer": _function_transformer,
    "PolynomialFeatures": _polynomial_features,
    "PCA": _pca,
    "TruncatedSVD": _truncated_svd,
    **dict.fromkeys(
        (
            "GenericUnivariateSelect", "RFE", "RFECV", "SelectFdr", "SelectFpr", "SelectFromModel", "SelectFwe",
            "SelectKBest", "SelectPercentile", "SequentialFeatureSelector", "VarianceThreshold",
        ),
        _selector,
    ),
}  # fmt: skip
