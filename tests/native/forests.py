"""Random forests of every kind, and rows that look for trouble: for hypothesis and for the fuzzer's corpus."""

from __future__ import annotations

import struct
from typing import Any

from hypothesis import strategies as st

from lastmile_sls.compile.forest import CategorySplit, Forest, Leaf, Node, Split, Tree

TROUBLE = [
    0.0,
    -0.0,
    5e-324,
    -5e-324,
    1e-35,
    -1e-35,
    struct.unpack("<f", struct.pack("<f", 1e-35))[0],
    1.0000000180025097e-35,
    0.1,
    -0.5,
    -1.0,
    -1.0000001,
    1.0,
    1.5,
    31.0,
    32.0,
    63.999,
    16777215.0,
    16777216.0,
    2147483648.0,
    -2147483649.0,
    9.3e18,
    1.8e19,
    3.4028234663852886e38,
    3.4028235677973366e38,
    1e300,
    -1e300,
    float("inf"),
    float("-inf"),
    float("nan"),
]
"""Values at the edges of a type or of a rule."""


def float32(value: float) -> float:
    """Round to a float32; infinite beyond its largest."""
    import numpy as np

    with np.errstate(over="ignore"):
        return float(np.float32(value))


def numbers() -> st.SearchStrategy[float]:
    """Any float64, often one that means trouble."""
    return st.sampled_from(TROUBLE) | st.floats(-40, 40) | st.floats()


def _addends(accumulate: str) -> st.SearchStrategy[float]:
    plain = st.floats(-3, 3) | st.floats(allow_nan=False, allow_infinity=False)
    if accumulate == "float64":
        return plain
    return st.floats(-3, 3, width=32) | st.floats(allow_nan=False, allow_infinity=False, width=32)


@st.composite
def trees(draw: Any, features: int, outputs: int, accumulate: str) -> Tree:
    """A tree whose nodes lie in any order but for the root."""
    output = draw(st.integers(0, outputs - 1))
    width = draw(st.integers(1, outputs - output))
    addends = _addends(accumulate)
    nodes: list[Node | None] = [None]
    open_nodes = [0]
    budget = draw(st.integers(0, 12))
    while open_nodes:
        at = open_nodes.pop(draw(st.integers(0, len(open_nodes) - 1)))
        if budget == 0:
            nodes[at] = Leaf(draw(st.lists(addends, min_size=width, max_size=width)))
            continue
        budget -= 1
        left, right = len(nodes), len(nodes) + 1
        if draw(st.booleans()):
            left, right = right, left
        nodes += [None, None]
        open_nodes += [left, right]
        feature, missing_left = draw(st.integers(0, features - 1)), draw(st.booleans())
        if draw(st.integers(0, 3)) == 0:
            members = draw(st.sets(st.integers(0, 70) | st.just(1000), max_size=8))
            match = draw(st.sampled_from(["truncated", "nonnegative", "exact"]))
            nodes[at] = CategorySplit(feature, members, left, right, missing_left, match)
        else:
            threshold = draw(numbers().filter(lambda value: value == value))
            missing = draw(st.sampled_from(["nan", "nan", "zero", "none"]))
            nodes[at] = Split(feature, threshold, left, right, missing_left, missing)
    return Tree([node for node in nodes if node is not None], output, width)


@st.composite
def forests(draw: Any) -> Forest:
    """A forest with any of the options."""
    transform = draw(
        st.sampled_from(["identity", "sigmoid", "binary_sigmoid", "softmax", "exp", "isolation"])
    )
    outputs = 1 if transform in ("binary_sigmoid", "isolation") else draw(st.integers(1, 4))
    features = draw(st.integers(1, 5))
    accumulate = draw(st.sampled_from(["float32", "float64"]))
    factors = st.sampled_from([1.0, 1.0, 2.0, -0.3, 7.0, 1e300])
    return Forest(
        features=features,
        outputs=outputs,
        trees=draw(st.lists(trees(features, outputs, accumulate), max_size=20)),
        base=draw(st.lists(_addends(accumulate), min_size=outputs, max_size=outputs)),
        cast=draw(st.sampled_from(["float32", "float64"])),
        accumulate=accumulate,
        accepts=draw(st.sampled_from(["all", "all", "not_infinite", "finite"])),
        missing=draw(st.none() | st.sampled_from([0.0, -1.0, 0.1, float("inf")])),
        divide=draw(factors),
        scale=draw(factors),
        transform=transform,
        offset=draw(st.sampled_from([0.0, -0.5])),
    )


@st.composite
def cases(draw: Any) -> tuple[Forest, list[list[float]]]:
    """A forest and rows for it: more than are walked at a time, sometimes."""
    forest = draw(forests())
    values = {node.threshold for tree in forest.trees for node in tree.nodes if isinstance(node, Split)}
    some = st.sampled_from(sorted(values)) | numbers() if values else numbers()
    rows = draw(st.lists(st.lists(some, min_size=forest.features, max_size=forest.features), max_size=11))
    return forest, rows
