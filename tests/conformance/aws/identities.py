"""Roles, secrets, log groups and image repositories on moto."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.conformance.aws.account import Account
from tests.conformance.aws.kind import Kind, Outputs
from tests.conformance.aws.requests import Inputs, tag_list


def _make_role(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    inputs.ignore("forceDetachPolicies")
    request = inputs.rest({"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"})
    made = account.call("iam", "create_role", **request, Tags=tag_list(tags))["Role"]
    return {"id": made["RoleName"], "arn": made["Arn"], "uniqueId": made["RoleId"]}


def _change_role(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    inputs.ignore("forceDetachPolicies")
    request = inputs.rest({"name": "RoleName", "assumeRolePolicy": "PolicyDocument"})
    trust = {"RoleName": request["RoleName"], "PolicyDocument": request.pop("PolicyDocument")}
    account.call("iam", "update_assume_role_policy", **trust)
    account.call("iam", "update_role", **request)
    account.call("iam", "tag_role", RoleName=request["RoleName"], Tags=tag_list(tags))
    return {name: old[name] for name in ("id", "arn", "uniqueId")}


def _read_role(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found = account.call("iam", "get_role", RoleName=outputs["name"])["Role"]
    return {
        "assumeRolePolicy": found["AssumeRolePolicyDocument"],
        "path": found["Path"],
        "tags": {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])},
    }


def _make_policy(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    request = inputs.rest({"role": "RoleName", "name": "PolicyName", "policy": "PolicyDocument"})
    account.call("iam", "put_role_policy", **request)
    return {"id": f"{request['RoleName']}:{request['PolicyName']}"}


def _change_policy(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    return _make_policy(account, inputs, tags)


def _read_policy(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found = account.call("iam", "get_role_policy", RoleName=outputs["role"], PolicyName=outputs["name"])
    return {"policy": found["PolicyDocument"]}


def _remove_policy(account: Account, outputs: Outputs) -> None:
    account.call("iam", "delete_role_policy", RoleName=outputs["role"], PolicyName=outputs["name"])


def _make_secret(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    inputs.ignore("recoveryWindowInDays", "forceOverwriteReplicaSecret")
    made = account.call("secretsmanager", "create_secret", **inputs.rest({}), Tags=tag_list(tags))
    return {"id": made["ARN"], "arn": made["ARN"]}


def _change_secret(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    inputs.ignore("recoveryWindowInDays", "forceOverwriteReplicaSecret", "name")
    account.call("secretsmanager", "update_secret", SecretId=old["arn"], **inputs.rest({}))
    account.call("secretsmanager", "tag_resource", SecretId=old["arn"], Tags=tag_list(tags))
    return {"id": old["arn"], "arn": old["arn"]}


def _read_secret(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found = account.call("secretsmanager", "describe_secret", SecretId=outputs["arn"])
    tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}
    return {"name": found["Name"], "description": found.get("Description"), "tags": tags}


def _remove_secret(account: Account, outputs: Outputs) -> None:
    days = outputs.get("recoveryWindowInDays", 30)
    how = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
    account.call("secretsmanager", "delete_secret", SecretId=outputs["arn"], **how)


def _make_value(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    inputs.ignore("secretStringWoVersion")
    names = {"secretStringWo": "SecretString", "versionStages": "VersionStages"}
    made = account.call("secretsmanager", "put_secret_value", **inputs.rest(names))
    return {"id": f"{made['ARN']}|{made['VersionId']}", "arn": made["ARN"], "versionId": made["VersionId"]}


def _change_value(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    return _make_value(account, inputs, tags)


def _keep(account: Account, outputs: Outputs) -> None:
    """Remove nothing: a secret's versions go with it."""


