"""What a Google Cloud project shares: APIs, buckets for Pulumi's state, a dataset for the bill, images, a key."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from lastmile_infra.gcp.scope import Scope
from lastmile_infra.gcp.storage import SOFT_DELETE_S
from lastmile_sls.bootstrap.document import BillingPlan, BootstrapPlan, KeyPlan, RegistryPlan, StatePlan

__all__ = ["provision"]
_DAY_S = 86400


def provision(name: str, plan: BootstrapPlan, opts: pulumi.ResourceOptions) -> dict[str, pulumi.Input[str]]:
    """Make what the plan says; return what each part is called."""
    scope = _open_scope(name, plan, opts)
    _make_state(scope, plan["state"])
    made: dict[str, pulumi.Input[str]] = {"state": plan["state"]["url"]}
    if plan["billing"]:
        made["billing"] = _make_dataset(scope, plan["billing"])
    if plan["registry"]:
        made["registry"] = _make_registry(scope, plan["registry"])
    if plan["key"]:
        _make_key(scope, plan["key"])
        made["secrets_provider"] = plan["key"]["url"]
    return made


def _open_scope(name: str, plan: BootstrapPlan, opts: pulumi.ResourceOptions) -> Scope:
    """Return the scope: Google's provider, its parent's or one of its own, and the APIs."""
    provider = opts.parent.get_provider("gcp:index/provider:Provider") if opts.parent else None
    if provider is None:
        provider = gcp.Provider(f"{name}-gcp", project=plan["account"], region=plan["region"], opts=opts)
    with_provider = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(provider=provider))
    apis = [
        gcp.projects.Service(
            f"{name}-api-{api}",
            service=f"{api}.googleapis.com",
            disable_on_destroy=False,  # others in the project may use it
            opts=with_provider,
        )
        for api in plan["apis"]
    ]
    after = pulumi.ResourceOptions(depends_on=apis)
    return Scope(name, plan["tags"], plan["region"], pulumi.ResourceOptions.merge(with_provider, after), opts)


def _make_state(scope: Scope, plan: StatePlan) -> None:
    former = gcp.storage.BucketLifecycleRuleConditionArgs(
        days_since_noncurrent_time=plan["old_versions_days"], with_state="ARCHIVED"
    )
    given_up = gcp.storage.BucketLifecycleRuleConditionArgs(age=plan["incomplete_uploads_days"])
    gcp.storage.Bucket(
        f"{scope.name}-state",
        name=plan["name"],
        location=scope.region.upper(),
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        versioning=gcp.storage.BucketVersioningArgs(enabled=True),
        soft_delete_policy=gcp.storage.BucketSoftDeletePolicyArgs(retention_duration_seconds=SOFT_DELETE_S),
        lifecycle_rules=[
            gcp.storage.BucketLifecycleRuleArgs(
                action=gcp.storage.BucketLifecycleRuleActionArgs(type=action), condition=condition
            )
            for action, condition in (("Delete", former), ("AbortIncompleteMultipartUpload", given_up))
        ],
        force_destroy=False,
        labels=scope.labels,
        opts=scope.options(retain_on_delete=True),
    )


def _make_dataset(scope: Scope, plan: BillingPlan) -> pulumi.Output[str]:
    """Make the dataset that a person then names as the export's; Google gives its own service the right to write it."""
    dataset = gcp.bigquery.Dataset(
        f"{scope.name}-billing",
        dataset_id=plan["name"],
        location=plan["location"],
        description="What everything cost: Cloud Billing writes here, once its export is turned on.",
        delete_contents_on_destroy=False,
        labels=scope.labels,
        opts=scope.options(retain_on_delete=True),
    )
    return pulumi.Output.concat(dataset.project, ".", dataset.dataset_id)


def _make_registry(scope: Scope, plan: RegistryPlan) -> pulumi.Output[str]:
    """Make the repository of shared images, which outlives the stack with them."""
    old = gcp.artifactregistry.RepositoryCleanupPolicyConditionArgs(
        tag_state="UNTAGGED", older_than=f"{plan['untagged_days'] * _DAY_S}s"
    )
    repository = gcp.artifactregistry.Repository(
        f"{scope.name}-images",
        repository_id=plan["name"],
        location=scope.region,
        format="DOCKER",
        docker_config=gcp.artifactregistry.RepositoryDockerConfigArgs(immutable_tags=True),
        cleanup_policies=[
            gcp.artifactregistry.RepositoryCleanupPolicyArgs(
                id="delete-untagged", action="DELETE", condition=old
            )
        ],
        labels=scope.labels,
        opts=scope.options(retain_on_delete=True),
    )
    uri: pulumi.Output[str] = repository.registry_uri
    return uri


def _make_key(scope: Scope, plan: KeyPlan) -> None:
    """Make the key that encrypts secrets in the state; the project's own policy says who uses it."""
    opts = scope.options(retain_on_delete=True)
    ring = gcp.kms.KeyRing(f"{scope.name}-keys", name=plan["ring"], location=scope.region, opts=opts)
    rotation = plan["rotation_days"]
    gcp.kms.CryptoKey(
        f"{scope.name}-key",
        name=plan["name"],
        key_ring=ring.id,
        purpose="ENCRYPT_DECRYPT",
        rotation_period=f"{rotation * _DAY_S}s" if rotation else None,
        labels=scope.labels,
        opts=opts,
    )
