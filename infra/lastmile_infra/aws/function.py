"""A function on AWS Lambda: its package, settings, published version, alias and log group."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws

from lastmile_infra.aws import policies, resource_policies
from lastmile_infra.aws.policies import ALIAS
from lastmile_infra.aws.scope import Scope
from lastmile_infra.aws.tags import object_tags
from lastmile_infra.delivery import Image
from lastmile_infra.functions import variables_of
from lastmile_infra.storage import Storage
from lastmile_sls.plan.document import FunctionPlan, PackagePlan


@dataclass(frozen=True)
class Function:
    """A function, by what it is called by."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    alias: aws.lambda_.Alias
    url: pulumi.Output[str]
    """Where other functions call it (see `lastmile_runtime.functions`)."""
    log_group: pulumi.Output[str]
    """Its name."""


def make_function(
    scope: Scope,
    plan: FunctionPlan,
    *,
    folder: Path,
    role: aws.iam.Role,
    storage: Storage | None,
    environment: Mapping[str, pulumi.Input[str]],
    after: Sequence[pulumi.Resource],
) -> Function:
    """Make a function and publish it.

    Args:
        scope: Where, and with which tags.
        plan: What it is.
        folder: What its package's path is relative to.
        role: Who it is.
        storage: The bucket, where its package goes through one.
        environment: Its variables.
        after: What must be there before it starts.
    """
    name, log_group = f"{scope.name}-{plan['name']}", _make_log_group(scope, plan)
    max_instances = plan["max_instances"]
    function = aws.lambda_.Function(
        name,
        name=plan["resource"],
        role=role.arn,
        **_code(scope, name, plan, folder, storage),
        architectures=[plan["processor"] or "x86_64"],
        memory_size=plan["memory_mb"],
        timeout=plan["timeout_s"],
        reserved_concurrent_executions=max_instances,
        publish=True,
        snap_start=aws.lambda_.FunctionSnapStartArgs(apply_on="PublishedVersions")
        if plan["snapshot"]
        else None,
        environment=aws.lambda_.FunctionEnvironmentArgs(variables=dict(environment)),
        logging_config=aws.lambda_.FunctionLoggingConfigArgs(log_format="JSON", log_group=log_group.name),
        tags=scope.tags,
        opts=scope.options(depends_on=[*after, log_group]),
    )
    alias = aws.lambda_.Alias(
        f"{name}-{ALIAS}",
        name=ALIAS,
        function_name=function.name,
        function_version=function.version,
        opts=scope.opts,
    )
    if plan["min_instances"]:
        aws.lambda_.ProvisionedConcurrencyConfig(
            f"{name}-warm",
            function_name=function.name,
            qualifier=alias.name,
            provisioned_concurrent_executions=plan["min_instances"],
            opts=scope.opts,
        )
    url = pulumi.Output.concat("lambda://", scope.region, "/", alias.arn)
    return Function(function.name, function.arn, alias, url, log_group.name)


def _make_log_group(scope: Scope, plan: FunctionPlan) -> aws.cloudwatch.LogGroup:
    """Make it here: the one that Lambda would make is kept for ever, and outlives the deployment."""
    return aws.cloudwatch.LogGroup(
        f"{scope.name}-{plan['name']}-logs",
        name=policies.log_group_name(plan["resource"]),
        retention_in_days=plan["log_retention_days"],
        tags=scope.tags,
        opts=scope.opts,
    )


def _code(
    scope: Scope, name: str, plan: FunctionPlan, folder: Path, storage: Storage | None
) -> dict[str, Any]:
    """Return what Lambda is told of a package, and bring it where Lambda takes it from. Raises ValueError."""
    package = plan["package"]
    if package is None:
        raise ValueError(f"the function {plan['name']} has no package, which AWS Lambda needs.")
    path = (folder / package["path"]).resolve()
    if package["through"] == "registry":
        return {"package_type": "Image", "image_uri": _push(scope, name, plan, package, path)}
    told = {"package_type": "Zip", "runtime": f"python{plan['python']}", "handler": plan["entry"]}
    if package["through"] == "api":
        return {**told, "code": pulumi.FileArchive(str(path))}
    if package["through"] == "bucket" and storage is not None:
        uploaded = aws.s3.BucketObjectv2(
            f"{name}-package",
            bucket=storage.bucket,
            key=package["key"],
            source=pulumi.FileAsset(str(path)),
            tags=object_tags(scope.tags),
            opts=scope.opts,
        )
        return {**told, "s3_bucket": uploaded.bucket, "s3_key": uploaded.key}
    raise ValueError(f"AWS Lambda takes no package through {package['through']!r} without a bucket.")


def _push(
    scope: Scope, name: str, plan: FunctionPlan, package: PackagePlan, path: Path
) -> pulumi.Output[str]:
    """Make a repository, send the image to it, and return the image's reference."""
    repository = aws.ecr.Repository(
        f"{name}-images",
        force_delete=True,  # with the images in it, which nothing uses once the function is gone
        image_tag_mutability="IMMUTABLE",
        image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
        encryption_configurations=[aws.ecr.RepositoryEncryptionConfigurationArgs(encryption_type="AES256")],
        tags=scope.tags,
        opts=scope.opts,
    )
    policy = aws.ecr.RepositoryPolicy(
        f"{name}-images-policy",
        repository=repository.name,
        policy=scope.policy(resource_policies.repository_policy),
        opts=scope.opts,
    )
    image = Image(
        f"{name}-image",
        source=str(path),
        digest=plan["bundle"]["digest"],
        repository=repository.repository_url,
        base=package["base"],
        opts=pulumi.ResourceOptions.merge(scope.delivered, pulumi.ResourceOptions(depends_on=[policy])),
    )
    return image.reference


def environment_of(
    scope: Scope,
    plan: FunctionPlan,
    *,
    routing: pulumi.Output[str] | None,
    key_digests: Sequence[pulumi.Output[str]],
    urls: Mapping[str, pulumi.Output[str]],
    queue: pulumi.Output[str] | None = None,
    bucket: pulumi.Output[str] | None = None,
) -> dict[str, pulumi.Input[str]]:
    """Return a function's variables: the plan's, and those that say where something was made.

    Args:
        scope: Where it is.
        plan: What it is.
        routing: The live routing document's URL.
        key_digests: Of the keys that it takes; none where it checks none.
        urls: Of the functions that it calls, by name.
        queue: The queue's URL.
        bucket: The bucket's URL.
    """
    variables = variables_of(
        plan, routing=routing, key_digests=key_digests, urls=urls, queue=queue, bucket=bucket
    )
    if plan["secrets"]:
        variables["LASTMILE_SECRETS"] = scope.policy(
            lambda place: json.dumps(
                {name: policies.secret_arn(place, secret) for name, secret in plan["secrets"].items()}
            )
        )
    return variables