def _make_log_group(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    name, days = inputs.need("name"), inputs.take("retentionInDays")
    inputs.ignore("skipDestroy")
    request = {key: inputs.take(key) for key in ("kmsKeyId", "logGroupClass")}
    inputs.finish()
    given = {key: value for key, value in request.items() if value}
    account.call("logs", "create_log_group", logGroupName=name, tags=dict(tags), **given)
    if days:
        account.call("logs", "put_retention_policy", logGroupName=name, retentionInDays=days)
    return {"id": name, "arn": _log_group(account, name)["logGroupArn"]}


def _change_log_group(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    name, days = inputs.need("name"), inputs.take("retentionInDays")
    inputs.ignore("skipDestroy", "kmsKeyId", "logGroupClass")
    inputs.finish()
    if days:
        account.call("logs", "put_retention_policy", logGroupName=name, retentionInDays=days)
    account.call("logs", "tag_resource", resourceArn=old["arn"], tags=dict(tags))
    return {"id": name, "arn": old["arn"]}


def _log_group(account: Account, name: str) -> dict[str, Any]:
    listed = account.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name)
    found: dict[str, Any] = next(group for group in listed if group["logGroupName"] == name)
    found.setdefault("logGroupArn", found["arn"].removesuffix(":*"))
    return found


def _read_log_group(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found = _log_group(account, outputs["name"])
    tags = account.call("logs", "list_tags_for_resource", resourceArn=outputs["arn"])["tags"]
    return {"retentionInDays": found.get("retentionInDays"), "tags": tags}


_REPOSITORY = {
    "name": "repositoryName",
    "imageTagMutability": "imageTagMutability",
    "imageScanningConfiguration": "imageScanningConfiguration",
}


def _make_repository(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    inputs.ignore("forceDelete")
    request = {theirs: inputs.take(ours) for ours, theirs in _REPOSITORY.items()}
    encryption = inputs.take("encryptionConfigurations")
    inputs.finish()
    if encryption:
        request["encryptionConfiguration"] = encryption[0]
    given = {name: value for name, value in request.items() if value is not None}
    made = account.call("ecr", "create_repository", **given, tags=tag_list(tags))["repository"]
    return {
        "id": made["repositoryName"],
        "arn": made["repositoryArn"],
        "registryId": made["registryId"],
        "repositoryUrl": made["repositoryUri"],
    }


def _read_repository(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    (found,) = account.call("ecr", "describe_repositories", repositoryNames=[outputs["name"]])["repositories"]
    tags = account.call("ecr", "list_tags_for_resource", resourceArn=outputs["arn"])["tags"]
    return {
        "encryptionConfigurations": [found["encryptionConfiguration"]],
        "imageTagMutability": found["imageTagMutability"],
        "imageScanningConfiguration": found["imageScanningConfiguration"],
        "tags": {tag["Key"]: tag["Value"] for tag in tags},
    }


def _remove_repository(account: Account, outputs: Outputs) -> None:
    force = bool(outputs.get("forceDelete"))
    account.call("ecr", "delete_repository", repositoryName=outputs["name"], force=force)


def _make_image_policy(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    policy = inputs.need("policy")
    text = policy if isinstance(policy, str) else json.dumps(policy)
    request = {"repositoryName": inputs.need("repository"), "lifecyclePolicyText": text}
    inputs.finish()
    account.call("ecr", "put_lifecycle_policy", **request)
    return {"id": request["repositoryName"]}


def _make_repository_policy(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    request = {"repositoryName": inputs.need("repository"), "policyText": inputs.need("policy")}
    inputs.finish()
    account.call("ecr", "set_repository_policy", **request)
    return {"id": request["repositoryName"]}


def _change_repository_policy(
    account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs
) -> Outputs:
    return _make_repository_policy(account, inputs, tags)


def _read_repository_policy(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found = account.call("ecr", "get_repository_policy", repositoryName=outputs["repository"])
    return {"policy": json.loads(found["policyText"])}


def _remove_image_policy(account: Account, outputs: Outputs) -> None:
    account.call("ecr", "delete_lifecycle_policy", repositoryName=outputs["repository"])


KINDS = {
    "aws:iam/role:Role": Kind(
        _make_role,
        lambda account, outputs: account.call("iam", "delete_role", RoleName=outputs["name"]),
        ("arn", "uniqueId"),
        named="name",
        change=_change_role,
        anew=frozenset({"name", "path"}),
        read=_read_role,
        tagged=True,
    ),
    "aws:iam/rolePolicy:RolePolicy": Kind(
        _make_policy,
        _remove_policy,
        named="name",
        change=_change_policy,
        anew=frozenset({"name", "role"}),
        read=_read_policy,
    ),
    "aws:secretsmanager/secret:Secret": Kind(
        _make_secret,
        _remove_secret,
        ("arn",),
        named="name",
        change=_change_secret,
        anew=frozenset({"name"}),
        read=_read_secret,
        tagged=True,
    ),
    "aws:secretsmanager/secretVersion:SecretVersion": Kind(
        _make_value, _keep, ("arn", "versionId"), change=_change_value, anew=frozenset({"secretId"})
    ),
    "aws:cloudwatch/logGroup:LogGroup": Kind(
        _make_log_group,
        lambda account, outputs: account.call("logs", "delete_log_group", logGroupName=outputs["name"]),
        ("arn",),
        named="name",
        change=_change_log_group,
        anew=frozenset({"name"}),
        read=_read_log_group,
        tagged=True,
    ),
    "aws:ecr/repository:Repository": Kind(
        _make_repository,
        _remove_repository,
        ("arn", "registryId", "repositoryUrl"),
        named="name",
        read=_read_repository,
        tagged=True,
    ),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": Kind(
        _make_repository_policy,
        lambda account, outputs: account.call(
            "ecr", "delete_repository_policy", repositoryName=outputs["repository"]
        ),
        change=_change_repository_policy,
        anew=frozenset({"repository"}),
        read=_read_repository_policy,
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": Kind(_make_image_policy, _remove_image_policy),
}
