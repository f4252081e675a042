"""The one form that every trained ensemble of trees is read into, whichever library trained it.

Evaluating a row, in this order:

1. Each value is rounded to `cast`; what equals `missing` is NaN from here on. A value that `accepts` does not allow is
   refused.
2. `margins` begin as `base`. Each tree, in order, adds the values of the leaf that the row reaches to
   `margins[tree.output : tree.output + tree.width]`. With `accumulate` "float32" every addition is rounded to it;
   leaves and base must be float32 numbers then.
3. Each margin is divided by `divide` (averages; rounded to `accumulate`).
4. `values = transform(scale * margins)`, computed in float64 and rounded to `accumulate` at the end.
5. Each of `answers` is picked from the margins or values, or is a class that they decide on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Precision = Literal["float32", "float64"]
Accepts = Literal["all", "not_infinite", "finite"]
Missing = Literal["nan", "zero", "none"]
Match = Literal["truncated", "nonnegative", "exact"]
Transform = Literal["identity", "sigmoid", "binary_sigmoid", "softmax", "exp", "isolation"]
Source = Literal["margins", "values"]
Rule = Literal["argmax", "above", "at_least"]
Label = bool | int | float | str


@dataclass(slots=True)
class Leaf:
    """Where a row ends: what it adds, finite, one value per output of the tree."""

    values: list[float]


@dataclass(slots=True)
class Split:
    """Goes left when the value is at most the threshold.

    A library that goes left when the value is below it gets the next smaller number of the cast type as threshold.
    """

    feature: int
    threshold: float
    """Any number but NaN; infinities are allowed."""
    left: int
    right: int
    missing_left: bool = False
    """Where a missing value goes."""
    missing: Missing = "nan"
    """What is missing here: "nan" NaN; "zero" NaN and whatever lies within 1e-35 (as a float32) of zero; "none"
    nothing, NaN counts as 0.0 (the last two as LightGBM has them)."""


@dataclass(slots=True)
class CategorySplit:
    """Goes left when the value is one of the categories. NaN goes as `missing_left` says.

    A library that has members go right gets its children swapped.
    """

    feature: int
    categories: set[int]
    """From 0 to MAX_CATEGORY; may be empty."""
    left: int
    right: int
    missing_left: bool = False
    match: Match = "truncated"
    """Which category a value is: "truncated" what remains without its fraction, so -0.5 is 0 (LightGBM);
    "nonnegative" the same, but nothing below zero is any category (XGBoost); "exact" a value with a fraction is no
    category."""


Node = Leaf | Split | CategorySplit

MAX_CATEGORY = 2**24 - 1
OF_ONE_MARGIN = ("binary_sigmoid", "isolation")
"""The transforms that take one margin, and make two values of it."""


@dataclass(slots=True)
class Tree:
    """Nodes that name their children by index, the root first; every node but the root has one parent."""

    nodes: list[Node]
    output: int = 0
    """The first margin that its leaves are added to."""
    width: int = 1
    """How many values each of its leaves has."""


@dataclass(slots=True)
class Answer:
    """One output of the model, as the endpoint names it.

    It has one number per row, of the shape [rows]; with `columns`, that many, of the shape [rows, columns]; with
    `labels`, one class per row.
    """

    name: str
    """Such as predict, predict_proba, decision_function."""
    datatype: str
    """As the Open Inference Protocol has it: FP32 or FP64; of classes INT64, BOOL, BYTES (text) and so on."""
    source: Source = "values"
    first: int = 0
    """The first column of the source that it takes."""
    columns: int | None = None
    """How many it takes; None is one, and drops the axis (of classes: what `rule` needs)."""
    labels: list[Label] = field(default_factory=list)
    """The classes it decides between, in the order of the columns; empty: it answers with the numbers themselves."""
    rule: Rule = "argmax"
    """How it decides: "argmax" the greatest column, the first of equals, out of as many as there are labels; "above" and
    "at_least" look at the one column `first`, and the second of two labels is taken when it is > or >= `threshold`."""
    threshold: float = 0.0


@dataclass(slots=True)
class Forest:
    """An ensemble of trees, and what becomes of their sums."""

    features: int
    outputs: int
    """How many margins there are."""
    trees: list[Tree]
    base: list[float]
    """What each margin begins with, finite."""
    cast: Precision = "float64"
    accumulate: Precision = "float64"
    accepts: Accepts = "all"
    """Values that are no error: "all"; "not_infinite" refuses what is infinite, or becomes so when cast; "finite"
    refuses NaN too (scikit-learn)."""
    missing: float | None = None
    """A number that stands for missing, besides NaN (XGBoost's `missing`); compared after both are cast."""
    divide: float = 1.0
    """Finite, not zero."""
    scale: float = 1.0
    """Finite, not zero; LightGBM's `sigmoid`, scikit-learn's 2 for the exponential loss."""
    transform: Transform = "identity"
    """From margins m (scaled) to values: "identity", "exp" and "sigmoid" each by itself; "binary_sigmoid" one m to
    [1 - sigmoid(m), sigmoid(m)]; "softmax" all m to shares of 1; "isolation" one m to [s, s - offset] with s = -2 ** -m
    (scikit-learn's score_samples and decision_function)."""
    offset: float = 0.0
    """What "isolation" subtracts."""
    answers: list[Answer] = field(default_factory=list)

    @property
    def values(self) -> int:
        """How many values a row has after the transform."""
        return 2 if self.transform in OF_ONE_MARGIN else self.outputs
