"""Hours of daylight by latitude and day of the year: the sunrise equation, without refraction."""

from __future__ import annotations

import math
from typing import Any


class Daylight:
    """A model that nobody has to train."""

    def predict(self, inputs: dict[str, list[Any]]) -> dict[str, list[float]]:
        """Return the hours of daylight of each row."""
        rows = zip(inputs["latitude"], inputs["day"], strict=True)
        return {"hours": [_hours(latitude, day) for latitude, day in rows]}


def _hours(latitude: float, day: int) -> float:
    declination = math.radians(-23.44) * math.cos(2 * math.pi * (day + 10) / 365)
    cosine = -math.tan(math.radians(latitude)) * math.tan(declination)
    return round(24 * math.acos(max(-1.0, min(1.0, cosine))) / math.pi, 2)
