"""The native evaluator, the one in Python and a naive reference give the same bits for any forest and any row."""

from __future__ import annotations

import math
import random
from array import array
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from lastmile_sls.compile.forest import CategorySplit, Forest, Leaf, Match, Node, Split, Tree
from lastmile_sls.compile.forest_file import render
from tests.native import reference
from tests.native.evaluators import EVALUATORS, bits, outcome
from tests.native.forests import cases, float32

Case = tuple[Forest, list[list[float]]]
EXAMPLES = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@EXAMPLES
@given(cases())
def test_all_three_agree(case: Case) -> None:
    forest, rows = case
    content = render(forest)
    native, python = (outcome(module.load(content).evaluate, rows) for module in EVALUATORS.values())
    if not reference.is_accepted(forest, rows):
        assert native == python
        assert native[0] == "ValueError"
        return
    assert (native[0], python[0]) == ("returned", "returned"), (native, python)
    (margins, values), (python_margins, python_values) = native[1], python[1]
    assert bits(margins) == bits(python_margins) == bits(reference.margins(forest, rows))
    assert bits(values) == bits(python_values)
    assert len(values) == len(rows) * forest.values
    for row in range(len(rows)):
        sums = margins[row * forest.outputs : (row + 1) * forest.outputs]
        expected = [reference.rounded(forest, value) for value in reference.values(forest, sums)]
        found = values[row * forest.values : (row + 1) * forest.values]
        tolerance = 3e-7 if forest.accumulate == "float32" else 1e-14
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=1e-300)


@pytest.mark.parametrize("match", ["truncated", "nonnegative", "exact"])
@pytest.mark.parametrize("value", [-1.0, -0.5, -0.0, 0.0, 0.5, 31.0, 32.0])
def test_no_value_is_a_member_of_an_empty_set(value: float, match: Match) -> None:
    """Nor is a word read that the set does not have: -0.5 is category 0 without its fraction."""
    nodes: list[Node] = [CategorySplit(0, set(), 1, 2, match=match), Leaf([1.0]), Leaf([2.0])]
    forest = Forest(features=1, outputs=1, trees=[Tree(nodes)], base=[0.0])
    for module in EVALUATORS.values():
        assert module.load(render(forest)).evaluate([[value]]) == ([2.0], [2.0])


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("features", [1, 30, 5000])
def test_many_rows_are_what_each_is_alone(features: int, width: int) -> None:
    """Across blocks, lanes and remainders; deep and unbalanced trees beside single leaves."""
    random_ = random.Random(features)
    chain: list[Leaf | Split | CategorySplit] = []
    for depth in range(40):
        chain += [
            Split(depth % features, depth / 20 - 1, 2 * depth + 1, 2 * depth + 2),
            Leaf([depth / 7] * width),
        ]
    chain.append(Leaf([-1.0] * width))
    stump = Tree([Leaf([0.1] * width)], 0, width)
    forest = Forest(features, width, [stump, Tree(chain, 0, width), stump] * 7, [0.5] * width)
    rows = [[random_.gauss(0, 1) for _ in range(features)] for _ in range(203 if features < 5000 else 19)]
    rows[5][0] = math.nan
    loaded = EVALUATORS["native"].load(render(forest))
    together = loaded.evaluate(rows)[0]
    alone = [value for row in rows for value in loaded.evaluate(row)[0]]
    assert bits(together) == bits(alone) == bits(reference.margins(forest, rows))


@pytest.mark.parametrize("module", EVALUATORS.values(), ids=EVALUATORS)
@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4"])
def test_rows_come_in_any_form(dtype: str, module: Any) -> None:
    tree = Tree([Split(1, 2.0, 1, 2), Leaf([1.0]), Split(0, -1.0, 3, 4), Leaf([10.0]), Leaf([100.0])])
    loaded = module.load(render(Forest(2, 1, [tree], [0.0])))
    rows = np.array([[0, 1], [-3, 3], [3, 3], [2**31 - 1, -(2**31)]], dtype=dtype)
    expected = [1.0, 10.0, 100.0, 1.0]
    unaligned = (
        memoryview(b"x" + rows.tobytes())[1:].cast("B").cast(rows.dtype.char if dtype != "i8" else "q")
    )
    for form in (
        rows,
        rows.ravel(),
        rows.tolist(),
        rows.ravel().tolist(),
        unaligned,
        array("d", rows.ravel()),
    ):
        assert loaded.evaluate(form) == (expected, expected)
    assert loaded.evaluate([]) == loaded.evaluate(rows[:0]) == ([], [])
    assert loaded.evaluate([True, False])[0] == [1.0]


def test_a_huge_batch_equals_its_slices() -> None:
    rows = np.random.default_rng(0).normal(size=(100_003, 3))
    tree = Tree([Split(0, 0.0, 1, 2), Leaf([1.0]), Split(1, 0.5, 3, 4), Leaf([2.0]), Leaf([4.0])])
    loaded = EVALUATORS["native"].load(render(Forest(3, 1, [tree] * 3, [0.0], transform="sigmoid")))
    margins, values = loaded.evaluate(rows)
    expected = 3 * np.where(rows[:, 0] <= 0, 1.0, np.where(rows[:, 1] <= 0.5, 2.0, 4.0))
    assert margins == expected.tolist()
    np.testing.assert_allclose(values, 1 / (1 + np.exp(-expected)), rtol=1e-15)


def test_float32_sums_are_rounded_one_by_one() -> None:
    leaves = [float32(0.1)] * 1000
    forest = Forest(1, 1, [Tree([Leaf([value])]) for value in leaves], [0.0], accumulate="float32")
    total = np.float32(0)
    for value in leaves:
        total += np.float32(value)
    for module in EVALUATORS.values():
        assert module.load(render(forest)).evaluate([[0.0]])[0] == [float(total)]
    assert float(total) != float32(math.fsum(leaves))


@pytest.mark.parametrize("module", EVALUATORS.values(), ids=EVALUATORS)
@pytest.mark.parametrize(
    "transform", ["identity", "sigmoid", "binary_sigmoid", "softmax", "exp", "isolation"]
)
def test_values_are_rounded_to_the_type_of_the_sums(module: Any, transform: Any) -> None:
    outputs = 1 if transform in ("binary_sigmoid", "isolation") else 3
    base = [float32(0.3), float32(-0.7), float32(0.1)][:outputs]
    forest = Forest(1, outputs, [], base, transform=transform, scale=1.7, offset=0.1)
    exact = module.load(render(forest)).evaluate([0.0])[1]
    rounded = module.load(render(replace(forest, accumulate="float32"))).evaluate([0.0])[1]
    first = [float32(value) for value in exact]
    match transform:
        case "binary_sigmoid":
            expected = [float32(1 - first[1]), first[1]]
        case "isolation":
            expected = [first[0], float32(first[0] - 0.1)]
        case _:
            expected = first
    assert rounded == expected != exact
