"""Compares two predictors, original and compiled, row by row."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from lastmile_runtime.manifest import Version
from lastmile_runtime.tensors import Tensor
from lastmile_sls.certification.rows import Row, Rows

Predict = Callable[[list[Tensor]], list[Tensor]]
FORMAT = "lastmile.certification/1"
TOLERANCES = {"FP64": 1e-9, "FP32": 2e-6, "FP16": 1e-3}
"""The largest difference of a number, of the greater of 1 and the original, by how exact the less exact one is."""
_BATCH = 512


@dataclass(frozen=True)
class Report:
    """What was compared, and how far the two were apart."""

    rows: int
    """How many rows both predicted, or both refused."""
    by_kind: dict[str, int]
    refused: int
    """How many of them both refused."""
    largest_difference: float
    """Of all numbers, relative to the greater of 1 and the original's."""
    row: Row | None
    """Where it was; None where there was none."""
    flips: int = 0
    """How many rows got another class."""
    failure: str | None = None
    """Why it is not certified; None when it is."""
    tolerances: dict[str, float] = field(default_factory=dict)
    """By output."""

    @property
    def passed(self) -> bool:
        """Tell whether the compiled model may stand for the original."""
        return self.failure is None

    def to_json(self) -> dict[str, Any]:
        """Return it as it is written beside the bundle; what JSON has no number for is a word."""
        document = asdict(self)
        document["row"] = None if self.row is None else [_written(value) for value in self.row]
        return {"format": FORMAT, "passed": self.passed, **document}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Report:
        """Return the report that `to_json` wrote; numbers that JSON has not stay words."""
        return cls(**{key: value for key, value in document.items() if key not in ("format", "passed")})


def certify(
    original: Predict,
    compiled: Predict,
    version: Version,
    rows: Sequence[Rows],
    *,
    at_least: float | None = None,
) -> Report:
    """Have both predict all rows, and compare.

    Args:
        original: Predicts with the model as it was trained.
        compiled: Predicts with what would ship.
        version: How the rows are sent: its columns and inputs.
        rows: See `lastmile_sls.certification.rows`.
        at_least: Tolerate this much in every output, where the compiled model computes less exactly than it answers.
    """
    found = _Comparison(original, compiled, version, at_least or 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # overflows are what some of the rows are for
        for kind in rows:
            for start in range(0, len(kind.rows), _BATCH):
                found.compare(kind.kind, kind.rows[start : start + _BATCH])
                if found.failure:
                    return found.report()
    return found.report()


class _Comparison:
    def __init__(self, original: Predict, compiled: Predict, version: Version, at_least: float) -> None:
        self._original = original
        self._compiled = compiled
        self._version = version
        self._at_least = at_least
        self._used: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._refused = 0
        self._largest = 0.0
        self._row: Row | None = None
        self._flips = 0
        self.failure: str | None = None

    def report(self) -> Report:
        return Report(
            sum(self._counts.values()),
            self._counts,
            self._refused,
            self._largest,
            self._row,
            self._flips,
            self.failure,
            self._used,
        )

    def compare(self, kind: str, rows: list[Row]) -> None:
        """Compare the answers to some rows; where either refuses them, in halves down to the row."""
        ours, our_refusal = _outcome(self._compiled, tensors_of(rows, self._version))
        theirs, their_refusal = _outcome(self._original, tensors_of(rows, self._version))
        if ours is not None and theirs is not None:
            self._counts[kind] = self._counts.get(kind, 0) + len(rows)
            self._compare_answers(kind, rows, theirs, ours)
        elif len(rows) > 1:
            self.compare(kind, rows[: len(rows) // 2])
            if not self.failure:
                self.compare(kind, rows[len(rows) // 2 :])
        elif ours is None and theirs is None:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._refused += 1
        else:
            who, other, why = (
                ("compiled", "original", our_refusal)
                if ours is None
                else ("original", "compiled", their_refusal)
            )
            self._fail(kind, rows[0], f"the {who} model refuses it ({why}), the {other} one answers")

    def _compare_answers(self, kind: str, rows: list[Row], theirs: list[Tensor], ours: list[Tensor]) -> None:
        signatures = [
            [(t.name, t.datatype, t.shape) for t in sorted(answers, key=lambda t: t.name)]
            for answers in (theirs, ours)
        ]
        if signatures[0] != signatures[1]:
            self._fail(kind, rows[0], f"the original answers {signatures[0]}, the compiled {signatures[1]}")
            return
        by_name = {tensor.name: tensor for tensor in ours}
        for tensor in theirs:
            self._compare_tensor(kind, rows, tensor, by_name[tensor.name])

    def _compare_tensor(self, kind: str, rows: list[Row], theirs: Tensor, ours: Tensor) -> None:
        width = max(1, len(theirs.data) // len(rows))
        if theirs.datatype not in TOLERANCES:
            for place, (one, other) in enumerate(zip(theirs.data, ours.data, strict=True)):
                if one != other:
                    self._flips += 1
                    self._fail(kind, rows[place // width], f"{theirs.name} is {one!r}, compiled {other!r}")
            return
        tolerance = max(self._at_least, TOLERANCES[theirs.datatype])
        self._used[theirs.name] = tolerance
        for place, (one, other) in enumerate(zip(theirs.data, ours.data, strict=True)):
            apart = difference(one, other)
            if apart > self._largest:
                self._largest, self._row = apart, rows[place // width]
            if apart > tolerance:
                self._fail(kind, rows[place // width], f"{theirs.name} is {one!r}, compiled {other!r}")

    def _fail(self, kind: str, row: Row, what: str) -> None:
        if self.failure is None:
            self.failure = f"{kind} row {[_written(value) for value in row]}: {what}"
            self._row = row


def difference(one: float, other: float) -> float:
    """Return how far a number is from the original, relative to the greater of 1 and the original.

    Two NaNs are the same; a NaN or an infinity is infinitely far from any other number.
    """
    if one == other or (one != one and other != other):  # noqa: PLR0124 - NaN is the number that differs from itself
        return 0.0
    apart = abs(one - other) / max(1.0, abs(one)) if math.isfinite(one) else math.inf
    return math.inf if math.isnan(apart) else apart


def tensors_of(rows: list[Row], version: Version) -> list[Tensor]:
    """Return rows as a request would bring them: one matrix where the version takes one, else a tensor per column."""
    count = len(rows)
    if len(version.inputs) == 1 and len(version.inputs[0].shape) > 1:
        spec = version.inputs[0]
        flat: list[Any] = [value for row in rows for value in row]
        return [Tensor(spec.name, spec.datatype, [count, *spec.shape[1:]], flat)]
    return [
        Tensor(spec.name, spec.datatype, [count, *spec.shape[1:]], [row[index] for row in rows])
        for index, spec in enumerate(version.inputs)
    ]


def _outcome(predict: Predict, inputs: list[Tensor]) -> tuple[list[Tensor] | None, str]:
    try:
        return predict(inputs), ""
    except Exception as error:  # noqa: BLE001 - a model may refuse by any
        return None, f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"


def _written(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
