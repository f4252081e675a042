"""A comparison's shape: targets and sizes with their prices, where the cheapest changes, and what to take. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from lastmile_sls.certification.first_answer import FirstAnswer
from lastmile_sls.compare.sizes import Size
from lastmile_sls.estimate.document import Estimate
from lastmile_sls.plan.document import Plan, Target
from lastmile_sls.policy.resource import Resource
from lastmile_sls.targets.compare import Row
from lastmile_sls.targets.fit import Fit


@dataclass(frozen=True)
class Offer:
    """What is known of a target before it is priced."""

    target: Target
    sizes: tuple[Size, ...]
    plan: Plan | None = None
    """With one of the sizes; None where `why` says what stands in the way."""
    resources: tuple[Resource, ...] = ()
    """All that the plan would make."""
    why: str = ""
    """Why there is no plan, though a size fits: no SDK, or a bundle that cannot be built."""

    @property
    def fit(self) -> Fit:
        """What the target says to the spec as it is; where it has no such memory, to the nearest size that it has."""
        own = [size for size in self.sizes if size.is_specs]
        return next((size.fit for size in (*own, *self.sizes) if size.nearest_mb is None), self.sizes[0].fit)


@dataclass(frozen=True)
class Here:
    """What was measured on this machine, which is no cloud's."""

    machine: str
    """Its processor, and the Python, for people."""
    answers: Mapping[str, FirstAnswer | str]
    """From the start of a process to its first answer, by version; a text says why one was not measured."""

    @property
    def memory_mb(self) -> Decimal | None:
        """The most that a process held until then; None where none was measured."""
        held = [answer.memory_bytes for answer in self.answers.values() if isinstance(answer, FirstAnswer)]
        return max(map(Decimal, held)) / (1 << 20) if held else None


@dataclass(frozen=True)
class Candidate:
    """A target at one size."""

    size: Size
    estimate: Estimate | None
    """None where `why` says why there is no price."""
    why: str = ""
    """Why it cannot be taken; empty where it can."""

    @property
    def monthly(self) -> Decimal | None:
        """What it costs in the month."""
        return self.estimate.monthly if self.estimate else None

    @property
    def duration_ms(self) -> Decimal | None:
        """What a request takes there on average over the versions that answer."""
        if self.estimate is None:
            return None
        took = self.estimate.traffic.duration_ms
        return sum((share * took[id_] for id_, share in self.estimate.versions.items() if share), Decimal(0))

    @property
    def name(self) -> str:
        """Such as `aws with 512 MB`."""
        return f"{self.size.target} with {self.size.memory_mb} MB"


@dataclass(frozen=True)
class Column:
    """A target, with its sizes."""

    offer: Offer
    candidates: tuple[Candidate, ...]
    enough: tuple[Candidate, ...]
    """Those that have a price, and memory enough."""
    best: Candidate | None
    """The size to take there; None where there is none."""
    why: str = ""
    """Why there is none."""

    @property
    def target(self) -> Target:
        """Which cloud."""
        return self.offer.target


@dataclass(frozen=True)
class Crossing:
    """Where one target becomes dearer than another."""

    requests: int
    """The first month in which the second one is not dearer."""
    monthly: Decimal
    """What it costs then."""
    before: Target
    """The cheaper one below."""
    after: Target
    """The cheaper one from there on."""
    of_cheapest: bool
    """Whether the cheapest of all changes here."""


@dataclass(frozen=True)
class Lead:
    """The months in which one target is the cheapest of all."""

    target: Target
    first: int
    """Requests in the month."""
    last: int
    reason: str
    """Against the next one, in a sentence without a stop."""


@dataclass(frozen=True)
class Point:
    """A month of a curve."""

    requests: int
    monthly: Decimal
    memory_mb: int
    """The size that is the cheapest then."""


@dataclass(frozen=True)
class Curve:
    """What a target costs by requests in the month, at whichever of its sizes is the cheapest then."""

    target: Target
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Comparison:
    """All of it."""

    deployment: str
    requests: Decimal
    """In the month."""
    currency: str
    here: Here
    is_measured: bool
    """Whether durations were measured here, so that they are longer where an instance has less than one processor."""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    """What each target allows of what the spec asks for."""
    curves: tuple[Curve, ...]
    crossings: tuple[Crossing, ...]
    leads: tuple[Lead, ...]
    best: Candidate | None
    """What to take at this traffic; None where nothing can be."""
    advice: tuple[str, ...]
    """That, and why, in sentences."""
    notes: tuple[str, ...]
    """What the numbers rest on, and what is not in them."""
