"""What is known of a row between two steps of a pipeline, while it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lastmile_sls.compile.pipeline import Check, Refuses, Step


@dataclass(frozen=True)
class Row:
    """The values of a row: where each comes from and what it may be."""

    origins: tuple[int, ...]
    """Which of the model's columns it is, perhaps scaled; -1: made of several."""
    numeric: tuple[bool, ...]
    """Whether it is surely a float64; otherwise it is of the type that the request gave it."""
    finite: bool = False
    """Whether every value is surely a finite number."""
    sparse: bool = False
    """Whether scikit-learn has it as a sparse matrix, in which XGBoost takes zeros for missing values."""

    @property
    def width(self) -> int:
        """How many values it has."""
        return len(self.origins)

    def take(self, places: Sequence[int]) -> Row:
        """Return the row of these values."""
        return replace(
            self,
            origins=tuple(self.origins[place] for place in places),
            numeric=tuple(self.numeric[place] for place in places),
        )

    def as_numbers(self, *, finite: bool = False) -> Row:
        """Return the row after a step that makes each value a float64 from the one in its place."""
        return replace(self, numeric=(True,) * self.width, finite=finite)

    def check(self, by: str, refuses: Refuses) -> list[Step]:
        """Return the step that refuses what a class does not take; none where nothing can be refused."""
        return [] if self.finite else [Check(by, list(self.origins), refuses)]


def given(columns: int) -> Row:
    """Return the row that a request gives."""
    return Row(tuple(range(columns)), (False,) * columns)


def computed(width: int, *, finite: bool = False, sparse: bool = False) -> Row:
    """Return a row of numbers that are each made of several values."""
    return Row((-1,) * width, (True,) * width, finite, sparse)


def beside(rows: Sequence[Row]) -> Row:
    """Return the row that has the values of all, side by side."""
    return Row(
        tuple(origin for row in rows for origin in row.origins),
        tuple(numeric for row in rows for numeric in row.numeric),
        all(row.finite for row in rows),
        any(row.sparse for row in rows),
    )
