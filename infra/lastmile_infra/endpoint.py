"""What every target's provisioning returns."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True)
class Endpoint:
    """Where a deployment is reached, and with which key."""

    url: pulumi.Output[str]
    key: pulumi.Output[str] | None
