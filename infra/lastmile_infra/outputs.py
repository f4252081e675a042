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
    account: pulumi.Output[str] | None = None
    """AWS's account, Google's project, Azure's subscription; None on this machine."""
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

    logs: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Where each function's log is, by its name in the plan: AWS's log group, Cloud Run's service, Azure's workspace
    (its customer id)."""
    queue: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """AWS and Azure: the URLs of `jobs` and `dead_letters`. Google: `topic`, `subscription` and `dead_letters`, a
    subscription, by their full names."""
    schedule: pulumi.Output[str] | None = None
    """The clock's id in the cloud."""
    alarms: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """By signal: AWS's alarm by name, Google's alerting policy by full name, Azure's alert by resource id."""
    dashboard: pulumi.Output[str] | None = None
    """Where a person opens it: `https://...`."""

    def exports(self) -> dict[str, object]:
        """Return the stack's outputs: those that there are."""
        named = {
            "url": self.url,
            "account": self.account,
            "key": self.key,
            "functions": dict(self.functions),
            "bucket": self.bucket,
            "routing": self.routing,
            "dns_records": list(self.dns_records),
            "logs": dict(self.logs),
            "queue": dict(self.queue),
            "schedule": self.schedule,
            "alarms": dict(self.alarms),
            "dashboard": self.dashboard,
        }
        return {name: value for name, value in named.items() if value}
