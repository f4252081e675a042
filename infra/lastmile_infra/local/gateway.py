"""The embedded cloud's gateway: a port on this machine in front of a function."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from lastmile_infra.local.function import Function
from lastmile_infra.local.identity import Key
from lastmile_sls.plan.document import EndpointPlan


class Route(pulumi.CustomResource):
    """An HTTP endpoint on the loopback interface."""

    url: pulumi.Output[str]
    port: pulumi.Output[int]

    def __init__(
        self,
        resource_name: str,
        *,
        deployment: str,
        plan: EndpointPlan,
        function: Function,
        keys: Sequence[Key],
        tags: dict[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        cors, rate_limit = plan["cors"], plan["rate_limit"]
        properties = {
            "deployment": deployment,
            "name": plan["name"],
            "function": function.name,
            "port": plan["port"],
            "auth": plan["auth"],
            "jwt": plan["jwt"],
            "keyDigests": [key.digest for key in keys],
            "cors": {"allowOrigins": cors["allow_origins"]} if cors else None,
            "rateLimit": {
                "requestsPerS": rate_limit["requests_per_s"],
                "burst": rate_limit["burst"],
            }
            if rate_limit
            else None,
            "tags": tags,
            "url": None,
        }
        super().__init__("lastmile:local:Route", resource_name, properties, opts)
