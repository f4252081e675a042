"""What changes between two estimates of one deployment: resource by resource, meter by meter. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeVar

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.document import NOTHING, Component, Estimate, Line

_SAME = Decimal("1e-9")
"""What an earlier estimate's rounding may be, in its JSON: nothing that anybody pays."""
Fate = Literal["added", "removed", "changed", "same"]
_T = TypeVar("_T")
_K = TypeVar("_K")


@dataclass(frozen=True)
class ComponentChange:
    """A meter of a resource, before and after."""

    before: Component | None
    after: Component | None

    @property
    def delta(self) -> Decimal:
        """What it adds to a month."""
        return (self.after.cost if self.after else NOTHING) - (self.before.cost if self.before else NOTHING)

    @property
    def is_one(self) -> bool:
        """Whether quantity or cost is another one."""
        before = self.before.quantity if self.before else NOTHING
        after = self.after.quantity if self.after else NOTHING
        return abs(self.delta) > _SAME or abs(after - before) > _SAME * max(Decimal(1), abs(before))

    @property
    def any(self) -> Component:
        """Whichever there is, the later one first."""
        found = self.after or self.before
        assert found is not None
        return found


@dataclass(frozen=True)
class LineChange:
    """A resource, before and after."""

    before: Line | None
    after: Line | None
    components: tuple[ComponentChange, ...]

    @property
    def any(self) -> Line:
        """Whichever there is, the later one first."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def delta(self) -> Decimal:
        """What it adds to a month."""
        return (self.after.cost if self.after else NOTHING) - (self.before.cost if self.before else NOTHING)

    @property
    def fate(self) -> Fate:
        """What happens to it."""
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "changed" if any(change.is_one for change in self.components) else "same"


@dataclass(frozen=True)
class Diff:
    """A deployment's month, before and after."""

    before: Estimate | None
    """None: nothing is deployed."""
    after: Estimate
    lines: tuple[LineChange, ...]

    @property
    def monthly_before(self) -> Decimal:
        """What it costs now."""
        return self.before.monthly if self.before else NOTHING

    @property
    def delta(self) -> Decimal:
        """What a month costs more."""
        return self.after.monthly - self.monthly_before

    @property
    def percent(self) -> Decimal | None:
        """The same, of what it costs now; None where that is nothing."""
        return self.delta / self.monthly_before * 100 if self.monthly_before else None

    def of(self, *fates: Fate) -> list[LineChange]:
        """Return the resources that one of these happens to."""
        return [line for line in self.lines if line.fate in fates]


def diff(before: Estimate | None, after: Estimate) -> Diff:
    """Return what changes. Raises LastmileError for estimates in two currencies."""
    if before is not None and before.currency != after.currency:
        raise LastmileError(
            f"one estimate is in {before.currency}, the other in {after.currency}: they cannot be compared.",
            "Make the earlier one anew.",
        )
    old = {(line.type, line.name): line for line in (before.lines if before else ())}
    new = {(line.type, line.name): line for line in after.lines}
    lines = [LineChange(left, right, _components(left, right)) for left, right in _paired(old, new)]
    return Diff(before, after, tuple(lines))


def _components(before: Line | None, after: Line | None) -> tuple[ComponentChange, ...]:
    return tuple(ComponentChange(left, right) for left, right in _paired(_named(before), _named(after)))


def _named(line: Line | None) -> dict[tuple[str, str, int], Component]:
    """Return a line's components by name and meter; those of one name and meter by their order."""
    found: dict[tuple[str, str, int], Component] = {}
    for component in line.components if line else ():
        number = 0
        while (key := (component.name, component.price.meter, number)) in found:
            number += 1
        found[key] = component
    return found


def _paired(before: Mapping[_K, _T], after: Mapping[_K, _T]) -> Iterable[tuple[_T | None, _T | None]]:
    """Yield what has the same key on both sides, in the later one's order, then what is gone."""
    for key, value in after.items():
        yield before.get(key), value
    for key, value in before.items():
        if key not in after:
            yield value, None
