"""What a cloud says of a stack's resources against the tags that its spec says: what is missing, wrong or gone. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lastmile_sls.plan.document import Target
from lastmile_sls.spec.tags import FIXED_KEYS
from lastmile_sls.tags.document import Deployed, Finding, Judged, Seen

_CLOUDS_OWN = ("aws:", "goog-", "hidden-", "k8s-", "ms-resource-usage")
"""How the keys begin that clouds and Pulumi's providers set themselves (docs.aws.amazon.com/tag-editor/latest/userguide,
cloud.google.com/resource-manager/docs/labels-overview, learn.microsoft.com/azure; unverified)."""
_FEW: Mapping[str, int] = {"aws:s3/bucketObjectv2:BucketObjectv2": 10}
"""By type, how many tags it takes where that are fewer than fifty (`lastmile_infra.aws.tags`)."""
_FIELDS = {"model": "name", "cost-center": "cost_center", "environment": "environment", "owner": "owner"}


@dataclass(frozen=True)
class Ways:
    """How things are put right."""

    target: Target
    folder: str
    """The Pulumi project's; empty where it is not known."""

    @property
    def up(self) -> str:
        """Where Pulumi's state already says that something changes."""
        return f"lastmile up --target {self.target}"

    @property
    def refresh(self) -> str:
        """Where the state must be read from the cloud first."""
        return f"cd {self.folder or 'PROJECT'} && pulumi up --refresh"


def judge(wanted: Mapping[str, str], seen: Sequence[Seen], ways: Ways) -> tuple[Judged, ...]:
    """Return each resource with what is wrong with it, in the order given."""
    return tuple(_judged(wanted, one, ways) for one in seen)


def wanted_of(resource: Deployed, wanted: Mapping[str, str]) -> Mapping[str, str]:
    """Return the tags that a resource should have: all, or where it takes fewer the ones that every deployment has."""
    if len(wanted) <= _FEW.get(resource.type, len(wanted)):
        return wanted
    return {key: wanted[key] for key in FIXED_KEYS if key in wanted}


def _judged(wanted: Mapping[str, str], seen: Seen, ways: Ways) -> Judged:
    match seen.presence:
        case "not looked at":
            return Judged(seen.resource, seen.presence, why=seen.why)
        case "gone":
            advice = f"It was deleted beside the stack; this makes it again: {ways.refresh}"
            return Judged(seen.resource, seen.presence, (Finding("gone", advice=advice),), why=seen.why)
        case "there":
            parts, wanted = {"": seen.tags, **seen.parts}, wanted_of(seen.resource, wanted)
            findings = (
                finding
                for part, tags in parts.items()
                for finding in _findings(wanted, tags, part, seen.resource, ways)
            )
            return Judged(seen.resource, seen.presence, tuple(findings), _extra(wanted, seen.tags))
        case other:
            raise ValueError(f"{other} is no presence")


def _findings(
    wanted: Mapping[str, str], tags: Mapping[str, str], part: str, resource: Deployed, ways: Ways
) -> Iterator[Finding]:
    for key, value in wanted.items():
        found = tags.get(key)
        if found is None:
            yield Finding("missing", key, value, part=part, advice=_missing(key, value, resource, ways))
        elif found != value:
            yield Finding("wrong", key, value, found, part, _wrong(key, value, found, resource, ways))


def _missing(key: str, value: str, resource: Deployed, ways: Ways) -> str:
    """Return how a tag gets back; an engine sees what its state does not have, but not what was taken off beside it."""
    if _is_recorded(key, value, resource):
        return f"It was taken off beside the stack; this puts it back: {ways.refresh}"
    return f"This puts it there: {ways.up}"


def _wrong(key: str, value: str, found: str, resource: Deployed, ways: Ways) -> str:
    right = f"if {found} is right, change {_FIELDS.get(key, f'tags.{key}')} in the spec"
    if key == "managed-by":
        right = "if another tool manages it now, take it out of the stack"
    if _is_recorded(key, value, resource):
        return f"Somebody set it by hand; this puts {value} back: {ways.refresh}; {right}"
    return f"This sets {value}: {ways.up}; {right}"


def _is_recorded(key: str, value: str, resource: Deployed) -> bool:
    return resource.recorded is not None and resource.recorded.get(key) == value


def _extra(wanted: Mapping[str, str], tags: Mapping[str, str]) -> dict[str, str]:
    return {
        key: value
        for key, value in sorted(tags.items())
        if key not in wanted and not key.startswith(_CLOUDS_OWN)
    }
