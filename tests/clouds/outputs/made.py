"""A resource that was made: its inputs, its name, its place; what the clouds' tables of outputs are functions of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """Where a provider makes things, as its configuration says; the rest is made up, and always the same."""

    region: str = ""
    account: str = "123456789012"
    project: str = "a-project"
    project_number: str = "420042004200"
    subscription: str = "00000000-0000-4000-8000-000000000001"
    tenant: str = "00000000-0000-4000-8000-000000000002"


@dataclass(frozen=True)
class Made:
    """What the outputs are computed from."""

    type: str
    logical: str
    urn: str
    inputs: Mapping[str, Any]
    """Without the marks of secrets."""
    place: Place
    generation: int = 1
    """How often it was made or changed."""

    @property
    def suffix(self) -> str:
        """Seven hexadecimal digits, as Pulumi appends them to the names that it gives; the same for the same URN."""
        return self.digest(7)

    @property
    def auto_name(self) -> str:
        return f"{self.logical}-{self.suffix}"

    def digest(self, length: int, salt: str = "") -> str:
        return hashlib.sha256(f"{self.urn}{salt}".encode()).hexdigest()[:length]

    def uuid(self, salt: str) -> str:
        d = self.digest(32, salt)
        return f"{d[:8]}-{d[8:12]}-4{d[13:16]}-8{d[17:20]}-{d[20:32]}"

    def named(self, key: str = "name") -> str:
        """Return the name that the inputs give, or the one that Pulumi would."""
        return str(self.inputs.get(key) or self.auto_name)

    def __getitem__(self, key: str) -> Any:
        return self.inputs[key]


Outputs = Callable[[Made], dict[str, Any]]
"""Returns the computed outputs of a resource, `id` among them."""
