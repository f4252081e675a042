"""What serves a version."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Served:
    """What serves a version, for people and for JSON."""

    version: str
    predictor: str
    size_bytes: int
    certified_rows: int | None
    """How many rows the original and the compiled model were compared on; None where the original is served."""
    largest_difference: float | None
    not_taken: dict[str, str]
    """Why no faster predictor was taken, by predictor."""
