"""Which cloud's client says what tags a deployment's resources have; a cloud's SDK is imported here, when it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control.refusals import MissingError, UntoldError
from lastmile_sls.errors import LastmileError
from lastmile_sls.tags.document import Deployed, Seen

Tell = Callable[[str], None]


class TagReader(Protocol):
    """A deployment's cloud; every method raises LastmileError with the way out."""

    def look(self, resources: Sequence[Deployed], wanted: Mapping[str, str], tell: Tell) -> Iterator[Seen]:
        """Yield what the cloud says of each resource, in their order; what it does not tell is not looked at.

        Args:
            resources: Of the stack.
            wanted: The tags that each should have.
            tell: Told now and then what is asked.
        """
        ...

    def notes(self, wanted: Mapping[str, str]) -> list[str]:
        """Return what is to be known of the account for the tags to reach the bill, each a sentence without its point."""
        ...


def open_tags(stack: CloudStack) -> TagReader:
    """Return what asks a deployment's cloud. Raises LastmileError when its SDK is not installed, or nobody is logged in."""
    match stack.target:
        case "aws":
            from lastmile_sls.control.aws.tags import Tags as Aws

            return Aws(stack)
        case "gcp":
            from lastmile_sls.control.gcp.tags import Tags as Google

            return Google(stack)
        case "azure":
            from lastmile_sls.control.azure.tags import Tags as Azure

            return Azure(stack)
        case target:
            raise ValueError(f"{target} is no cloud.")


def seen(resource: Deployed, ask: Callable[[], Seen]) -> Seen:
    """Return what is answered of a resource, or that it is gone, or that it is not told."""
    try:
        return ask()
    except MissingError as error:
        return Seen(resource, "gone", why=error.message)
    except UntoldError as error:
        return Seen(resource, "not looked at", why=error.message)


def read_tags(
    stack: CloudStack, reader: TagReader, resources: Sequence[Deployed], wanted: Mapping[str, str], tell: Tell
) -> list[Seen]:
    """Return what the cloud says of each resource. Raises LastmileError, also when it told of none."""
    found = list(reader.look(resources, wanted, tell))
    if found and all(one.presence == "not looked at" for one in found):
        raise LastmileError(
            f"nothing of {stack.deployment} could be looked at: {found[0].why}",
            "Are these the right credentials? They must be allowed to read what lastmile made.",
        )
    return found
