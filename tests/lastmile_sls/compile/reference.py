"""What a forest answers, one row at a time, on top of what a forest means (tests/native/reference.py)."""

from __future__ import annotations

from typing import Any

from lastmile_runtime.tensors import Tensor
from lastmile_sls.compile.forest import Answer, Forest
from tests.native import reference


def margins(forest: Forest, rows: list[list[float]]) -> list[list[float]]:
    """Return the margins of each row."""
    flat = reference.margins(forest, rows)
    return [flat[begin : begin + forest.outputs] for begin in range(0, len(flat), forest.outputs)]


def answers(forest: Forest, rows: list[list[float]]) -> list[Tensor]:
    """Return the model's answers as tensors."""
    sums = margins(forest, rows)
    values = [[reference.rounded(forest, value) for value in reference.values(forest, row)] for row in sums]
    return [_answer(answer, sums if answer.source == "margins" else values) for answer in forest.answers]


def _answer(answer: Answer, source: list[list[float]]) -> Tensor:
    if answer.labels:
        data = [_decide(answer, row) for row in source]
    else:
        data = [value for row in source for value in row[answer.first : answer.first + (answer.columns or 1)]]
    shape = [len(source)] if answer.columns is None else [len(source), answer.columns]
    return Tensor(answer.name, answer.datatype, shape, data)


def _decide(answer: Answer, row: list[float]) -> Any:
    value = row[answer.first]
    if answer.rule == "above":
        return answer.labels[1] if value > answer.threshold else answer.labels[0]
    if answer.rule == "at_least":
        return answer.labels[1] if value >= answer.threshold else answer.labels[0]
    best = 0
    for index in range(len(answer.labels)):
        if row[answer.first + index] > row[answer.first + best]:
            best = index
    return answer.labels[best]
