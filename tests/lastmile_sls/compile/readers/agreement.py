"""Compares a compiled model with the original, as each of them is served."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from lastmile_runtime import forest as runtime
from lastmile_runtime import forest_python, predictors
from lastmile_runtime.manifest import TensorSpec, Version
from lastmile_runtime.predictors import trees
from lastmile_runtime.tensors import Tensor
from lastmile_sls.compile import readers
from lastmile_sls.compile.forest import CategorySplit, Forest, Leaf
from lastmile_sls.compile.forest_file import render
from lastmile_sls.compile.refusal import REFUSALS, CannotCompile
from tests.lastmile_sls.compile import reference

Predict = Callable[[list[Tensor]], list[Tensor]]

TOLERANCES = {"FP64": 1e-12, "FP32": 1e-6}
EXTREMES = [0.0, -0.0, 1e-35, -1e-35, 1e-36, 5e-324, -1e-45, 1e38, -1e38, 1e300, -1e300, 0.5, -0.5, 1.5]
NO_CATEGORIES = [
    -1.0,
    -0.5,
    -1.5,
    0.5,
    1e9,
    2.0**24,
    2.0**31,
    2.0**32 + 1,
    2.0**63,
    -(2.0**31),
    -3e9,
    255.0,
    300.0,
]
WITHOUT = {"all": [math.nan, math.inf, -math.inf], "not_infinite": [math.nan], "finite": []}


def check_estimator(estimator: Any, folder: Path, *, seed: int = 0, outputs: tuple[str, ...] = ()) -> Forest:
    """Compile a fitted estimator and compare. Returns the forest."""
    path = folder / "model.joblib"
    joblib.dump(estimator, path)
    forest = readers.read_estimator(joblib.load(path), outputs)
    compare(forest, path, "sklearn", probes(forest, seed), outputs)
    return forest


def check_file(path: Path, framework: str, *, seed: int = 0) -> Forest:
    """Compile a model file and compare. Returns the forest."""
    forest = readers.read_file(path, framework)
    compare(forest, path, framework, probes(forest, seed))
    return forest


def compare(forest: Forest, path: Path, framework: str, rows: Any, outputs: tuple[str, ...] = ()) -> None:
    """Assert that the compiled model answers as the original does, in names, types, shapes and numbers."""
    specs = [TensorSpec(name, "FP64", [-1]) for name in outputs]
    version = Version("v1", framework, str(path), outputs=specs)
    original = predictors.load(str(path), version)
    inputs = [Tensor("input", "FP64", list(rows.shape), rows.ravel().tolist())]
    with np.errstate(over="ignore"):
        expected = original(inputs)
    content = render(forest)
    for evaluator in (forest_python, runtime.evaluator()):
        found, _ = evaluator.load(content).evaluate(rows.tolist())
        assert found == [margin for row in reference.margins(forest, rows.tolist()) for margin in row]
    compiled = path.with_suffix(".forest")
    compiled.write_bytes(content)
    for found in (reference.answers(forest, rows.tolist()), trees.load(str(compiled), version)(inputs)):
        assert [tensor.name for tensor in found] == [tensor.name for tensor in expected]
        for ours, theirs in zip(found, expected, strict=True):
            assert (ours.datatype, ours.shape) == (theirs.datatype, theirs.shape), ours.name
            same(ours, theirs)


def same(ours: Tensor, theirs: Tensor) -> None:
    """Classes must be equal, numbers within the tolerance of their type."""
    tolerance = TOLERANCES.get(theirs.datatype)
    if tolerance is None:
        assert ours.data == theirs.data, ours.name
        return
    # What is left of 1 where a probability comes near it, and of scores less their offset, has the error of 1.
    np.testing.assert_allclose(ours.data, theirs.data, rtol=tolerance, atol=tolerance / 10, err_msg=ours.name)


def probes(forest: Forest, seed: int, count: int = 60) -> Any:
    """Return rows that hit thresholds and what lies beside them, categories and what is none, missing and extreme."""
    random = np.random.default_rng(seed)
    pools = [list(pool) for pool in _pools(forest)]
    rows = random.normal(size=(count, forest.features)) * 2
    for row in rows:
        for feature, pool in enumerate(pools):
            if random.random() < 0.6:
                row[feature] = pool[random.integers(len(pool))]
    return rows


def _pools(forest: Forest) -> Iterator[list[float]]:
    for feature in range(forest.features):
        splits = [
            node
            for tree in forest.trees
            for node in tree.nodes
            if not isinstance(node, Leaf) and node.feature == feature
        ]
        pool = [*EXTREMES, *WITHOUT[forest.accepts]]
        for split in splits:
            if isinstance(split, CategorySplit):
                pool += [*map(float, split.categories), *NO_CATEGORIES, 1.0, 2.0, 3.0]
            else:
                pool += around(split.threshold)
        if all(isinstance(split, CategorySplit) and split.match == "exact" for split in splits):
            # Where it may be a category, scikit-learn's encoder refuses what is infinite.
            pool = [value for value in pool if not math.isinf(value)]
        if forest.missing is not None:
            pool += [forest.missing] * 5
        if forest.accepts != "all":
            pool = [value for value in pool if not abs(value) > 3e38]
        yield pool


def around(threshold: float) -> list[float]:
    """Return a threshold and the numbers next to it, as float64 and as float32."""
    with np.errstate(over="ignore"):
        narrow = np.float32(threshold)
        below, above = np.nextafter(narrow, np.float32(-np.inf)), np.nextafter(narrow, np.float32(np.inf))
        wide = [threshold, np.nextafter(threshold, -np.inf), np.nextafter(threshold, np.inf)]
    return [float(value) for value in (*wide, narrow, below, above, (float(narrow) + float(above)) / 2)]


def margins(forest: Forest, rows: Any) -> Any:
    """Return the margins of each row, [rows, outputs]."""
    return np.array(reference.margins(forest, rows.tolist()))


def refused(option: str, read: Callable[[], Any]) -> None:
    """Assert that a model is refused for this option, and by its name."""
    with pytest.raises(CannotCompile) as caught:
        read()
    assert caught.value.option == option
    assert option in caught.value.message
    assert REFUSALS[option] in caught.value.message
