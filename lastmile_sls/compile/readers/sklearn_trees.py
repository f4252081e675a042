"""Reads scikit-learn's trees, and the forests and gradient boosting made of them.

Each value is rounded to float32 and goes left when it is at most the threshold, a float64 (sklearn/tree/_tree.pyx).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from lastmile_sls.compile.forest import Accepts, Answer, Forest, Leaf, Node, Split, Transform, Tree
from lastmile_sls.compile.readers.answers import choose, class_answer, columns
from lastmile_sls.compile.readers.tree import grow
from lastmile_sls.compile.refusal import CannotCompile

_CONSTANT_STRATEGIES = ("prior", "most_frequent", "constant")
_CLASSIFIER_LOSSES = {"log_loss": 1.0, "exponential": 2.0}
"""By what the margin is multiplied before the sigmoid."""


def read_tree(estimator: Any, names: Sequence[str] = ()) -> Forest:
    """Read DecisionTree* and ExtraTree*."""
    return _average(estimator, [estimator], names)


def read_forest(estimator: Any, names: Sequence[str] = ()) -> Forest:
    """Read RandomForest* and ExtraTrees*, which answer with the mean of their trees."""
    return _average(estimator, estimator.estimators_, names)


def _average(estimator: Any, members: list[Any], names: Sequence[str]) -> Forest:
    classifies = hasattr(estimator, "classes_")
    if classifies and estimator.n_outputs_ > 1:
        raise CannotCompile("classifier with several outputs", estimator.n_outputs_)
    if classifies:
        width = int(estimator.n_classes_)
        known = [class_answer(estimator.classes_), Answer("predict_proba", "FP64", columns=width)]
    else:
        width = int(estimator.n_outputs_)
        known = [Answer("predict", "FP64", columns=columns(width))]
    values = [member.tree_.value.reshape(-1, width).tolist() for member in members]
    return Forest(
        features=int(estimator.n_features_in_),
        outputs=width,
        trees=[
            _tree(member, leaves.__getitem__, width=width)
            for member, leaves in zip(members, values, strict=True)
        ],
        base=[0.0] * width,
        cast="float32",
        accepts=_accepts(estimator),
        divide=float(len(members)),
        answers=choose(known, names),
    )


def read_boosting(estimator: Any, names: Sequence[str] = ()) -> Forest:
    """Read GradientBoosting*. Each leaf's value is multiplied by the learning rate when it is added."""
    rate, margins = float(estimator.learning_rate), int(estimator.n_trees_per_iteration_)
    trees = []
    for stage in estimator.estimators_.tolist():
        for output, member in enumerate(stage):
            values = [[rate * value] for value in member.tree_.value[:, 0, 0].tolist()]
            trees.append(_tree(member, values.__getitem__, output=output))
    known, transform, scale = _boosting_answers(estimator, margins)
    return Forest(
        features=int(estimator.n_features_in_),
        outputs=margins,
        trees=trees,
        base=_initial(estimator),
        cast="float32",
        accepts=_accepts(estimator),
        scale=scale,
        transform=transform,
        answers=choose(known, names),
    )


def _boosting_answers(estimator: Any, margins: int) -> tuple[list[Answer], Transform, float]:
    if not hasattr(estimator, "classes_"):
        if not isinstance(estimator.loss, str):
            raise CannotCompile("GradientBoosting loss", estimator.loss)
        return [Answer("predict", "FP64")], "identity", 1.0
    if estimator.loss not in _CLASSIFIER_LOSSES:
        raise CannotCompile("GradientBoosting loss", estimator.loss)
    decision = Answer("decision_function", "FP64", source="margins", columns=columns(margins))
    proba = Answer("predict_proba", "FP64", columns=max(margins, 2))
    if margins > 1:
        return [class_answer(estimator.classes_, source="margins"), proba, decision], "softmax", 1.0
    label = class_answer(estimator.classes_, source="margins", rule="at_least")
    return [label, proba, decision], "binary_sigmoid", _CLASSIFIER_LOSSES[estimator.loss]


