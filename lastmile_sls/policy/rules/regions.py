"""Where things may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lastmile_sls.policy.parameters import Parameters
from lastmile_sls.policy.resource import UNKNOWN, Resource, at, items
from lastmile_sls.policy.rule import Problem, Rule, unknown

_FIELDS = {
    "aws": ("region",),
    "gcp": ("region", "location", "zone"),
    "azure-native": ("location",),
}
"""By package: the inputs that say where a resource is, or by default all of a provider's."""
_PLACELESS = frozenset({"global", "-"})


def _judge(resource: Resource, parameters: Parameters) -> Iterator[Problem]:
    allowed = {
        "aws": parameters.regions.aws,
        "gcp": parameters.regions.gcp,
        "azure-native": parameters.regions.azure,
    }.get(resource.cloud)
    if allowed is None:
        return
    plain = {_plain(region) for region in allowed}
    for path, value in _places(resource):
        if value is UNKNOWN:
            yield unknown(path)
        elif _plain(value) not in plain | _PLACELESS and not (
            path == "zone" and _plain(value).rpartition("-")[0] in plain
        ):
            yield Problem(f"{path} is {value}; allowed is {', '.join(allowed)}.")


def _places(resource: Resource) -> Iterator[tuple[str, Any]]:
    for field in _FIELDS[resource.cloud]:
        value = at(resource.inputs, field)
        if value is UNKNOWN or isinstance(value, str):
            yield field, value
    for replica in items(resource.inputs, "replication.userManaged.replicas"):
        yield "replication.userManaged.replicas.location", at(replica, "location") or UNKNOWN


def _plain(region: str) -> str:
    """Return a region as clouds compare them: Azure takes `West Europe`, Google `EUROPE-WEST1`."""
    return region.lower().replace(" ", "")


REGIONS = Rule(
    id="regions",
    demands="Everything is in a region that is allowed.",
    fix="Set targets.aws.region, targets.gcp.region or targets.azure.region to one that is; elsewhere move it.",
    of_resource=_judge,
)
