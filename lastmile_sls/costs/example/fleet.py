"""The models of examples/, with an invented life on a cloud: how often each is asked, and what else is on the bill. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from lastmile_sls.spec.tags import encode

Cloud = Literal["aws", "gcp", "azure"]
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
CURRENCY: dict[Cloud, str] = {"aws": "USD", "gcp": "USD", "azure": "EUR"}
BUSY = date(2026, 10, 14)
"""When somebody asks the public model about every place on a map."""


@dataclass(frozen=True)
class Version:
    """A version that is asked."""

    id: str
    percent: int
    """Of the requests."""
    duration_ms: Decimal


@dataclass(frozen=True)
class Member:
    """A model in an environment, on one cloud."""

    model: str
    environment: str
    owner: str
    cost_center: str
    cloud: Cloud
    requests: int
    """On a working day."""
    memory_gb: Decimal
    versions: tuple[Version, ...]
    has_queue: bool = False
    has_gateway: bool = True
    apart: bool = False
    """Whether each version has a function of its own."""

    @property
    def deployment(self) -> str:
        """Its name in the cloud."""
        return f"{self.model}-{self.environment}"

    @property
    def tags(self) -> Mapping[str, str]:
        """As `spec.tags` writes them."""
        named = {
            "model": self.model,
            "environment": self.environment,
            "owner": self.owner,
            "cost-center": self.cost_center,
            "managed-by": "lastmile",
        }
        return {key: encode(value) for key, value in named.items()}


def _one(duration_ms: str) -> tuple[Version, ...]:
    return (Version("v1", 100, Decimal(duration_ms)),)


FLEET = (
    Member(
        *("breast-cancer", "dev", "diagnostics-team", "research-4711", "aws", 400_000, Decimal("0.5")),
        (Version("v1", 90, Decimal("2.1")), Version("v2", 10, Decimal("3.4"))),
    ),
    Member(
        *("delivery-time", "dev", "logistics-team", "research-4711", "aws", 1_500_000, Decimal("0.5")),
        (Version("v1", 50, Decimal(9)), Version("v2", 50, Decimal(14))),
        apart=True,
    ),
    Member(
        *("daylight", "dev", "outdoor-team", "research-4711", "aws", 900_000, Decimal("0.5")),
        _one("1.8"),
        has_gateway=False,
    ),
    Member(*("word-vectors", "dev", "search-team", "search-0042", "gcp", 700_000, Decimal(2)), _one("38")),
    Member(
        *("parcel-delay", "dev", "logistics-team", "ops-0815", "gcp", 300_000, Decimal("0.5")),
        _one("6"),
        has_queue=True,
    ),
    Member(
        *("heat-demand", "prod", "energy-team", "grid-2040", "azure", 250_000, Decimal("0.5")),
        _one("4"),
        has_queue=True,
    ),
    Member(
        *("house-price", "dev", "valuation-team", "sales-0815", "azure", 20_000, Decimal("0.5")), _one("3")
    ),
    Member(*("house-price", "prod", "valuation-team", "sales-0815", "azure", 500_000, Decimal(2)), _one("3")),
)
