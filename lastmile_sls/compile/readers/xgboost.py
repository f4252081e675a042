"""Reads XGBoost's models from their document. XGBoost itself is not imported.

Values, thresholds and sums are float32, and the sums begin with the base score (src/predictor/cpu_predictor.cc). A
value goes left when it is less than the threshold; a category goes right when it is in the split's set.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from operator import index
from pathlib import Path
from typing import Any

from lastmile_sls.compile.forest import Answer, CategorySplit, Forest, Leaf, Node, Split, Transform, Tree
from lastmile_sls.compile.readers import float32
from lastmile_sls.compile.readers.answers import choose, columns, margins_of, plain_answer
from lastmile_sls.compile.readers.tree import grow
from lastmile_sls.compile.readers.xgboost_file import read_document
from lastmile_sls.compile.refusal import CannotCompile

_OLDEST = 2
_CLAMPED_SINCE = (3, 2)
"""From here on base scores of the logistic loss are kept within 1e-6 of 0 and 1."""
_MORE_THAN_HALF = 1.5 * 2**-24
"""XGBoost's float32 sigmoid is more than a half exactly for the margins above this one: 1 + e^-m must round to less
than 2, whose next smaller float32 is 2 - 2^-23."""


@dataclass(frozen=True)
class _Objective:
    transform: Transform = "identity"
    link: str = "identity"
    """How base_score, in the file as a prediction, becomes a margin."""


_LOGISTIC, _LOG, _PLAIN = _Objective("sigmoid", "logit"), _Objective("exp", "log"), _Objective()
_OBJECTIVES = {
    "binary:logistic": _Objective("binary_sigmoid", "logit"),
    "reg:logistic": _LOGISTIC,
    "multi:softprob": _Objective("softmax"),
    "multi:softmax": _PLAIN,
    "binary:hinge": _PLAIN,
    "binary:logitraw": _PLAIN,
    "rank:pairwise": _PLAIN,
    "rank:ndcg": _PLAIN,
    "rank:map": _PLAIN,
    "reg:squarederror": _PLAIN,
    "reg:linear": _PLAIN,
    "reg:squaredlogerror": _PLAIN,
    "reg:absoluteerror": _PLAIN,
    "reg:pseudohubererror": _PLAIN,
    "reg:quantileerror": _PLAIN,
    "count:poisson": _LOG,
    "reg:gamma": _LOG,
    "reg:tweedie": _LOG,
    "survival:cox": _LOG,
    "survival:aft": _LOG,
}
_FIELDS = (
    "left_children",
    "right_children",
    "split_indices",
    "split_conditions",
    "default_left",
    "split_type",
)
"""What a tree says of each of its nodes; of a leaf, the condition is its value."""
_ONE_TARGET = ("binary:logistic", "binary:hinge")


def read_file(path: Path) -> Forest:
    """Read a saved model, as lastmile serves it: classes by their numbers."""
    return read_model(read_document(path))


def read_booster(booster: Any) -> Forest:
    """Read a Booster, up to its best iteration."""
    return read_model(json.loads(booster.save_raw("json")))


def read_estimator(estimator: Any, names: Sequence[str] = ()) -> Forest:
    """Read XGBClassifier, XGBRegressor, XGBRanker and the random forests of both, with their `missing`."""
    forest = read_booster(estimator.get_booster())
    if estimator.missing is not None and estimator.missing == estimator.missing:
        forest.missing = float32.rounded(float(estimator.missing))
    if hasattr(type(estimator), "predict_proba"):
        _classify(estimator, forest)
    elif len(forest.answers) == 1 and (label := forest.answers[0]).labels:
        # Other estimators give the numbers of classes as XGBoost does, which are floats.
        forest.answers = [replace(label, datatype="FP32", labels=[*map(float, label.labels)])]
    else:
        forest.answers = [plain_answer(forest, "FP32")]
    forest.answers = choose(forest.answers, names)
    return forest


def read_model(document: Any) -> Forest:
    """Read a model's document. Raises CannotCompile for what is not carried."""
    learner, version = document["learner"], tuple(document["version"])
    if version[0] < _OLDEST:
        raise CannotCompile("XGBoost version", ".".join(map(str, version)))
    name, parameters = learner["objective"]["name"], learner["learner_model_param"]
    if name not in _OBJECTIVES:
        raise CannotCompile("XGBoost objective", name)
    targets, classes = int(parameters["num_target"]), int(parameters["num_class"])
    if targets > 1 and name in _ONE_TARGET:
        raise CannotCompile("XGBoost targets", targets)
    margins = margins_of(max(targets, classes, 1))
    base = _base(parameters["base_score"], _OBJECTIVES[name].link, version)
    base = base * margins if len(base) == 1 else base
    return Forest(
        features=int(parameters["num_feature"]),
        outputs=margins,
        trees=_trees(learner, base),
        base=base,
        cast="float32",
        accumulate="float32",
        transform=_OBJECTIVES[name].transform,
        answers=_answers(name, margins),
    )


