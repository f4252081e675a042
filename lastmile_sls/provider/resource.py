"""What the service asks of a type of resource; whoever owns a type answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lastmile_sls.engine.properties import UNKNOWN_SENTINEL
from lastmile_sls.provider.schema import Schema

Values = Mapping[str, Any]
"""Properties, secrets in plain text; in a preview some may be unknown."""


@dataclass(frozen=True)
class State:
    """A resource as the engine keeps it."""

    id: str
    inputs: Values
    outputs: Values
    """Its inputs are among them."""


class ResourceType:
    """A type of resource. Every operation can be repeated, and raises LastmileError when it cannot do its work."""

    schema: Schema

    def check(self, inputs: Values) -> list[tuple[str, str]]:
        """Return what is wrong with the known inputs, as (property, reason)."""
        return []

    def planned(self, inputs: Values, before: Values) -> Values:
        """Return the outputs that it will have; `before` are those of now, empty for what is not there."""
        return dict.fromkeys(self.schema.outputs, UNKNOWN_SENTINEL)

    def drifted(self, state: State, wanted: Values) -> list[str]:
        """Return the properties that make an update necessary though no compared input differs."""
        return []

    def create(self, urn: str, inputs: Values) -> tuple[str, Values]:
        """Make it, or adopt it; return its id and outputs."""
        raise NotImplementedError

    def update(self, urn: str, state: State, inputs: Values) -> Values:
        """Make it what the inputs say; return its outputs."""
        raise NotImplementedError

    def read(self, state: State) -> tuple[Values, Values] | None:
        """Return its inputs and outputs as they are; None when it is gone."""
        raise NotImplementedError

    def delete(self, state: State) -> None:
        """Delete it, if it is there."""
        raise NotImplementedError
