"""A row of an invented bill, before a cloud gives it its form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from lastmile_sls.costs.example.fleet import CURRENCY, Cloud

Category = Literal["Usage", "Purchase", "Tax", "Credit", "Adjustment"]
PLACE = Decimal("1e-10")
"""What an invented amount is rounded to."""


@dataclass(frozen=True)
class Resource:
    """What a charge is for."""

    id: str
    name: str
    type: str


@dataclass(frozen=True)
class Charge:
    """A row of a bill, before a cloud gives it its form."""

    day: date
    cloud: Cloud
    service: str
    category: str
    """FOCUS's ServiceCategory."""
    meter: str
    unit: str
    quantity: Decimal
    price: Decimal
    """Of one unit, by the list."""
    effective: Decimal
    billed: Decimal
    resource: Resource | None
    tags: Mapping[str, str]
    charge: Category = "Usage"
    correction: bool = False

    @property
    def currency(self) -> str:
        """Of its cloud's bill."""
        return CURRENCY[self.cloud]

    @property
    def listed(self) -> Decimal:
        """At the list price."""
        return (self.quantity * self.price).quantize(PLACE)
