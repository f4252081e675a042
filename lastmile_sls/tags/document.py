"""What a check of tags is about: resources, what a cloud says of each, what is wrong, what that costs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from lastmile_sls.plan.document import Target

Presence = Literal["there", "gone", "not looked at"]
Kind = Literal["missing", "wrong", "gone"]
Source = Literal["billed", "estimated", "unknown"]
Money = Mapping[str, Decimal]
"""Amounts by currency, which are never added to each other."""


@dataclass(frozen=True)
class Deployed:
    """A resource of a stack that takes tags."""

    type: str
    """As Pulumi has it, without the version of Azure's API."""
    name: str
    """In Pulumi."""
    id: str
    """In the cloud, as Pulumi's provider has it."""
    arn: str = ""
    """AWS's; empty elsewhere."""
    api_version: str = ""
    """Azure's, with which the provider asks; empty where it is not known."""
    recorded: Mapping[str, str] | None = None
    """The tags that the stack's state says it has; None where there is no state."""
    bearing: tuple[tuple[str, str], ...] = ()
    """Types and names of what takes no tags and is made for it alone, such as a secret's version."""

    @property
    def key(self) -> str:
        """What tells it from every other resource."""
        return self.arn or self.id

    def __str__(self) -> str:
        return f"{self.type.rpartition(':')[2]} {self.name}"


@dataclass(frozen=True)
class Seen:
    """What a cloud says of a resource."""

    resource: Deployed
    presence: Presence
    tags: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Of what it is made of and is billed by tags of its own: those tags, by what it is called."""
    why: str = ""
    """Why it is gone or was not looked at, in the cloud's words."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    kind: Kind
    key: str = ""
    wanted: str = ""
    found: str = ""
    part: str = ""
    """Of what in the resource; empty: of itself."""
    advice: str = ""
    """What to do."""
    cost: Money = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """A resource with all that is wrong with it."""

    resource: Deployed
    presence: Presence
    findings: tuple[Finding, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    """Tags beside the spec's, which are nobody's business here."""
    why: str = ""
    cost: Money = field(default_factory=dict)
    """Of what is wrong, each amount once."""

    @property
    def is_well(self) -> bool:
        """Whether it is there, was looked at, and has every tag."""
        return self.presence == "there" and not self.findings


@dataclass(frozen=True)
class Basis:
    """Where the amounts are from."""

    source: Source
    told: str
    """In words, for people."""
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class Checked:
    """All of a deployment."""

    deployment: str
    target: Target
    region: str | None
    account: str | None
    wanted: Mapping[str, str]
    judged: tuple[Judged, ...]
    basis: Basis
    notes: tuple[str, ...] = ()

    @property
    def wrong(self) -> tuple[Judged, ...]:
        """What has findings."""
        return tuple(one for one in self.judged if one.findings)

    @property
    def not_looked_at(self) -> tuple[Judged, ...]:
        """What nobody knows."""
        return tuple(one for one in self.judged if one.presence == "not looked at")

    @property
    def cost(self) -> Money:
        """Of everything that is wrong, by currency."""
        return added(one.cost for one in self.wrong)


def added(amounts: Iterable[Money]) -> dict[str, Decimal]:
    """Return sums by currency, in the currencies' order."""
    found: dict[str, Decimal] = {}
    for one in amounts:
        for currency, amount in one.items():
            found[currency] = found.get(currency, Decimal(0)) + amount
    return dict(sorted(found.items()))
