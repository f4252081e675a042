"""How one type of resource is made, read back, changed and removed through AWS's API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.aws.account import Account
from tests.conformance.aws.requests import Inputs

Outputs = dict[str, Any]
Request = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A type of resource."""

    make: Callable[[Account, Inputs, Mapping[str, str]], Outputs]
    """Makes it of its inputs and tags; returns what the API adds to the inputs: `id`, and outputs by Pulumi's names."""
    remove: Callable[[Account, Outputs], None]
    """Given inputs and outputs, removes it."""
    computed: tuple[str, ...] = ()
    """The outputs that nobody knows before it is made."""
    named: str = ""
    """The input that gets a name of its own when the program gives none."""
    change: Callable[[Account, Inputs, Mapping[str, str], Outputs], Outputs] | None = None
    """As `make`, for what is there with the outputs given; without it a change of any input makes it anew."""
    anew: frozenset[str] = field(default_factory=frozenset)
    """The inputs whose change makes it anew all the same."""
    read: Callable[[Account, Outputs], Mapping[str, Any]] | None = None
    """Returns the resource as the API has it, by Pulumi's names of inputs: what is given there must be equal."""
    tagged: bool = False
