"""What every kind of resource can do; all of it can be repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lastmile_sls.local.home import Place
from lastmile_sls.local.records import Record


class Kind:
    """A kind of resource. The defaults are those of one that is nothing but a record."""

    def check(self, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return what is wrong with the inputs, as (property, reason)."""
        return []

    def make(self, place: Place, record: Record) -> dict[str, Any]:
        """Make it on disk and return its outputs; the record holds those of the last time."""
        return {}

    def activate(self, place: Place, record: Record) -> None:
        """Bring it into service, now that its record is written."""

    def restore(self, place: Place, record: Record) -> None:
        """Bring what was in service before a failed change back; its record is written."""

    def drifted(self, place: Place, record: Record) -> list[str]:
        """Return the properties in which it is not what the record says."""
        return []

    def remove(self, place: Place, record: Record) -> None:
        """Take it out of service and off the disk; its record is gone already."""


def too_small(inputs: Mapping[str, Any], least: Mapping[str, float]) -> list[tuple[str, str]]:
    """Return the inputs that are given and are no number, or one below its least, as (property, reason)."""
    return [
        (name, f"{name} is {inputs[name]!r}, but must be a number of at least {limit:g}.")
        for name, limit in least.items()
        if inputs.get(name) is not None and not _is_at_least(inputs[name], limit)
    ]


def _is_at_least(value: object, limit: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= limit
