"""What a unit of a meter costs in a region, with where and when that was read: a book of list prices. Pure.

A list is a JSON document, the same for what is shipped and for what `lastmile prices refresh` writes:

    {"format": "lastmile.prices/1", "cloud": "aws", "currency": "USD",
     "meters": {"aws.lambda.duration.arm64": {
        "name": "Lambda: duration on arm64", "unit": "GB-second", "free": "400000",
        "prices": [{"regions": ["us-east-1"], "tiers": [["0", "0.0000133334"], ["7500000000", "0.0000120001"]],
                    "source": "https://...", "read": "2026-11-23", "verified": true}]}}}

Numbers are decimal text. `regions` may be `["*"]` where the cloud states one price for all of them. `free` is what an
account has free each month, in units; a price may have its own. A price that nobody could read at its source is there
with `verified` false, or not at all; it is never made up from another region's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from lastmile_sls.errors import LastmileError

FORMAT = "lastmile.prices/1"
EVERYWHERE = "*"


class UnpricedError(LastmileError):
    """A meter has no price in a region; the message names both."""

    def __init__(self, meter: str, region: str, cloud: str) -> None:
        super().__init__(
            f"there is no price of {meter} in {region}.",
            f"Read the cloud's own: lastmile prices refresh --target {cloud} --region {region}",
        )
        self.meter = meter
        self.region = region


@dataclass(frozen=True)
class Tier:
    """From how much in a month on a unit has this price."""

    start: Decimal
    price: Decimal


@dataclass(frozen=True)
class Price:
    """A meter's list price in a region."""

    meter: str
    name: str
    """For people."""
    region: str
    unit: str
    """What is counted, such as GB-second."""
    currency: str
    tiers: tuple[Tier, ...]
    """By start; the first starts at 0."""
    free: Decimal
    """Units that an account has free each month."""
    source: str
    read: date
    verified: bool
    """Whether somebody read it at its source."""

    @property
    def first(self) -> Decimal:
        """A unit's price in the first tier that costs anything."""
        return next((tier.price for tier in self.tiers if tier.price), Decimal(0))

    def cost(self, quantity: Decimal, *, free_tier: bool = False) -> Decimal:
        """Return what so many units in a month cost; with `free_tier` the account's free units are taken off first."""
        left = max(Decimal(0), quantity - self.free) if free_tier else quantity
        total = Decimal(0)
        for tier, above in zip(self.tiers, (*self.tiers[1:], None), strict=True):
            end = left if above is None else min(left, above.start)
            total += max(Decimal(0), end - tier.start) * tier.price
        return total

    def to_json(self) -> dict[str, Any]:
        """Return it for programs, numbers as decimal text."""
        return {
            "meter": self.meter,
            "name": self.name,
            "region": self.region,
            "unit": self.unit,
            "currency": self.currency,
            "tiers": [[f"{tier.start:f}", f"{tier.price:f}"] for tier in self.tiers],
            "free": f"{self.free:f}",
            "source": self.source,
            "read": self.read.isoformat(),
            "verified": self.verified,
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Price:
        """Read what `to_json` returned."""
        return cls(
            meter=said["meter"],
            name=said["name"],
            region=said["region"],
            unit=said["unit"],
            currency=said["currency"],
            tiers=tuple(Tier(Decimal(start), Decimal(price)) for start, price in said["tiers"]),
            free=Decimal(said["free"]),
            source=said["source"],
            read=date.fromisoformat(said["read"]),
            verified=said["verified"],
        )


class PriceBook:
    """The prices of several lists; of two lists of one cloud, the later one's where it has any."""

    def __init__(self, documents: Iterable[Mapping[str, Any]]) -> None:
        self._prices: dict[tuple[str, str], Price] = {}
        for document in documents:
            for price in _prices(document):
                self._prices[price.meter, price.region] = price

    def price(self, meter: str, region: str) -> Price:
        """Return a meter's price in a region. Raises UnpricedError where there is none."""
        found = self._prices.get((meter, region)) or self._prices.get((meter, EVERYWHERE))
        if found is None:
            raise UnpricedError(meter, region, meter.partition(".")[0])
        return found

    def prices(self) -> list[Price]:
        """Return all of them, by meter and region."""
        return [self._prices[key] for key in sorted(self._prices)]


def _prices(document: Mapping[str, Any]) -> Iterable[Price]:
    for meter, entry in document["meters"].items():
        for listed in entry["prices"]:
            for region in listed["regions"]:
                yield Price(
                    meter=meter,
                    name=entry["name"],
                    region=region,
                    unit=entry["unit"],
                    currency=document["currency"],
                    tiers=tuple(Tier(Decimal(start), Decimal(price)) for start, price in listed["tiers"]),
                    free=Decimal(listed.get("free", entry.get("free", "0"))),
                    source=listed["source"],
                    read=date.fromisoformat(listed["read"]),
                    verified=listed.get("verified", True),
                )
