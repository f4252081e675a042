from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from lastmile_runtime.forest_format import MISSING_LEFT, Layout
from lastmile_sls.compile import forest_file
from lastmile_sls.compile.forest import (
    MAX_CATEGORY,
    Answer,
    CategorySplit,
    Forest,
    Leaf,
    Node,
    Split,
    Tree,
)
from lastmile_sls.compile.forest_file import ForestError, render
from tests.native.forests import forests

TREE = Tree([Split(0, 0.5, 2, 1), Leaf([2.0]), Split(1, 1.5, 4, 3), Leaf([5.0]), Leaf([4.0])])
FOREST = Forest(2, 1, [TREE], [0.0])


@settings(max_examples=50, deadline=None)
@given(forests())
def test_the_same_forest_is_the_same_bytes_and_is_read_back(forest: Forest) -> None:
    content = render(forest)
    assert content == render(forest)
    layout = Layout(content)
    assert (layout.features, layout.outputs, list(layout.base)) == (
        forest.features,
        forest.outputs,
        forest.base,
    )
    assert (layout.divide, layout.scale, layout.offset) == (forest.divide, forest.scale, forest.offset)
    assert bool(layout.has_missing) == (forest.missing is not None)
    assert [(tree[2], tree[3]) for tree in layout.trees] == [
        (tree.output, tree.width) for tree in forest.trees
    ]
    assert len(layout.nodes) == sum(len(tree.nodes) for tree in forest.trees)


def test_nodes_lie_breadth_first_with_siblings_together() -> None:
    layout = Layout(render(FOREST))
    assert layout.trees == [(0, 5, 0, 1, 2)]
    assert [(value, left) for value, _, left in layout.nodes] == [
        (0.5, 1),
        (1.5, 3),
        (2.0, 2),
        (4.0, 3),
        (5.0, 4),
    ]


def test_equal_sets_of_categories_are_written_once() -> None:
    tree = Tree(
        [
            CategorySplit(0, {1, 33}, 1, 2),
            CategorySplit(1, {33, 1}, 3, 4),
            Leaf([1.0]),
            Leaf([2.0]),
            Leaf([3.0]),
        ]
    )
    assert Layout(render(Forest(2, 1, [tree] * 9, [0.0]))).words == (2, 2)


def test_what_stands_for_missing_is_cast_as_values_are() -> None:
    assert Layout(render(replace(FOREST, missing=0.1, cast="float32"))).missing == 0.10000000149011612
    assert Layout(render(replace(FOREST, missing=0.1))).missing == 0.1


@pytest.mark.parametrize(("threshold", "left"), [(0.0, True), (-0.0, True), (5e-324, True), (-5e-324, False)])
def test_where_nan_counts_as_zero_it_goes_where_zero_goes(threshold: float, left: bool) -> None:
    tree = Tree([Split(0, threshold, 1, 2, missing_left=not left, missing="none"), Leaf([1.0]), Leaf([2.0])])
    assert bool(Layout(render(Forest(1, 1, [tree], [0.0]))).nodes[0][1] & MISSING_LEFT) == left


def with_fields(**fields: Any) -> Forest:
    return replace(FOREST, **fields)


def with_nodes(*nodes: Any, width: int = 1, **others: Any) -> Forest:
    return replace(FOREST, trees=[TREE, Tree(list(nodes), 0, width)], **others)


def with_answer(**fields: Any) -> Forest:
    return replace(FOREST, answers=[Answer(**{"name": "predict", "datatype": "FP64", **fields})])


