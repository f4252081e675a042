"""What anybody could read: buckets that are open, and grants to everybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lastmile_sls.policy.parameters import Parameters
from lastmile_sls.policy.resource import UNKNOWN, Resource, at, document, items, statements
from lastmile_sls.policy.rule import Problem, Rule, unknown

EVERYONE = frozenset({"allUsers", "allAuthenticatedUsers"})
"""Of Google Cloud: anybody, and anybody with an account at Google (cloud.google.com/iam/docs/principals-overview)."""
_OPEN_ACLS = frozenset({"public-read", "public-read-write", "authenticated-read"})
_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_Wanted = Mapping[str, Mapping[str, tuple[frozenset[Any], str]]]
_STORAGE: _Wanted = {
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {
        name: (frozenset({True}), "true") for name in _BLOCKS
    },
    "gcp:storage/bucket:Bucket": {
        "publicAccessPrevention": (frozenset({"enforced"}), "enforced"),
        "uniformBucketLevelAccess": (frozenset({True}), "true"),
    },
    # Not set it is false, or none (pulumi_azure_native 3.29, StorageAccountArgs, BlobContainerArgs).
    "azure-native:storage:StorageAccount": {"allowBlobPublicAccess": (frozenset({False, None}), "false")},
    "azure-native:storage:BlobContainer": {"publicAccess": (frozenset({"None", None}), "None")},
    "azure-native:containerregistry:Registry": {"anonymousPullEnabled": (frozenset({False, None}), "false")},
}
"""By type: inputs, which values keep it closed, and what to set."""
_POLICIES = ("policy", "policyDocument", "assumeRolePolicy")
_RESTRICTING = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
    }
)
"""A condition on one of these makes a statement for everybody one for some
(docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html, "The meaning of public", read
2026-11-29)."""
_INVOKERS = ("cloudrunv2/service", "cloudrun/iam", "cloudfunctionsv2/function", "cloudfunctions/function")
"""How the types of Google's begin whose grants open an endpoint: the rule endpoint-auth looks at them."""


def _judge_storage(resource: Resource, parameters: Parameters) -> Iterator[Problem]:
    for path, (closed, wanted) in _STORAGE.get(resource.type, {}).items():
        value = at(resource.inputs, path)
        if value is UNKNOWN:
            yield unknown(path)
        elif value not in closed:
            yield Problem(f"{path} is {_shown(value)}; it must be {wanted}.")
    if resource.type.startswith("aws:s3/bucket"):
        acl = at(resource.inputs, "acl")
        if acl is UNKNOWN:
            yield unknown("acl")
        elif isinstance(acl, str) and acl in _OPEN_ACLS:
            yield Problem(f"acl is {acl}; it must be private.")


def _judge_grants(resource: Resource, parameters: Parameters) -> Iterator[Problem]:
    match resource.cloud:
        case "aws":
            yield from _aws(resource)
        case "gcp" if not resource.type.removeprefix("gcp:").startswith(_INVOKERS):
            yield from members_open(resource)


def _aws(resource: Resource) -> Iterator[Problem]:
    if resource.type == "aws:lambda/permission:Permission":
        yield from _permission(resource)
        return
    for field in _POLICIES:
        # Policies of an identity's own name no principal: whoever has the identity is known.
        if field not in resource.inputs or (
            resource.type.startswith("aws:iam/") and field != "assumeRolePolicy"
        ):
            continue
        policy = document(at(resource.inputs, field))
        if policy is UNKNOWN:
            yield unknown(field)
        for statement in statements(policy):
            if _is_open(statement):
                yield Problem(f"{field} allows {_actions(statement)} to everybody.")


def _permission(resource: Resource) -> Iterator[Problem]:
    """A permission for everybody that is not a function's URL's, which is an endpoint."""
    principal = at(resource.inputs, "principal")
    if principal is UNKNOWN:
        yield unknown("principal")
    narrowing = (
        "sourceArn",
        "sourceAccount",
        "principalOrgId",
        "functionUrlAuthType",
        "invokedViaFunctionUrl",
    )
    if principal == "*" and not any(at(resource.inputs, name) for name in narrowing):
        yield Problem("principal is *, with neither sourceArn, sourceAccount nor principalOrgId.")


def _is_open(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    named = principal.get("AWS") if isinstance(principal, Mapping) else principal
    if statement.get("Effect") != "Allow" or "*" not in (named if isinstance(named, list) else [named]):
        return False
    conditions = statement.get("Condition") or {}
    keys = {key.lower() for tests in conditions.values() if isinstance(tests, Mapping) for key in tests}
    return not keys & _RESTRICTING


def _actions(statement: Mapping[str, Any]) -> str:
    actions = statement.get("Action") or statement.get("NotAction")
    return ", ".join(map(str, actions)) if isinstance(actions, list) else str(actions)


def members_open(resource: Resource) -> Iterator[Problem]:
    """Yield the grants of a resource of Google's to everybody, of IAM's or of an access control list's."""
    for path, value in _members(resource):
        if value is UNKNOWN:
            yield unknown(path)
        elif isinstance(value, str) and value.rpartition(":")[2] in EVERYONE:
            yield Problem(f"{path} is {value.rpartition(':')[2]}, who is everybody.")


def _members(resource: Resource) -> Iterator[tuple[str, Any]]:
    for field in ("member", "entity"):
        if field in resource.inputs:
            yield field, at(resource.inputs, field)
    for field in ("members", "roleEntities"):
        for value in items(resource.inputs, field):
            yield field, value
    if resource.type.endswith("Policy") and "policyData" in resource.inputs:
        policy = document(at(resource.inputs, "policyData"))
        for binding in items(policy, "bindings"):
            for value in items(binding, "members"):
                yield "policyData", value


def _shown(value: Any) -> str:
    return "not set" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


PRIVATE_STORAGE = Rule(
    id="private-storage",
    demands="No bucket, container or registry can be read by the public.",
    fix="lastmile closes all that it makes; elsewhere close it.",
    of_resource=_judge_storage,
)
NO_ANONYMOUS = Rule(
    id="no-anonymous",
    demands="No grant is to everybody: roles, queues, topics, secrets and buckets name who may use them.",
    fix="Name who may: targets.aws.callers, targets.gcp.callers and the like; elsewhere a principal, or a condition.",
    of_resource=_judge_grants,
)
