"""Reads LightGBM's text models. LightGBM itself is not imported.

Values and sums are float64; a value goes left when it is at most the threshold. Before it looks at a row, LightGBM
makes everything within 1e-35 of zero zero (src/c_api.cpp, RowPairFunctionFromDenseMatric); here the thresholds in that
range are moved instead, which decides the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf, nextafter
from pathlib import Path
from typing import Any

from lastmile_sls.compile.forest import (
    MAX_CATEGORY,
    Answer,
    CategorySplit,
    Forest,
    Leaf,
    Missing,
    Node,
    Split,
    Transform,
    Tree,
)
from lastmile_sls.compile.readers.answers import choose, class_answer, columns, margins_of, plain_answer
from lastmile_sls.compile.readers.tree import grow
from lastmile_sls.compile.refusal import CannotCompile

_ZERO = float.fromhex("0x1.a95a5cp-117")
"""kZeroThreshold: 1e-35 as a float32."""
_MISSING: tuple[Missing, ...] = ("none", "zero", "nan")
_TRANSFORMS: dict[str, Transform] = {
    "": "identity",
    "binary": "binary_sigmoid",
    "cross_entropy": "sigmoid",
    "custom": "identity",
    "fair": "identity",
    "gamma": "exp",
    "huber": "identity",
    "lambdarank": "identity",
    "mape": "identity",
    "multiclass": "softmax",
    "multiclassova": "sigmoid",
    "poisson": "exp",
    "quantile": "identity",
    "rank_xendcg": "identity",
    "regression": "identity",
    "regression_l1": "identity",
    "tweedie": "exp",
}
"""By objective; a model trained with the caller's own may name none."""
CLASSIFIERS = ("binary", "multiclass", "multiclassova")


def read_file(path: Path) -> Forest:
    """Read a saved model, as lastmile serves it: classes by their numbers."""
    return read_text(path.read_text(encoding="utf-8"))


def read_booster(booster: Any) -> Forest:
    """Read a Booster, up to its best iteration, as it predicts."""
    return read_text(booster.model_to_string())


def read_estimator(estimator: Any, names: Sequence[str] = ()) -> Forest:
    """Read LGBMClassifier, LGBMRegressor or LGBMRanker."""
    # An estimator hands its parameters to the booster at each prediction; this one of them changes it.
    if estimator.get_params().get("pred_early_stop"):
        raise CannotCompile("LightGBM pred_early_stop", True)
    forest = read_booster(estimator.booster_)
    if not hasattr(estimator, "classes_"):
        forest.answers = choose([plain_answer(forest, "FP64")], names)
        return forest
    label, *others = forest.answers
    if not label.labels or callable(estimator.objective_):
        raise CannotCompile("LGBMClassifier objective", estimator.objective_)
    forest.answers = choose([class_answer(estimator.classes_), *others], names)
    return forest


def read_text(text: str) -> Forest:
    """Read a model's text. Raises ValueError or KeyError where it is not whole."""
    header, *trees = _blocks(text)
    margins = margins_of(int(header["num_tree_per_iteration"]))
    objective, parameters = _objective(header.get("objective", ""))
    if len(trees) % margins:
        raise ValueError(f"it has {len(trees)} trees, but {margins} in each iteration")
    return Forest(
        features=int(header["max_feature_idx"]) + 1,
        outputs=margins,
        trees=[_tree(fields, index % margins) for index, fields in enumerate(trees)],
        base=[0.0] * margins,
        divide=float(len(trees) // margins or 1) if "average_output" in header else 1.0,
        scale=float(parameters.get("sigmoid", 1)) if objective in ("binary", "multiclassova") else 1.0,
        transform=_TRANSFORMS[objective],
        answers=_answers(objective, margins),
    )


def _blocks(text: str) -> Iterator[dict[str, str]]:
    """Yield the header's fields, then each tree's."""
    fields: dict[str, str] = {}
    for line in text.replace("\r\n", "\n").split("\n"):
        if line == "end of trees":
            yield fields
            return
        if line.startswith("Tree="):
            yield fields
            fields = {}
        name, _, value = line.partition("=")
        fields[name] = value
    raise ValueError("it does not come to the end of its trees")


def _objective(text: str) -> tuple[str, dict[str, str]]:
    name, *parameters = text.split() or [""]
    if name not in _TRANSFORMS or "sqrt" in parameters:
        raise CannotCompile("LightGBM objective", text)
    return name, dict(parameter.split(":", 1) for parameter in parameters if ":" in parameter)


def _answers(objective: str, margins: int) -> list[Answer]:
    if objective not in CLASSIFIERS:
        return [Answer("predict", "FP64", columns=columns(margins))]
    classes = max(margins, 2)
    return [
        Answer("predict", "INT64", labels=list(range(classes))),
        Answer("predict_proba", "FP64", columns=classes),
    ]


def _tree(fields: dict[str, str], output: int) -> Tree:
    if fields.get("is_linear", "0") != "0":
        raise CannotCompile("LightGBM linear_tree", fields["is_linear"])
    values = _floats(fields["leaf_value"])
    if int(fields["num_leaves"]) != len(values):
        raise ValueError(f"a tree has {len(values)} leaf values, but {fields['num_leaves']} leaves")
    if len(values) == 1:
        return Tree([Leaf(values)], output)
    features, kinds, left, right = (
        [int(value) for value in fields[name].split()]
        for name in ("split_feature", "decision_type", "left_child", "right_child")
    )
    thresholds = _floats(fields["threshold"])
    categories = _categories(fields)

    def node_of(number: int) -> Node:
        if number < 0:
            return Leaf([values[~number]])
        kind, threshold = kinds[number], thresholds[number]
        if kind & 1:
            # Each set is one split's: taken by many, a few would fill the memory.
            members = categories.pop(int(threshold))
            return CategorySplit(features[number], members, left[number], right[number])
        missing = _MISSING[kind >> 2 & 3]
        return Split(
            features[number], _moved(threshold), left[number], right[number], bool(kind & 2), missing
        )

    return grow(0, node_of, output=output)


def _moved(threshold: float) -> float:
    """Return the threshold that decides without zeros being made what this one decides with them."""
    if -_ZERO <= threshold < 0:
        return nextafter(-_ZERO, -inf)
    return _ZERO if 0 <= threshold < _ZERO else threshold


def _categories(fields: dict[str, str]) -> dict[int, set[int]]:
    """Return the categories that go left, by the number of the tree's split by category."""
    bounds = [int(value) for value in fields.get("cat_boundaries", "").split()]
    words = [int(value) for value in fields.get("cat_threshold", "").split()]
    sets = {}
    for number, (begin, end) in enumerate(pairwise(bounds)):
        if begin > end:
            raise ValueError(f"its cat_boundaries go from {begin} back to {end}")
        members = {
            32 * position + bit
            for position, word in enumerate(words[begin:end])
            if word
            for bit in range(32)
            if word >> bit & 1
        }
        if members and max(members) > MAX_CATEGORY:
            raise CannotCompile("LightGBM categories", max(members))
        sets[number] = members
    return sets


def _floats(text: str) -> list[float]:
    return [float(value) for value in text.split()]