LEAVES = (Leaf([1.0]), Leaf([2.0]))
REFUSED = [
    (replace(FOREST, features=0), "features is 0, but must be from 1 to 16777215"),
    (replace(FOREST, features=2**24), "features is 16777216, but must be from 1 to 16777215"),
    (replace(FOREST, outputs=0, base=[]), "outputs is 0, but must be from 1 to 65535"),
    (replace(FOREST, outputs=2**16), "outputs is 65536, but must be from 1 to 65535"),
    (with_fields(cast="float16"), "cast is 'float16', but must be one of float32, float64"),
    (with_fields(accumulate="x"), "accumulate is 'x', but must be one of float32, float64"),
    (with_fields(accepts="x"), "accepts is 'x', but must be one of all, not_infinite, finite"),
    (
        with_fields(transform="log"),
        "transform is 'log', but must be one of identity, sigmoid, binary_sigmoid, softmax, exp, isolation",
    ),
    (
        replace(FOREST, outputs=2, base=[0.0, 0.0], transform="isolation"),
        "outputs is 2, but must be 1 with the transform isolation",
    ),
    (replace(FOREST, base=[0.0, 1.0]), "base has 2 numbers, but there are 1 outputs"),
    (replace(FOREST, base=[math.nan]), "base is nan, but must be finite"),
    (
        replace(FOREST, base=[0.1], accumulate="float32"),
        "base is 0.1, but must be a float32, as accumulate is",
    ),
    (replace(FOREST, missing=math.nan), "missing is NaN, which always is"),
    (replace(FOREST, divide=0.0), "divide is 0.0, but must be finite and not 0"),
    (replace(FOREST, scale=math.inf), "scale is inf, but must be finite and not 0"),
    (replace(FOREST, offset=math.nan), "offset is nan, but must be finite"),
    (with_nodes(), "tree 1 has no nodes"),
    (with_nodes(Leaf([1.0]), width=2), "tree 1 adds to outputs 0 to 2, but there are 1"),
    (with_nodes(Leaf([1.0, 2.0])), "tree 1, node 0 has 2 values, but its tree has the width 1"),
    (with_nodes(Leaf([math.inf])), "tree 1, node 0: its value is inf, but must be finite"),
    (
        with_nodes(Leaf([0.1]), accumulate="float32"),
        "tree 1, node 0: its value is 0.1, but must be a float32, as accumulate is",
    ),
    (with_nodes(Split(2, 0.0, 1, 2), *LEAVES), "tree 1, node 0: its feature is 2, but there are 2"),
    (with_nodes(Split(-1, 0.0, 1, 2), *LEAVES), "tree 1, node 0: its feature is -1, but there are 2"),
    (with_nodes(Split(0, math.nan, 1, 2), *LEAVES), "tree 1, node 0: its threshold is NaN"),
    (with_nodes(Split(0, 0.0, 1, 3), *LEAVES), "tree 1, node 0: its child is 3, but there are 3"),
    (with_nodes(Split(0, 0.0, 1, 1), *LEAVES), "tree 1, node 0: its child 1 has another parent"),
    (with_nodes(Split(0, 0.0, 0, 1), *LEAVES), "tree 1, node 0: its child 0 has another parent"),
    (with_nodes(Leaf([1.0]), *LEAVES), "tree 1: 2 of its nodes have no parent"),
    (
        with_nodes(CategorySplit(0, {2**24}, 1, 2), *LEAVES),
        "tree 1, node 0: it has the category 16777216, but they go from 0 to 16777215",
    ),
    (
        with_nodes(CategorySplit(0, {-1}, 1, 2), *LEAVES),
        "tree 1, node 0: it has the category -1, but they go from 0 to 16777215",
    ),
    (
        replace(FOREST, answers=[Answer("predict", "FP64"), Answer("predict", "FP64")]),
        "answers have the names predict, predict, one of them twice",
    ),
    (with_answer(source="sums"), "answer 'predict': source is 'sums', but must be one of margins, values"),
    (with_answer(rule="max"), "answer 'predict': rule is 'max', but must be one of argmax, above, at_least"),
    (with_answer(threshold=math.nan), "answer 'predict': threshold is nan, but must be finite"),
    (with_answer(first=1), "answer 'predict' takes the columns 1 to 2 of values, but there are 1"),
    (with_answer(columns=0), "answer 'predict' takes the columns 0 to 1 of values, but there are 1"),
    (with_answer(columns=2), "answer 'predict' takes the columns 0 to 2 of values, but there are 1"),
    (with_answer(labels=["a", "b"]), "answer 'predict' takes the columns 0 to 2 of values, but there are 1"),
    (with_answer(labels=["a"], columns=1), "answer 'predict': columns is 1, but classes are one per row"),
    (
        with_answer(labels=["a"], rule="above"),
        "answer 'predict': it has 1 labels, but the rule above takes 2",
    ),
    (
        with_answer(labels=[None]),
        "answer 'predict': the label None is a NoneType, but must be a bool, int, float or str",
    ),
]


@pytest.mark.parametrize(("forest", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_a_forest_that_cannot_be_is_refused(forest: Forest, message: str) -> None:
    with pytest.raises(ForestError, match=re.escape(f"the forest cannot be written: {message}.")):
        render(forest)


def test_more_words_of_categories_than_are_written_are_refused() -> None:
    nodes: list[Node] = []
    for level in range(65):
        nodes += [CategorySplit(0, {MAX_CATEGORY - level}, 2 * level + 1, 2 * level + 2), Leaf([0.0])]
    forest = Forest(1, 1, [Tree([*nodes, Leaf([0.0])])], [0.0])
    with pytest.raises(
        ForestError, match=r"node 128: it has 34078686 words of categories, but at most 33554432"
    ):
        render(forest)


@pytest.mark.parametrize("codes", ["PRECISIONS", "ACCEPTS", "TRANSFORMS", "MATCHES"])
def test_the_specification_has_the_codes(codes: str) -> None:
    specification = (Path(__file__).parents[3] / "native" / "README.md").read_text()
    assert (
        ", ".join(f"{code} {name}" for code, name in enumerate(getattr(forest_file, codes))) in specification
    )
