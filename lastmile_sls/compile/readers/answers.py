"""What a model is asked for, and the classes it decides between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lastmile_runtime.forest_format import MAX_OUTPUTS
from lastmile_sls.compile.forest import Answer, Forest
from lastmile_sls.compile.refusal import CannotCompile

DEFAULTS = ("predict", "predict_proba")
"""What an estimator answers with where nothing else is asked for, of these what it has."""


def choose(known: list[Answer], names: Sequence[str]) -> list[Answer]:
    """Return the answers of these names, in their order. Raises CannotCompile for a name that is not known."""
    by_name = {answer.name: answer for answer in known}
    for name in names:
        if name not in by_name:
            raise CannotCompile("output", name)
    return [by_name[name] for name in names or DEFAULTS if name in by_name]


def margins_of(count: int) -> int:
    """Return how many margins a file says there are. Raises ValueError for more than a forest has, before any is made."""
    if count > MAX_OUTPUTS:
        raise ValueError(f"it has {count} outputs, but at most {MAX_OUTPUTS} are read")
    return count


def columns(count: int) -> int | None:
    """Return how many columns an answer has; one drops the axis."""
    return count if count > 1 else None


def class_answer(classes: Any, **rule: Any) -> Answer:
    """Return the answer that decides on one of the classes (an array), of the type that the endpoint gives them."""
    from lastmile_runtime.predictors.arrays import from_array

    labels = from_array("predict", classes)
    return Answer("predict", labels.datatype, labels=list(labels.data), **rule)


def plain_answer(forest: Forest, datatype: str) -> Answer:
    """Return the answer of an estimator that does not classify: the values, of two complements the second."""
    if forest.transform == "binary_sigmoid":
        return Answer("predict", datatype, first=1)
    return Answer("predict", datatype, columns=columns(forest.outputs))
