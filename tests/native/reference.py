"""What a forest means, as plainly as it can be said: nothing is shared with either evaluator, nor with the file."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lastmile_sls.compile.forest import CategorySplit, Forest, Leaf, Tree

ZERO = float(np.float32(1e-35))


def margins(forest: Forest, rows: list[list[float]]) -> list[float]:
    """Flat, rows x outputs, each operation in the type that the forest says."""
    number: Any = np.float32 if forest.accumulate == "float32" else np.float64
    found: list[float] = []
    with np.errstate(all="ignore"):
        for row in rows:
            values = [cast(forest, value) for value in row]
            sums = [number(value) for value in forest.base]
            for tree in forest.trees:
                for index, value in enumerate(leaf_of(tree, values).values):
                    sums[tree.output + index] = sums[tree.output + index] + number(value)
            # In float64 before it is rounded: forest.divide need not be a float32.
            found += [float(number(np.float64(value) / forest.divide)) for value in sums]
    return found


def cast(forest: Forest, value: float) -> float:
    number: Any = np.float32 if forest.cast == "float32" else np.float64
    with np.errstate(over="ignore"):
        value = float(number(value))
        missing = forest.missing is not None and value == float(number(forest.missing))
    return math.nan if missing else value


def is_accepted(forest: Forest, rows: list[list[float]]) -> bool:
    values = [cast(forest, value) for row in rows for value in row]
    if forest.accepts == "finite":
        return all(math.isfinite(value) for value in values)
    return forest.accepts == "all" or not any(math.isinf(value) for value in values)


def leaf_of(tree: Tree, row: list[float]) -> Leaf:
    node = tree.nodes[0]
    while not isinstance(node, Leaf):
        value = row[node.feature]
        if isinstance(node, CategorySplit):
            left = (
                node.missing_left if math.isnan(value) else category_of(value, node.match) in node.categories
            )
        else:
            if math.isnan(value) and node.missing == "none":
                value = 0.0
            missing = math.isnan(value) or (node.missing == "zero" and abs(value) <= ZERO)
            left = node.missing_left if missing else value <= node.threshold
        node = tree.nodes[node.left if left else node.right]
    return node


def category_of(value: float, match: str) -> int | None:
    if math.isinf(value):
        return None
    if match == "exact" and value != int(value):
        return None
    if match == "nonnegative" and value < 0:
        return None
    return int(value)


def values(forest: Forest, sums: list[float]) -> list[float]:
    """One row's values, through the platform's own exponential: right to a few units in the last place."""
    scaled = [forest.scale * value for value in sums]
    match forest.transform:
        case "identity":
            return scaled
        case "exp":
            return [exp(value) for value in scaled]
        case "sigmoid":
            return [1 / (1 + exp(-value)) for value in scaled]
        case "binary_sigmoid":
            positive = rounded(forest, 1 / (1 + exp(-scaled[0])))
            return [1 - positive, positive]
        case "softmax":
            shares = [exp(value - max(scaled)) for value in scaled]
            return [share / math.fsum(shares) for share in shares]
        case "isolation":
            score = rounded(forest, -exp2(-scaled[0]))
            return [score, score - forest.offset]
    raise AssertionError(forest.transform)


def rounded(forest: Forest, value: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.float32(value)) if forest.accumulate == "float32" else value


def exp(value: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.exp(np.float64(value)))


def exp2(value: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.exp2(np.float64(value)))
