"""The form that linear models and scikit-learn's pipelines are read into: steps that make a row into another row.

A row is a list of values: the request's numbers and texts at first, float64 numbers after the steps that say so. Every
step does what scikit-learn's class does, in the same order of operations, so that nothing but the order in which a sum
is added up differs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from lastmile_sls.compile.forest import Answer, Forest

Value = bool | int | float | str
Refuses = Literal["infinite", "not_finite"]
Link = Literal[
    "identity", "exp", "binary_sigmoid", "binary_softmax", "sigmoid_shares", "softmax",
    "binary_modified_huber", "modified_huber_shares", "scores",
]  # fmt: skip


@dataclass(slots=True)
class Check:
    """Refuses text, and numbers that a class does not take."""

    KIND: ClassVar = "check"
    by: str
    """The class that refuses them, for the message."""
    origins: list[int]
    """Which of the model's columns each value is; -1: one that was computed."""
    refuses: Refuses
    """ "infinite" lets NaN through."""


@dataclass(slots=True)
class Select:
    """Takes values by their places."""

    KIND: ClassVar = "select"
    places: list[int]


@dataclass(slots=True)
class Standardize:
    """(value - shift) / scale, column by column; None leaves a part out. Then cut to +-`limit`."""

    KIND: ClassVar = "standardize"
    shift: list[float] | None
    scale: list[float] | None
    """Without zeros."""
    limit: float | None = None


@dataclass(slots=True)
class Rescale:
    """value * scale + shift, column by column, then cut to `limits`."""

    KIND: ClassVar = "rescale"
    scale: list[float]
    shift: list[float]
    limits: tuple[float, float] | None = None


@dataclass(slots=True)
class Normalize:
    """Divides a row by its norm; a row whose norm is 0, or nearly so, stays."""

    KIND: ClassVar = "normalize"
    norm: Literal["l1", "l2", "max"]


@dataclass(slots=True)
class Binarize:
    """1.0 above the threshold, else 0.0."""

    KIND: ClassVar = "binarize"
    threshold: float


@dataclass(slots=True)
class Apply:
    """A function of numpy's, value by value."""

    KIND: ClassVar = "apply"
    function: str
    """One of FUNCTIONS."""


@dataclass(slots=True)
class Impute:
    """Puts a column's own value where `missing` stands, then leaves columns out and adds indicators."""

    KIND: ClassVar = "impute"
    missing: Value
    """NaN: whatever is NaN."""
    fill: list[Value]
    keep: list[int] | None
    """The columns that remain; None: all."""
    indicators: list[int]
    """For each of these columns 1.0 is added at the end where it was missing, else 0.0."""


@dataclass(slots=True)
class Categories:
    """What an encoder knows of one column."""

    origin: int
    """Which of the model's columns it is; -1: one that was computed."""
    values: list[Value]
    """Without NaN."""
    codes: list[float]
    """One per value: the number that stands for it; of OneHot the place of its 1.0 in the new row, -1 for none."""
    missing: float | None
    """The code of NaN; None: it is no category."""
    unknown: float | None
    """The code of any other value; None: it is refused."""


@dataclass(slots=True)
class OneHot:
    """A row of zeros, with 1.0 where the categories' codes say."""

    KIND: ClassVar = "one_hot"
    columns: list[Categories]
    width: int


@dataclass(slots=True)
class Ordinal:
    """The categories' codes."""

    KIND: ClassVar = "ordinal"
    columns: list[Categories]


@dataclass(slots=True)
class Polynomial:
    """Products of values: one per term, which names the places; the empty term is 1.0."""

    KIND: ClassVar = "polynomial"
    terms: list[list[int]]


@dataclass(slots=True)
class Project:
    """Sums of products, one per component, less its offset, over its scale."""

    KIND: ClassVar = "project"
    components: list[list[float]]
    offset: list[float] | None
    scale: list[float] | None


@dataclass(slots=True)
class Branches:
    """The same row through several lists of steps, and what comes out side by side."""

    KIND: ClassVar = "branches"
    branches: list[list[Step]]


Step = (
    Check
    | Select
    | Standardize
    | Rescale
    | Normalize
    | Binarize
    | Apply
    | Impute
    | OneHot
    | Ordinal
    | Polynomial
    | Project
    | Branches
)

FUNCTIONS = (
    "abs",
    "exp",
    "expm1",
    "log",
    "log10",
    "log1p",
    "log2",
    "negative",
    "sign",
    "sqrt",
    "square",
    "tanh",
)


@dataclass(slots=True)
class Linear:
    """margins = coefficients * row + intercepts; values = link(margins).

    "scores" is scikit-learn's SGDOneClassSVM: the margin and, beside it, margin + `offset`. "sigmoid_shares" and
    "modified_huber_shares" take each margin by itself, and divide by their sum.
    """

    KIND: ClassVar = "linear"
    coefficients: list[list[float]]
    """One list per margin."""
    intercepts: list[float]
    link: Link = "identity"
    offset: float = 0.0


@dataclass(slots=True)
class Pipeline:
    """A model: the steps, and what answers at their end."""

    columns: int
    """How many values a row has at first."""
    steps: list[Step]
    final: Linear | Forest | None
    """None: the row itself is the answer (of a transformer)."""
    width: int
    """How many values a row has after the steps."""
    answers: list[Answer] = field(default_factory=list)
    """Of Linear: from its margins and values. None: the row is both. A forest has its own."""

    @property
    def widths(self) -> tuple[int, int]:
        """How many margins and values a row has, unless a forest answers."""
        if not isinstance(self.final, Linear):
            return self.width, self.width
        margins = len(self.final.coefficients)
        return margins, 2 if self.final.link in ("scores", *BINARY) else margins


BINARY = ("binary_sigmoid", "binary_softmax", "binary_modified_huber")
"""Links from one margin to two shares."""
