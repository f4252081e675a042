"""How long the functions' logs are kept, where that is the deployment's to say: in a log bucket of their own."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from lastmile_infra.gcp.scope import Scope


def keep_logs(
    scope: Scope,
    deployment: str,
    services: Sequence[str],
    days: int,
    account: gcp.serviceaccount.Account,
) -> None:
    """Keep what functions write for so many days, and no longer, nor twice.

    A bucket that was deleted keeps its name for seven days (the discovery document of logging v2, buckets.delete), so that
    its name has the number of the deployment's account in it, which is another one after a `destroy`. A sink may write to
    a bucket of its own project (cloud.google.com/logging/docs/export/configure_export_v2, unverified).

    Args:
        scope: Where.
        deployment: Whose, as the bucket, the sink and the exclusion are called.
        services: The functions' names in Cloud Run.
        days: How long.
        account: The deployment's own.
    """
    what = _filter(scope, services)
    bucket = gcp.logging.ProjectBucketConfig(
        f"{scope.name}-logs",
        project=account.project,
        location=scope.region,
        bucket_id=pulumi.Output.concat(deployment, "-", account.unique_id),
        retention_days=days,
        description=f"What the functions of {deployment} write.",
        opts=scope.opts,
    )
    destination = pulumi.Output.concat("logging.googleapis.com/", bucket.id)
    sink = gcp.logging.ProjectSink(
        f"{scope.name}-logs-kept", name=deployment, destination=destination, filter=what, opts=scope.opts
    )
    # Last to come and first to go: a line is rather stored twice than not at all.
    gcp.logging.ProjectExclusion(
        f"{scope.name}-logs-once",
        name=deployment,
        description=f"Kept in a bucket of their own, by the sink {deployment}.",
        filter=what,
        opts=scope.options(depends_on=[sink]),
    )


def _filter(scope: Scope, services: Sequence[str]) -> str:
    named = " OR ".join(f'"{service}"' for service in services)
    return (
        f'resource.type="cloud_run_revision" AND resource.labels.location="{scope.region}" AND '
        f"resource.labels.service_name=({named})"
    )
