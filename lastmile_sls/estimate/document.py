"""An estimate's shape: the month's traffic, components with their prices, one line for each resource. Pure.

A month has 730 hours, as in Infracost's and the clouds' own calculators.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from lastmile_sls.plan.document import FunctionPlan, Target
from lastmile_sls.prices.book import Price

HOURS = Decimal(730)
SECONDS = HOURS * 3600
NOTHING = Decimal(0)
WHOLE = Decimal(1)
Status = Literal["priced", "free", "unpriced"]
Kind = Literal["request", "call", "shadow", "job", "batch"]
"""Why a function works: a caller's request; another function's call; a shadow; an answer that comes later; rows of files."""


@dataclass(frozen=True)
class Traffic:
    """A month of requests, as its average."""

    requests: Decimal
    """In the month."""
    duration_ms: Mapping[str, Decimal]
    """What a version takes for one request in a warm process, by version."""
    init_ms: Mapping[str, Decimal] = field(default_factory=dict)
    """What a cold start takes before the first request is worked on, by function's name."""
    request_kb: Decimal = WHOLE
    response_kb: Decimal = WHOLE
    log_kb: Decimal = WHOLE
    """What a request leaves in the log."""
    peak_concurrency: Decimal = WHOLE
    """Requests in flight at the busiest moment."""
    cold_share: Decimal = NOTHING
    """Of the requests, how many wait for a cold start: 0 to 1."""
    later_share: Decimal = NOTHING
    """Of the requests, how many are answered later, through the queue: 0 to 1."""
    rows: Decimal = NOTHING
    """Rows of files that the schedule scores in the month."""
    row_ms: Mapping[str, Decimal] = field(default_factory=dict)
    """What a version takes for one row of a file, by version; where it is not known, as long as for a request."""
    at_once: Decimal | None = None
    """Requests that an instance works on without one making another slower: its processors, where durations are of a whole
    one; None: as many as it takes."""
    effective_concurrency: Decimal | None = None
    """Requests that share an instance's billed time, where the cloud bills that; None: from arrivals (see `load`)."""
    measured: str = ""
    """How the durations came about, for people."""


@dataclass(frozen=True)
class Work:
    """What a function does for one version for one reason."""

    version: str
    kind: Kind
    count: Decimal
    """In the month."""
    duration_ms: Decimal
    """Each: with the wait for another function, where that answers."""


@dataclass(frozen=True)
class FunctionLoad:
    """A function's month."""

    function: FunctionPlan
    work: tuple[Work, ...]
    cold_starts: Decimal
    init_ms: Decimal
    effective_concurrency: Decimal


@dataclass(frozen=True)
class Component:
    """One meter of a resource."""

    name: str
    quantity: Decimal
    """Units in the month."""
    price: Price
    cost: Decimal
    """In the month."""
    usage_based: bool
    """Whether it follows the traffic; otherwise it is there while nobody calls: the baseline."""
    by_version: Mapping[str, Decimal] = field(default_factory=dict)
    """Parts of the cost that one version alone causes; what is left is everybody's."""


@dataclass(frozen=True)
class Line:
    """One resource of the program."""

    type: str
    """As Pulumi has it."""
    name: str
    """In Pulumi."""
    status: Status
    components: tuple[Component, ...] = ()
    why: str = ""
    """Free: because of what, with the page that says so; unpriced: what nobody knows; priced: what to know about it."""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def cost(self) -> Decimal:
        """All of it, in the month."""
        return sum((component.cost for component in self.components), NOTHING)


@dataclass(frozen=True)
class VersionCost:
    """What of a deployment's month is one version's."""

    version: str
    share: Decimal
    """Of the requests, 0 to 1; a version that is a shadow alone has none."""
    requests: Decimal
    """That it answers in the month."""
    own: Decimal
    """What it alone causes: its billed duration, by and large."""
    shared: Decimal
    """Its part of what is everybody's, by its share of the requests."""

    @property
    def monthly(self) -> Decimal:
        """Both."""
        return self.own + self.shared

    @property
    def per_1000(self) -> Decimal | None:
        """What a thousand of its answers cost; None without any."""
        return self.monthly / self.requests * 1000 if self.requests else None


@dataclass(frozen=True)
class Estimate:
    """A deployment's month."""

    deployment: str
    target: Target
    region: str
    currency: str
    traffic: Traffic
    versions: Mapping[str, Decimal]
    """Each version's share of the requests, 0 to 1."""
    lines: tuple[Line, ...]
    free_tier: bool
    """Whether the account's free units were taken off: right for the only deployment of an account."""

    @property
    def baseline(self) -> Decimal:
        """What it costs in a month in which nobody calls."""
        return self._sum(usage_based=False)

    @property
    def usage(self) -> Decimal:
        """What the traffic adds."""
        return self._sum(usage_based=True)

    @property
    def monthly(self) -> Decimal:
        """All of it."""
        return self.baseline + self.usage

    @property
    def per_1000(self) -> Decimal | None:
        """What a thousand predictions cost; None without any."""
        return self.monthly / self.traffic.requests * 1000 if self.traffic.requests else None

    @property
    def components(self) -> list[Component]:
        """All lines' components."""
        return [component for line in self.lines for component in line.components]

    def by_version(self) -> list[VersionCost]:
        """Return each version's part; together they are the whole month."""
        own = dict.fromkeys(self.versions, NOTHING)
        for component in self.components:
            for version, part in component.by_version.items():
                own[version] = own.get(version, NOTHING) + part
        shared = self.monthly - sum(own.values(), NOTHING)
        shares = {version: self.versions.get(version, NOTHING) for version in own}
        return [
            VersionCost(version, share, self.traffic.requests * share, own[version], shared * share)
            for version, share in shares.items()
        ]

    def _sum(self, *, usage_based: bool) -> Decimal:
        return sum((one.cost for one in self.components if one.usage_based is usage_based), NOTHING)
