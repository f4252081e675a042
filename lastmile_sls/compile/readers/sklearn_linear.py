"""Reads scikit-learn's linear models: their coefficients, their links, and what they answer with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lastmile_sls.compile.forest import Answer
from lastmile_sls.compile.not_carried import NotCarried
from lastmile_sls.compile.pipeline import Linear, Link
from lastmile_sls.compile.readers.answers import class_answer, columns
from lastmile_sls.compile.readers.sklearn_steps import floats

Read = tuple[Linear, list[Answer]]


def _regressor(estimator: Any, link: Link = "identity") -> Read:
    coefficients = np.asarray(estimator.coef_, dtype=np.float64)
    wide = len(coefficients) if coefficients.ndim == 2 else None
    return _linear(coefficients, estimator.intercept_, link), [Answer("predict", "FP64", columns=wide)]


def _stochastic_regressor(estimator: Any) -> Read:
    linear, _ = _regressor(estimator)
    return linear, [Answer("predict", "FP64")]


def _with_exp(estimator: Any) -> Read:
    return _regressor(estimator, "exp")


def _tweedie(estimator: Any) -> Read:
    link = estimator.link
    if link not in ("auto", "identity", "log"):
        raise NotCarried("TweedieRegressor link", link)
    exponential = link == "log" or (link == "auto" and estimator.power > 0)
    return _regressor(estimator, "exp" if exponential else "identity")


def _classifier(estimator: Any, link: Link | None = None) -> Read:
    """Read a classifier; with a link it has predict_proba."""
    linear = _linear(np.asarray(estimator.coef_, dtype=np.float64), estimator.intercept_, link or "identity")
    margins = len(linear.coefficients)
    label = class_answer(estimator.classes_, source="margins", rule="above" if margins == 1 else "argmax")
    proba = [Answer("predict_proba", "FP64", columns=max(margins, 2))] if link else []
    decision = Answer("decision_function", "FP64", source="margins", columns=columns(margins))
    return linear, [label, *proba, decision]


def _logistic(estimator: Any) -> Read:
    method = getattr(estimator, "multi_class", "auto")
    if method not in ("auto", "deprecated", "ovr", "multinomial"):
        raise NotCarried("LogisticRegression multi_class", method)
    binary = len(estimator.classes_) <= 2
    if method == "multinomial":
        return _classifier(estimator, "binary_softmax" if binary else "softmax")
    if method == "ovr" or estimator.solver == "liblinear":
        return _classifier(estimator, "binary_sigmoid" if binary else "sigmoid_shares")
    return _classifier(estimator, "binary_sigmoid" if binary else "softmax")


def _stochastic_classifier(estimator: Any) -> Read:
    links: dict[str, tuple[Link, Link]] = {
        "log_loss": ("binary_sigmoid", "sigmoid_shares"),
        "modified_huber": ("binary_modified_huber", "modified_huber_shares"),
    }
    found = links.get(estimator.loss)
    return _classifier(estimator, found and found[len(estimator.classes_) > 2])


def _ridge_classifier(estimator: Any) -> Read:
    if estimator._label_binarizer.y_type_.startswith("multilabel"):
        raise NotCarried("RidgeClassifier labels", estimator._label_binarizer.y_type_)
    return _classifier(estimator)


def _one_class(estimator: Any) -> Read:
    linear = _linear(np.asarray(estimator.coef_, dtype=np.float64), -estimator.offset_, "scores")
    linear.offset = float(estimator.offset_[0])
    classes = np.array([-1, 1], dtype=np.int32)
    return linear, [
        class_answer(classes, source="margins", rule="at_least"),
        Answer("decision_function", "FP64", source="margins"),
        Answer("score_samples", "FP64", first=1),
    ]


def _linear(coefficients: Any, intercept: Any, link: Link) -> Linear:
    rows = np.atleast_2d(coefficients)
    intercepts = np.broadcast_to(np.asarray(intercept, dtype=np.float64), (len(rows),))
    return Linear(rows.tolist(), floats(intercepts), link)


LINEAR: dict[str, Callable[[Any], Read]] = {
    **dict.fromkeys(
        (
            "ARDRegression", "BayesianRidge", "ElasticNet", "ElasticNetCV", "HuberRegressor", "Lars", "LarsCV", "Lasso",
            "LassoCV", "LassoLars", "LassoLarsCV", "LassoLarsIC", "LinearRegression", "LinearSVR", "MultiTaskElasticNet",
            "MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV", "OrthogonalMatchingPursuit",
            "OrthogonalMatchingPursuitCV", "QuantileRegressor", "Ridge", "RidgeCV", "TheilSenRegressor",
        ),
        _regressor,
    ),
    **dict.fromkeys(("PassiveAggressiveRegressor", "SGDRegressor"), _stochastic_regressor),
    **dict.fromkeys(("GammaRegressor", "PoissonRegressor"), _with_exp),
    "TweedieRegressor": _tweedie,
    **dict.fromkeys(("LogisticRegression", "LogisticRegressionCV"), _logistic),
    **dict.fromkeys(("LinearSVC", "PassiveAggressiveClassifier", "Perceptron"), _classifier),
    "SGDClassifier": _stochastic_classifier,
    **dict.fromkeys(("RidgeClassifier", "RidgeClassifierCV"), _ridge_classifier),
    "SGDOneClassSVM": _one_class,
}  # fmt: skip
