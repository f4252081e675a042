"""Reads scikit-learn's HistGradientBoosting*.

Values stay float64 and go left when at most the threshold. Its own encoder puts the categorical features first and
numbers their categories; here splits are by the categories themselves. A category that training did not see is missing
(sklearn/ensemble/_hist_gradient_boosting/_predictor.pyx). Infinite values are accepted; scikit-learn refuses them in
categorical features, where they are no known category.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

from lastmile_sls.compile.forest import (
    MAX_CATEGORY,
    Answer,
    CategorySplit,
    Forest,
    Leaf,
    Node,
    Split,
    Transform,
    Tree,
)
from lastmile_sls.compile.readers.answers import choose, class_answer, columns
from lastmile_sls.compile.readers.tree import grow
from lastmile_sls.compile.refusal import CannotCompile

_TRANSFORMS: dict[str, Transform] = {
    "squared_error": "identity",
    "absolute_error": "identity",
    "quantile": "identity",
    "gamma": "exp",
    "poisson": "exp",
}


def read(estimator: Any, names: Sequence[str] = ()) -> Forest:
    """Read a fitted estimator."""
    margins = int(estimator.n_trees_per_iteration_)
    known, transform = _answers(estimator, margins)
    features, categories = _columns(estimator)
    return Forest(
        features=int(estimator.n_features_in_),
        outputs=margins,
        trees=[
            _tree(predictor, output, features, categories)
            for iteration in estimator._predictors
            for output, predictor in enumerate(iteration)
        ],
        base=[float(value) for value in estimator._baseline_prediction.ravel()],
        transform=transform,
        answers=choose(known, names),
    )


def _answers(estimator: Any, margins: int) -> tuple[list[Answer], Transform]:
    loss = estimator.loss
    if not hasattr(estimator, "classes_"):
        if not isinstance(loss, str) or loss not in _TRANSFORMS:
            raise CannotCompile("HistGradientBoosting loss", loss)
        return [Answer("predict", "FP64")], _TRANSFORMS[loss]
    if loss != "log_loss":
        raise CannotCompile("HistGradientBoosting loss", loss)
    binary = len(estimator.classes_) == 2
    label = class_answer(estimator.classes_, source="margins", rule="above" if binary else "argmax")
    proba = Answer("predict_proba", "FP64", columns=max(margins, 2))
    decision = Answer("decision_function", "FP64", source="margins", columns=columns(margins))
    return [label, proba, decision], "binary_sigmoid" if margins == 1 else "softmax"


def _columns(estimator: Any) -> tuple[list[int], dict[int, list[int]]]:
    """Return which of the model's features each of the trees' is, and the categories of those that have them."""
    count = int(estimator.n_features_in_)
    if estimator.is_categorical_ is None:
        return list(range(count)), {}
    chosen = estimator.is_categorical_.tolist()
    categorical = [feature for feature in range(count) if chosen[feature]]
    numerical = [feature for feature in range(count) if not chosen[feature]]
    encoder = estimator._preprocessor.named_transformers_["encoder"]
    known = zip(categorical, encoder.categories_, strict=True)
    return categorical + numerical, {feature: _whole(feature, found) for feature, found in known}


def _whole(feature: int, categories: Any) -> list[int]:
    """Return a feature's categories, in the order of their numbers; NaN, which comes last, is none."""
    if categories.dtype.kind not in "iuf":
        raise CannotCompile(
            "HistGradientBoosting categories", f"of dtype {categories.dtype} in feature {feature}"
        )
    found = [value for value in categories.tolist() if not isnan(value)]
    for value in found:
        if value != int(value) or not 0 <= value <= MAX_CATEGORY:
            raise CannotCompile("HistGradientBoosting categories", f"{value!r} in feature {feature}")
    return [int(value) for value in found]


def _tree(predictor: Any, output: int, features: list[int], categories: dict[int, list[int]]) -> Tree:
    nodes = {name: predictor.nodes[name].tolist() for name in predictor.nodes.dtype.names}
    bitsets = predictor.raw_left_cat_bitsets.tolist()

    def node_of(number: int) -> Node:
        if nodes["is_leaf"][number]:
            return Leaf([nodes["value"][number]])
        feature = features[nodes["feature_idx"][number]]
        left, right = nodes["left"][number], nodes["right"][number]
        missing_left = bool(nodes["missing_go_to_left"][number])
        if not nodes["is_categorical"][number]:
            return Split(feature, nodes["num_threshold"][number], left, right, missing_left)
        bitset = bitsets[nodes["bitset_idx"][number]]
        known = categories[feature]
        members = {value for code, value in enumerate(known) if bitset[code // 32] >> code % 32 & 1}
        if missing_left:
            # What is unknown goes left too, so those that go right are listed, and the children swapped.
            return CategorySplit(feature, set(known) - members, right, left, False, "exact")
        return CategorySplit(feature, members, left, right, False, "exact")

    return grow(0, node_of, output=output)