def _answers(objective: str, margins: int) -> list[Answer]:
    labels: list[bool | int | float | str] = list(range(max(margins, 2)))
    proba = Answer("predict_proba", "FP32", columns=len(labels))
    match objective:
        case "binary:logistic":
            rule = Answer("predict", "INT64", "margins", 0, None, labels, "above", _MORE_THAN_HALF)
            return [rule, proba]
        case "multi:softprob":
            return [Answer("predict", "INT64", labels=labels), proba]
        case "multi:softmax":
            return [Answer("predict", "INT64", "margins", labels=labels)]
        case "binary:hinge":
            return [Answer("predict", "INT64", "margins", labels=labels, rule="above")]
        case _:
            return [Answer("predict", "FP32", columns=columns(margins))]


def _classify(estimator: Any, forest: Forest) -> None:
    """Make the answers those of XGBClassifier."""
    names = [answer.name for answer in forest.answers]
    multiclass = forest.outputs > 1
    if estimator.objective == "multi:softmax":
        # Its probabilities are the softmax of the margins; its classes are int32, from the margins themselves.
        forest.transform = "softmax"
        forest.answers[0].datatype = "INT32"
        forest.answers.append(Answer("predict_proba", "FP32", columns=forest.outputs))
    elif names != ["predict", "predict_proba"]:
        raise CannotCompile("XGBClassifier objective", estimator.objective)
    if multiclass != (estimator.n_classes_ > 2):
        raise CannotCompile(
            "XGBClassifier objective", f"{estimator.objective} with {estimator.n_classes_} classes"
        )


def _base(text: str, link: str, version: tuple[int, ...]) -> list[float]:
    """Return base_score, a number or since 3.1 a list of them, as margins."""
    found = json.loads(text)
    scores = [float32.rounded(float(score)) for score in (found if isinstance(found, list) else [found])]
    if link == "log":
        return [float32.log(score) if score > 0 else -inf for score in scores]
    if link == "logit":
        return [_logit(score, clamped=version >= _CLAMPED_SINCE) for score in scores]
    return scores


def _logit(score: float, *, clamped: bool) -> float:
    if clamped:
        least = float32.rounded(1e-6)
        score = min(max(score, least), float32.rounded(1 - least))
    odds = float32.rounded(float32.rounded(1 / score) - 1)
    return -float32.log(odds)


def _trees(learner: Any, base: list[float]) -> list[Tree]:
    """Read the trees up to the best iteration."""
    booster = learner["gradient_booster"]
    if booster["name"] not in ("gbtree", "dart"):
        raise CannotCompile("XGBoost booster", booster["name"])
    model = booster["gbtree"]["model"] if booster["name"] == "dart" else booster["model"]
    entries = sorted(model["trees"], key=lambda entry: int(entry["id"]))
    rounds = int(learner.get("attributes", {}).get("best_iteration", -1)) + 1  # 0: all, as XGBoost has it
    count = model["iteration_indptr"][rounds] if rounds else len(entries)
    weights = booster.get("weight_drop") or [None] * len(entries)
    groups = model["tree_info"]
    chosen = zip(entries, groups, weights, strict=True)
    return [_tree(entry, group, weight, base[group]) for entry, group, weight in chosen][:count]


def _tree(entry: Any, group: int, weight: float | None, base: float) -> Tree:
    if int(entry["tree_param"]["size_leaf_vector"]) > 1:
        raise CannotCompile("XGBoost multi_strategy", "multi_output_tree")
    categories = _categories(entry)
    rows = list(zip(*(entry[name] for name in _FIELDS), strict=True))

    def node_of(number: int) -> Node:
        if number < 0:
            raise IndexError(f"node {number} is none")
        left, right, feature, condition, default_left, kind = rows[number]
        value = float32.rounded(float(condition))
        if left == -1:
            return Leaf([value if weight is None else _dropped(value, weight, base)])
        if kind:
            return CategorySplit(
                index(feature), categories[number], right, left, not default_left, "nonnegative"
            )
        if not value > -inf:
            # Nothing is less: whatever is not missing goes right.
            return CategorySplit(index(feature), set(), left, right, bool(default_left))
        return Split(index(feature), float32.below(value), left, right, bool(default_left))

    return grow(0, node_of, output=group)


def _dropped(value: float, weight: float, base: float) -> float:
    """Return what a leaf of DART adds: XGBoost adds it to the base score first, then takes that away again."""
    alone = float32.rounded(float32.rounded(base + value) - base)
    return float32.rounded(alone * float32.rounded(float(weight)))


def _categories(entry: Any) -> dict[int, set[int]]:
    """Return the categories that go right, by node."""
    found, sizes = entry["categories"], entry["categories_sizes"]
    if any(size < 0 for size in sizes) or sum(sizes) > len(found):
        raise ValueError(f"its splits have {sum(sizes)} categories, but it has {len(found)}")
    places = (entry[name] for name in ("categories_nodes", "categories_segments", "categories_sizes"))
    return {
        node: set(map(index, found[begin : begin + size])) for node, begin, size in zip(*places, strict=True)
    }
