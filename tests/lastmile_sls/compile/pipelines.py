"""Asks a scikit-learn model and what was compiled from it the same, and compares the answers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

from lastmile_runtime.errors import RequestError
from lastmile_runtime.manifest import TensorSpec, Version
from lastmile_runtime.predictors import pipeline as compiled_kind
from lastmile_runtime.predictors import sklearn as original_kind
from lastmile_runtime.tensors import Tensor
from lastmile_sls.compile.pipeline_file import write
from lastmile_sls.compile.readers.sklearn_pipeline import read

Outputs = dict[str, Tensor]


class Pair:
    """A model in scikit-learn and compiled, both as the runtime serves them."""

    def __init__(self, model: Any, folder: Path, example: Any, outputs: Sequence[str] = ()) -> None:
        self.model = model
        self.frame = isinstance(example, pd.DataFrame)
        self.columns = (
            list(example.columns) if self.frame else [f"x{index}" for index in range(example.shape[1])]
        )
        joblib.dump(model, folder / "model.joblib")
        self.files = write(read(model, outputs), folder / "model.pipeline")
        specs = [TensorSpec(name, "FP64", [-1]) for name in outputs]

        def version(predictor: str, artifact: str) -> Version:
            more = {"columns": self.columns, "frame": self.frame, "outputs": specs}
            return Version("v1", predictor, artifact, **more)  # type: ignore[arg-type]

        self._original = original_kind.load(str(folder / "model.joblib"), version("sklearn", "model.joblib"))
        self._compiled = compiled_kind.load(
            str(folder / "model.pipeline"), version("pipeline", "model.pipeline")
        )

    def original(self, rows: Any) -> Outputs:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return {tensor.name: tensor for tensor in self._original(self.tensors(rows))}

    def compiled(self, rows: Any) -> Outputs:
        return {tensor.name: tensor for tensor in self._compiled(self.tensors(rows))}

    def tensors(self, rows: Any) -> list[Tensor]:
        if not self.frame:
            return [Tensor("input", "FP64", list(rows.shape), rows.ravel().tolist())]
        datatypes = {"f": "FP64", "i": "INT64", "b": "BOOL"}
        return [
            Tensor(name, datatypes.get(rows[name].dtype.kind, "BYTES"), [len(rows)], rows[name].tolist())
            for name in rows.columns
        ]

    def check(self, rows: Any) -> Outputs:
        """Compare every row by itself, then all that the model takes at once; return the answers to those."""
        taken = [index for index in range(len(rows)) if self._agree_on(rows[index : index + 1])]
        if not taken:
            return {}
        kept = rows.iloc[taken] if self.frame else rows[taken]
        answers = self.compiled(kept)
        self._compare(self.original(kept), answers, kept)
        return answers

    def _agree_on(self, row: Any) -> bool:
        try:
            expected = self.original(row)
        except (ValueError, TypeError, OverflowError):
            with pytest.raises(RequestError) as refused:
                self.compiled(row)
            assert refused.value.status == 400
            return False
        self._compare(expected, self.compiled(row), row)
        return True

    def _compare(self, expected: Outputs, found: Outputs, rows: Any) -> None:
        assert list(found) == list(expected)
        sizes = magnitudes(self.model, rows)
        for name, tensor in expected.items():
            ours = found[name]
            assert (ours.datatype, ours.shape) == (tensor.datatype, tensor.shape), name
            if tensor.datatype == "FP64":
                _compare_numbers(name, tensor, ours, sizes)
            elif ours.data != tensor.data:
                self._compare_classes(tensor, ours, rows, sizes)

    def _compare_classes(self, expected: Tensor, found: Tensor, rows: Any, sizes: Any) -> None:
        """Classes may differ where scikit-learn's own scores are as good as equal."""
        with np.errstate(all="ignore"):
            scores = np.asarray(self.model.decision_function(rows)).reshape(len(rows), -1)
        for row, (theirs, ours) in enumerate(zip(expected.data, found.data, strict=True)):
            if theirs != ours:
                best = np.sort(np.append(scores[row], 0.0) if scores.shape[1] == 1 else scores[row])
                assert best[-1] - best[-2] <= 1e-12 * sizes[row].max(), (theirs, ours, scores[row])


def _compare_numbers(name: str, expected: Tensor, found: Tensor, sizes: Any) -> None:
    theirs, ours = (np.array(tensor.data).reshape(len(sizes), -1) for tensor in (expected, found))
    equal = (theirs == ours) | (np.isnan(theirs) & np.isnan(ours))
    with np.errstate(all="ignore"):
        slack = 1e-9 * np.abs(theirs) + 1e-13 * sizes.max(axis=1, keepdims=True) + 1e-300
        near = equal | (np.abs(theirs - ours) <= slack)
    assert near.all(), (name, theirs[~near], ours[~near])


def magnitudes(model: Any, rows: Any) -> Any:
    """Return what a row's sums are made of, without signs: what rounding is relative to. Shape [rows, outputs]."""
    final = model[-1] if hasattr(model, "steps") else model
    coefficients = getattr(final, "coef_", getattr(final, "components_", None))
    if coefficients is None:
        return np.ones((len(rows), 1))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        before = model[:-1].transform(rows) if hasattr(model, "steps") and len(model.steps) > 1 else rows
        dense = np.asarray(before.toarray() if hasattr(before, "toarray") else before, dtype=float)
        sums = np.abs(dense) @ np.abs(np.atleast_2d(coefficients)).T + np.abs(
            getattr(final, "intercept_", 0.0)
        )
        return np.where(np.isfinite(sums), sums, np.finfo(float).max)
