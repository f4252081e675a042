"""A resource as rules see it, and how they look into its inputs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_VERSION = re.compile(r"^(azure-native:[^/:]+)/v[0-9]{8}[a-z0-9]*:")
STACK = "pulumi:pulumi:Stack"
FUNCTIONS = (
    "aws:lambda/function:Function",
    "gcp:cloudrunv2/service:Service",
    "azure-native:web:WebApp",
    "azure-native:app:ContainerApp",
)
"""What answers requests."""


class Unknown:
    """A value that exists only after creation."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __copy__(self) -> Unknown:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Unknown:
        return self


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Resource:
    """A resource of a stack, with the inputs that its provider is given: plain values, and `UNKNOWN` within."""

    type: str
    """As Pulumi has it, `aws:s3/bucket:Bucket`; of azure-native without the version of the API."""
    name: str
    """In Pulumi."""
    urn: str
    inputs: Mapping[str, Any]

    @property
    def cloud(self) -> str:
        """Whose it is: the package, or the one of a provider, `aws`, `gcp`, `azure-native`."""
        return self.type.removeprefix("pulumi:providers:").partition(":")[0]

    def __str__(self) -> str:
        return f"{self.type.rpartition(':')[2]} {self.name}"


def plain_type(type_: str) -> str:
    """Return a type without the version of Azure's API in it, `azure-native:web/v20240401:WebApp`."""
    return _VERSION.sub(r"\1:", type_)


def at(value: Any, path: str) -> Any:
    """Return what lies at a dotted path; None when it is not there, UNKNOWN when that cannot be told yet."""
    for name in path.split("."):
        if value is UNKNOWN:
            return UNKNOWN
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def items(value: Any, path: str) -> list[Any]:
    """Return the list at a dotted path: empty when it is not there, `[UNKNOWN]` when it is not known."""
    found = at(value, path)
    if found is UNKNOWN:
        return [UNKNOWN]
    return list(found) if isinstance(found, (list, tuple)) else []


def of_type(resources: Iterable[Resource], *types: str) -> list[Resource]:
    """Return the resources of these types."""
    return [resource for resource in resources if resource.type in types]


def tag_of(resource: Resource, name: str) -> Any:
    """Return the value of a tag or label; None when it has none, UNKNOWN when it is not known."""
    for field in ("tags", "labels", "userLabels", "resourceLabels"):
        if field in resource.inputs:
            return at(resource.inputs, f"{field}.{name}")
    return None


def is_named(resource: Resource, deployments: Iterable[str]) -> bool:
    """Tell whether the resource is one of these deployments': its name in Pulumi begins with the deployment's."""
    return any(resource.name == name or resource.name.startswith(f"{name}-") for name in deployments)


def document(value: Any) -> Any:
    """Return a policy document that is given as JSON or as a value; None when it is neither, UNKNOWN as it is."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return None
    return value


def statements(policy: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the statements of a policy document of AWS's."""
    found = at(policy, "Statement")
    for statement in found if isinstance(found, list) else [found]:
        if isinstance(statement, Mapping):
            yield statement
