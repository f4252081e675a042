"""Measures the evaluator beside the library that trained the model: opening, one row, and 2000 rows at once.

Needs `make native`, scikit-learn and xgboost. Run it as `.venv/bin/python bench/trees.py`.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

from lastmile_runtime.forest import evaluator, open_forest
from lastmile_sls.compile.forest_file import render
from lastmile_sls.compile.readers import read_estimator

FEATURES, ROWS, ROUNDS = 30, 2000, 7
MEASUREMENTS = "{:42} {:>9} {:>9} {:>12} {:>7} {:>10} {:>12} {:>7}\n"


def models() -> Iterator[tuple[str, Any, Callable[[Any], Any]]]:
    """Yield what to call a trained model, the model, and how its library predicts a matrix, as quickly as it can."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(20_000, FEATURES)).astype(np.float32)
    labels = (rows[:, 0] * rows[:, 1] + rows[:, 2] + random.normal(size=len(rows)) > 0).astype(int)
    boosting = GradientBoostingClassifier(n_estimators=200, max_depth=4, subsample=0.2, max_features=5)
    boosting.fit(rows[:5000], labels[:5000])
    yield "scikit-learn, 200 trees of depth 4", boosting, boosting.predict_proba
    forest = RandomForestClassifier(n_estimators=200, max_depth=12, n_jobs=1, random_state=0)
    forest.fit(rows[:5000], labels[:5000])
    yield "scikit-learn, forest of 200, depth 12", forest, forest.predict_proba
    for depth in (6, 8):
        model = xgboost.XGBClassifier(n_estimators=500, max_depth=depth, min_child_weight=0, n_jobs=1)
        model.fit(rows, labels)
        booster = model.get_booster()
        booster.set_param({"nthread": 1})
        yield f"xgboost, 500 trees of depth {depth}", model, booster.inplace_predict


def per_call_us(call: Callable[[Any], Any], arguments: list[Any]) -> float:
    """Return microseconds per call, over all arguments."""
    started = time.perf_counter()
    for argument in arguments:
        call(argument)
    return (time.perf_counter() - started) / len(arguments) * 1e6


def main() -> None:
    """Print one line per model."""
    write = sys.stdout.write
    write(
        f"{evaluator().__name__}; medians of {ROUNDS} interleaved rounds, microseconds; every row is another\n"
    )
    write(
        MEASUREMENTS.format(
            "model", "open", "row", "its library", "ratio", "2000 rows", "its library", "ratio"
        )
    )
    table = np.random.default_rng(1).normal(size=(ROWS, FEATURES)).astype(np.float32)
    lists = table.tolist()
    for name, model, library in models():
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "model.forest")
            Path(path).write_bytes(render(read_estimator(model)))
            forest = open_forest(path)
            matrices = [table[row : row + 1] for row in range(200)]
            taken: list[list[float]] = [[] for _ in range(5)]
            for _ in itertools.repeat(None, ROUNDS):
                taken[0].append(per_call_us(open_forest, [path] * 10))
                taken[1].append(per_call_us(forest.evaluate, lists))
                taken[2].append(per_call_us(library, matrices))
                taken[3].append(per_call_us(forest.evaluate, [table]))
                taken[4].append(per_call_us(library, [table]))
        opened, row, row_theirs, many, many_theirs = (statistics.median(times) for times in taken)
        cells = [f"{opened:.0f}", f"{row:.1f}", f"{row_theirs:.0f}", f"{row_theirs / row:.0f}x"]
        cells += [f"{many:.0f}", f"{many_theirs:.0f}", f"{many_theirs / many:.1f}x"]
        write(MEASUREMENTS.format(name, *cells))


if __name__ == "__main__":
    main()
