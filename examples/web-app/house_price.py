"""A house's price by its size, age and garden."""

from __future__ import annotations

from typing import Any

NEW_PER_SQUARE_METRE = 4200.0
OLD_PER_SQUARE_METRE = 2600.0
OLD_AT_YEARS = 60
GARDEN = 25_000.0


class HousePrice:
    """Prices of houses, in euros."""

    def predict(self, inputs: dict[str, list[Any]]) -> dict[str, list[float]]:
        """Return the price of each row."""
        rows = zip(inputs["square_metres"], inputs["age"], inputs["garden"], strict=True)
        return {"price": [_price(*row) for row in rows]}


def _price(square_metres: float, age: int, garden: bool) -> float:
    aged = min(age / OLD_AT_YEARS, 1.0)
    per_square_metre = NEW_PER_SQUARE_METRE - aged * (NEW_PER_SQUARE_METRE - OLD_PER_SQUARE_METRE)
    return round(square_metres * per_square_metre + (GARDEN if garden else 0.0), 2)