def _initial(estimator: Any) -> list[float]:
    """Return what the sums begin with, by asking the estimator itself, where it is the same for every row."""
    init = estimator.init_
    kind = type(init).__name__
    constant = kind == "DummyClassifier" and init.strategy in _CONSTANT_STRATEGIES
    if not (constant or kind == "DummyRegressor" or (isinstance(init, str) and init == "zero")):
        raise CannotCompile("GradientBoosting init", init)
    import numpy as np

    row = np.zeros((1, estimator.n_features_in_), dtype=np.float32)
    return [float(value) for value in estimator._raw_predict_init(row)[0]]


def read_isolation(estimator: Any, names: Sequence[str] = ()) -> Forest:
    """Read IsolationForest: the mean depth of a row's leaves, over the depth that is to be expected.

    `predict` is decided on that quotient rather than on the score, so that where powers of two are rounded otherwise
    no row changes sides.
    """
    import numpy as np
    from sklearn.ensemble._iforest import _average_path_length

    expected = len(estimator.estimators_) * float(_average_path_length([estimator._max_samples])[0])
    depths = zip(estimator._decision_path_lengths, estimator._average_path_length_per_tree, strict=True)
    leaves = [(lengths + below - 1.0).reshape(-1, 1).tolist() for lengths, below in depths]
    chosen = [numbers.tolist() for numbers in estimator.estimators_features_]
    members = zip(estimator.estimators_, leaves, chosen, strict=True)
    offset = float(estimator.offset_)
    known = [
        class_answer(
            np.array([-1, 1]), source="margins", rule="at_least", threshold=_least_inlier(np, offset)
        ),
        Answer("score_samples", "FP64"),
        Answer("decision_function", "FP64", first=1),
    ]
    return Forest(
        features=int(estimator.n_features_in_),
        outputs=1,
        trees=[_tree(member, values.__getitem__, numbers) for member, values, numbers in members],
        # With one sample a tree both depths are 0, and scikit-learn takes 1 for their quotient.
        base=[0.0] if expected else [1.0],
        cast="float32",
        accepts=_accepts(estimator),
        divide=expected or 1.0,
        transform="isolation",
        offset=offset,
        answers=choose(known, names),
    )


def _least_inlier(np: Any, offset: float) -> float:
    """Return the least quotient whose score scikit-learn takes for an inlier's, among all float64 from 0 to 2^10."""

    def inlier(bits: int) -> bool:
        quotient = np.array([bits], dtype=np.int64).view(np.float64)
        return bool((-(2 ** (-quotient)) - offset >= 0)[0])

    low, high = (int(np.array([end]).view(np.int64)[0]) for end in (0.0, 1024.0))
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if inlier(middle) else (middle + 1, high)
    return float(np.array([low], dtype=np.int64).view(np.float64)[0])


def _tree(
    member: Any,
    values_of: Callable[[int], list[float]],
    features: list[int] | None = None,
    *,
    output: int = 0,
    width: int = 1,
) -> Tree:
    """Read one fitted tree. `features` says which of the model's each of its own is, where it has a choice of them."""
    nodes = member.tree_.__getstate__()["nodes"]
    left, right, feature, threshold, missing_left = (
        nodes[name].tolist()
        for name in ("left_child", "right_child", "feature", "threshold", "missing_go_to_left")
    )

    def node_of(number: int) -> Node:
        if left[number] == -1:
            return Leaf(list(values_of(number)))
        return Split(
            feature=features[feature[number]] if features else feature[number],
            threshold=threshold[number],
            left=left[number],
            right=right[number],
            missing_left=bool(missing_left[number]),
        )

    return grow(0, node_of, output=output, width=width)


def _accepts(estimator: Any) -> Accepts:
    """Tell what the estimator's own validation lets through, by asking it: versions of scikit-learn differ."""
    import numpy as np

    def refuses(value: float) -> bool:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as that the columns have no names
            try:
                estimator.predict(np.full((1, estimator.n_features_in_), value))
            except ValueError:
                return True
        return False

    if refuses(np.nan):
        return "finite"
    return "not_infinite" if refuses(np.inf) else "all"
