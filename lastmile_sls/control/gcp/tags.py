"""What labels Google says that resources have: each service is asked for each, by REST.

Cloud Asset Inventory would answer at once, but is one more API that somebody must have turned on, and late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control.gcp.client import Google
from lastmile_sls.control.refusals import UntoldError
from lastmile_sls.control.tags import Tell, seen
from lastmile_sls.policy.rules.tags import taggable
from lastmile_sls.tags.document import Deployed, Seen

_RUN = "gcp:cloudrunv2/service:Service"
_SERVICES: Mapping[str, tuple[str, str]] = {
    "gcp:artifactregistry/repository:Repository": ("artifactregistry", "{id}"),
    _RUN: ("run", "{id}"),
    "gcp:compute/globalAddress:GlobalAddress": ("compute", "{id}"),
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": ("compute", "{id}"),
    "gcp:compute/securityPolicy:SecurityPolicy": ("compute", "{id}"),
    "gcp:monitoring/alertPolicy:AlertPolicy": ("monitoring", "{id}"),
    "gcp:monitoring/notificationChannel:NotificationChannel": ("monitoring", "{id}"),
    "gcp:pubsub/subscription:Subscription": ("pubsub", "{id}"),
    "gcp:pubsub/topic:Topic": ("pubsub", "{id}"),
    "gcp:secretmanager/secret:Secret": ("secretmanager", "{id}"),
    "gcp:storage/bucket:Bucket": ("storage", "b/{id}"),
}
"""By type, each that a deployment of ours may have: the service and the path, of its discovery document; Pulumi's id is
the full name but for a bucket."""
TYPES = frozenset(_SERVICES)
INSTANCES = "its instances"


class Tags:
    """The labels of a deployment on Google Cloud."""

    def __init__(self, stack: CloudStack, google: Google | None = None) -> None:
        """Raises LastmileError when google-cloud-run is not installed, or nobody is logged in."""
        self._google = google or Google(stack)

    def look(self, resources: Sequence[Deployed], wanted: Mapping[str, str], tell: Tell) -> Iterator[Seen]:
        """Yield what Google says of each resource. Raises LastmileError."""
        for resource in resources:
            tell(f"asking for the labels of {resource}")
            yield seen(resource, partial(self._ask, resource))

    def notes(self, wanted: Mapping[str, str]) -> list[str]:
        """Return nothing: every label is in the export of the bill."""
        return []

    def _ask(self, resource: Deployed) -> Seen:
        """Return a resource's labels. Raises MissingError, UntoldError and LastmileError."""
        if resource.type not in _SERVICES:
            raise UntoldError(
                f"lastmile does not know which of Google's services has the labels of {resource}."
            )
        service, path = _SERVICES[resource.type]
        found = self._google.rest(f"the labels of {resource}", service, path.format(id=resource.id))
        parts = {}
        if resource.type == _RUN:  # what runs is billed by the labels of its own
            parts[INSTANCES] = _labels((found.get("template") or {}).get("labels"))
        field = taggable()[resource.type]
        return Seen(resource, "there", _labels(found.get(field)), parts)


def _labels(found: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in (found or {}).items()}
