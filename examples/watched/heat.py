"""How much heat homes need, from the temperature outside: degree days."""

from __future__ import annotations

from typing import Any

_WARM_C = 15.0
"""Above it nobody heats."""
_KW_PER_DEGREE = 0.18


class Demand:
    """A model that an engineer can check with a pencil."""

    def predict(self, inputs: dict[str, list[Any]]) -> dict[str, list[float]]:
        """Return the megawatts of each row."""
        rows = zip(inputs["outside_c"], inputs["homes"], strict=True)
        return {"megawatts": [_megawatts(outside, homes) for outside, homes in rows]}


def _megawatts(outside_c: float, homes: int) -> float:
    return round(max(0.0, _WARM_C - outside_c) * _KW_PER_DEGREE * homes / 1000, 3)
