"""By how many hours a parcel is late, from its distance, its weight and the day of the week."""

from __future__ import annotations

from typing import Any

_SATURDAY = 6
_WEEKEND_H = 14.0
_HEAVY_KG = 31.5
"""Above it, a second person lifts."""


class Delay:
    """A rule of thumb, as a model."""

    def predict(self, inputs: dict[str, list[Any]]) -> dict[str, list[float]]:
        """Return the hours of each row."""
        rows = zip(inputs["distance_km"], inputs["weight_kg"], inputs["weekday"], strict=True)
        return {"delay_h": [_delay(distance, weight, day) for distance, weight, day in rows]}


def _delay(distance_km: float, weight_kg: float, weekday: int) -> float:
    hours = distance_km / 400 + (6.0 if weight_kg > _HEAVY_KG else 0.0)
    return round(hours + (_WEEKEND_H if weekday >= _SATURDAY else 0.0), 2)
