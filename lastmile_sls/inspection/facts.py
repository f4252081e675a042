"""What was found out about a model."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class ColumnFacts:
    """One input or output of a model."""

    name: str
    datatype: str
    """The Open Inference Protocol's name of the type."""
    shape: tuple[int, ...] = (-1,)
    """-1 is the number of rows."""
    minimum: float | None = None
    """The smallest value in the sample."""
    maximum: float | None = None
    categories: tuple[str, ...] | None = None
    """The strings in the sample, when they are few."""


@dataclass(frozen=True)
class ModelFacts:
    """What `lastmile init` writes a spec from."""

    framework: str
    framework_version: str | None = None
    """The version that the file was made with, when the file says it."""
    requirements: tuple[str, ...] = ()
    """What it takes to load the model, as pip writes it."""
    entry: str | None = None
    """python: the predictor's class."""
    inputs: tuple[ColumnFacts, ...] = ()
    """In the model's order. Each has the shape (-1,) when the model takes a table: its columns."""
    outputs: tuple[ColumnFacts, ...] = ()
    frame: bool = False
    """The model must be given a pandas DataFrame: it selects columns by name, or takes strings."""
    named: bool = True
    """Whether the names of the inputs come from the model (False: it knows only how many there are)."""
    notes: tuple[str, ...] = ()
    """Sentences for the user."""

    def with_note(self, note: str) -> ModelFacts:
        """Return the same facts with one more note."""
        return replace(self, notes=(*self.notes, note))


def numbered_columns(count: int, datatype: str = "FP64") -> tuple[ColumnFacts, ...]:
    """Return the columns x0, x1, ... of a model that knows only how many columns it takes."""
    return tuple(ColumnFacts(f"x{index}", datatype) for index in range(count))
