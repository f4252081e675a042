"""What every target's provisioning returns: the same names, with the same meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

import pulumi


class DnsRecord(TypedDict):
    """A record that the user makes where no zone of the cloud's is named."""

    name: pulumi.Input[str]
    type: str
    value: pulumi.Input[str]


@dataclass(frozen=True)
class Outputs:
    """Where a deployment is reached, with which key, and where its parts are."""

    url: pulumi.Output[str]
    """`https://...` without a slash at its end; with a domain of the user's, that."""
    key: pulumi.Output[str] | None = None
    """The newest API key, a secret; None unless the endpoint's auth is key."""
    functions: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    """The cloud's id of each function by its name in the plan: AWS's ARN, Google's full name, Azure's resource id."""
    bucket: pulumi.Output[str] | None = None
    """The store's URL (see `lastmile_runtime.stores`); None when there is none."""
    routing: pulumi.Output[str] | None = None
    """The live routing document's URL; None with one version."""
    dns_records: Sequence[DnsRecord] = ()
    """What is to be made for the domain by hand."""

    def exports(self) -> dict[str, object]:
        """Return the stack's outputs: those that there are."""
        named = {
            "url": self.url,
            "key": self.key,
            "functions": dict(self.functions),
            "bucket": self.bucket,
            "routing": self.routing,
            "dns_records": list(self.dns_records),
        }
        return {name: value for name, value in named.items() if value}
