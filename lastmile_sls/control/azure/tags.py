"""What tags Azure says that resources have: Resource Manager is asked for each, with the API that the provider used.

A list of the group's resources would be one call, but has no secrets of a vault, and is late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control.azure.client import Azure
from lastmile_sls.control.refusals import MissingError
from lastmile_sls.control.tags import Tell, seen
from lastmile_sls.tags.document import Deployed, Seen

_TAGS, _TAGS_API = "/providers/Microsoft.Resources/tags/default", "2021-04-01"
"""The tags of anything, where the API of its type is not known
(learn.microsoft.com/rest/api/resources/tags/get-at-scope; azure-mgmt-resource 23)."""
_NOBODY = "SubscriptionNotFound"


class Tags:
    """The tags of a deployment on Azure."""

    def __init__(self, stack: CloudStack, azure: Azure | None = None) -> None:
        """Raises LastmileError when azure-identity is not installed."""
        self._azure = azure or Azure(stack)

    def look(self, resources: Sequence[Deployed], wanted: Mapping[str, str], tell: Tell) -> Iterator[Seen]:
        """Yield what Azure says of each resource.

        Raises LastmileError, also where the credentials do not see the subscription, and so all would seem gone.
        """
        for resource in resources:
            tell(f"asking for the tags of {resource}")
            yield seen(resource, partial(self._ask, resource))

    def notes(self, wanted: Mapping[str, str]) -> list[str]:
        """Return nothing: every tag is in the export of the bill."""
        return []

    def _ask(self, resource: Deployed) -> Seen:
        """Return a resource's tags. Raises MissingError, UntoldError and LastmileError."""
        what, version = f"the tags of {resource}", resource.api_version
        try:
            if version:
                found = self._azure.read(what, resource.id, version)
            else:
                found = self._azure.read(what, f"{resource.id}{_TAGS}", _TAGS_API).get("properties") or {}
        except MissingError as error:
            if _NOBODY in error.message:
                raise self._azure.asked.denied("the subscription", error.message) from error
            raise
        return Seen(resource, "there", _tags(found.get("tags")))


def _tags(found: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in (found or {}).items()}
