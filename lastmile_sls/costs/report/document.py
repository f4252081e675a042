"""The report's shape: one section for each currency, since amounts of two are never added up. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from lastmile_sls.costs.anomalies import Anomaly
from lastmile_sls.costs.forecast import Forecast, NoForecast
from lastmile_sls.costs.report.amounts import NOTHING, Amounts, total

Dimension = Literal[
    "model", "environment", "version", "owner", "cost_center", "cloud", "service", "day", "month"
]
Share = Literal["none", "even", "proportional"]
"""How cost that nothing says the model of is split over the models."""


@dataclass(frozen=True)
class Asked:
    """What of the bills is told."""

    first: date | None = None
    last: date | None = None
    models: tuple[str, ...] = ()
    """Empty: all."""
    environments: tuple[str, ...] = ()
    """Empty: all."""
    share: Share = "none"

    @property
    def all_models(self) -> bool:
        """Whether nothing was left out by its model or environment."""
        return not self.models and not self.environments


@dataclass(frozen=True)
class Line:
    """One value of a dimension."""

    key: str | None
    """None: the bills do not say."""
    own: Amounts
    shared: Amounts = NOTHING
    """Its part of what was not attributed, by the rule that was asked for."""


@dataclass(frozen=True)
class Version:
    """What one version of a model cost."""

    version: str | None
    """None: nothing says which version caused it."""
    tagged: Amounts
    """What the bills say is its own."""
    split: Amounts = NOTHING
    """Its part of what versions caused together, by requests x mean duration."""
    requests: int | None = None

    @property
    def cost(self) -> Amounts:
        """Both."""
        return self.tagged + self.split


@dataclass(frozen=True)
class Counted:
    """A model's requests, and what they cost."""

    requests: int
    days: int
    """Days on which requests were counted."""
    cost: Decimal
    """Effective cost on those days."""

    @property
    def per_1000(self) -> Decimal | None:
        """What a thousand predictions cost; None where there was none."""
        return self.cost * 1000 / self.requests if self.requests else None


@dataclass(frozen=True)
class ModelCost:
    """What a model cost in an environment."""

    model: str
    environment: str | None
    owners: tuple[str, ...]
    cost_centers: tuple[str, ...]
    own: Amounts
    shared: Amounts
    days: Mapping[date, Decimal]
    """Effective cost of its own."""
    services: tuple[tuple[str, str, Amounts], ...]
    """Cloud, service, cost; the dearest first."""
    versions: tuple[Version, ...]
    counted: Counted | None
    """None without counts of requests."""
    forecast: Forecast | NoForecast

    @property
    def name(self) -> str:
        """The model and its environment, for people."""
        return f"{self.model} ({self.environment or 'no environment'})"


@dataclass(frozen=True)
class Charge:
    """What is on the bill and is no usage: a purchase, a tax, a credit, an adjustment."""

    category: str
    cloud: str
    service: str
    model: str | None
    amounts: Amounts


@dataclass(frozen=True)
class UntaggedResource:
    """A resource whose cost nothing attributes to a model."""

    resource_id: str | None
    name: str | None
    type: str | None
    missing: str
    """Which tags it lacks."""
    effective: Decimal
    rows: int
    model: str | None = None
    """Whose it is by a deployment's outputs, all the same."""


@dataclass(frozen=True)
class UntaggedService:
    """A service, and how much of it is attributed to no model."""

    cloud: str
    service: str
    untagged: Decimal
    """Effective cost."""
    whole: Decimal
    resources: tuple[UntaggedResource, ...]
    """The dearest first, and not more than a page has room for. Of all days in the files, whatever days were asked for."""
    resource_count: int = 0
    """How many there are in all that have an id."""

    @property
    def share(self) -> Decimal:
        """From 0 to 1; 0 where the service cost nothing in all."""
        return self.untagged / self.whole if self.whole > 0 else Decimal(0)


@dataclass(frozen=True)
class Change:
    """A month beside the one before it."""

    month: date
    """Its first day."""
    days: int
    """So many first days of both are compared; the whole months where the later one is complete."""
    whole: bool
    now: Decimal
    before: Decimal

    @property
    def percent(self) -> Decimal | None:
        """None where the former month cost nothing."""
        return (self.now - self.before) * 100 / self.before if self.before else None


@dataclass(frozen=True)
class CurrencyReport:
    """All that is in one currency. Usage alone, but for `charges`."""

    currency: str
    first: date
    last: date
    usage: Amounts
    """All of what was asked for."""
    period: Decimal
    """Effective cost of all usage of these days, whatever models were asked for."""
    unattributed: Amounts
    """Of that: what no model is known for."""
    left: Amounts
    """What of that the rule could split over no model."""
    lines: Mapping[Dimension, tuple[Line, ...]]
    models: tuple[ModelCost, ...]
    """The dearest first."""
    days: Mapping[str | None, Mapping[date, Decimal]]
    """Effective cost by model and day."""
    charges: tuple[Charge, ...]
    untagged: tuple[UntaggedService, ...]
    change: Change | None
    forecast: Forecast | NoForecast
    anomalies: tuple[Anomaly, ...]

    @property
    def untagged_share(self) -> Decimal:
        """Which share of all usage of these days no model is known for, from 0 to 1."""
        return self.unattributed.effective / self.period if self.period > 0 else Decimal(0)

    @property
    def other(self) -> Amounts:
        """What is on the bill and is no usage."""
        return total(charge.amounts for charge in self.charges)


@dataclass(frozen=True)
class Source:
    """A file that was read."""

    file: str
    cloud: str
    focus_version: str
    rows: int
    first: date | None
    last: date | None
    counted: int
    """Rows that are in the report."""
    note: str | None
    """Why others are not."""


@dataclass(frozen=True)
class Dirty:
    """Rows that could not be read, or not as they should be."""

    file: str
    reason: str
    rows: int
    example: str | None
    counted: bool
    """Whether they are in the report all the same."""


@dataclass(frozen=True)
class Report:
    """What the bills say."""

    asked: Asked
    currencies: tuple[CurrencyReport, ...]
    sources: tuple[Source, ...]
    dirty: tuple[Dirty, ...]
    warnings: tuple[str, ...] = ()
    has_counts: bool = False
    """Whether requests were counted."""
    synthetic: bool = False
    """Whether the bills were made up, as an example."""
    unbilled: Sequence[str] = field(default_factory=tuple)
    """Models whose requests were counted, and that are on no bill."""

    @property
    def first(self) -> date:
        """The first day of all."""
        return min(one.first for one in self.currencies)

    @property
    def last(self) -> date:
        """The last day of all."""
        return max(one.last for one in self.currencies)
