"""A function on Cloud Run: its image, settings, room, and who gets to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_gcp as gcp

from lastmile_infra.delivery import Image
from lastmile_infra.gcp.scope import Scope
from lastmile_sls.plan.document import FunctionPlan

_PORT = 8080
_START_S = 240
"""How long Cloud Run waits for the port: what it does by default, said aloud, since probes that come each second would
make starts longer (cloud.google.com/run/docs/configuring/healthchecks, "default TCP startup probe", read 2026-11-29).
The runtime listens before it imports anything."""
_GENERATIONS: dict[str | None, str | None] = {
    "gen1": "EXECUTION_ENVIRONMENT_GEN1",
    "gen2": "EXECUTION_ENVIRONMENT_GEN2",
    None: None,
}
_IMAGES_KEPT = 10
_IMAGES_KEPT_S = 30 * 24 * 3600
"""Cloud Run keeps its own copy of an image that a revision needs (cloud.google.com/run/docs/deploying, "Images", read
2026-11-29), so that older ones are of use to nobody but whoever goes back."""


@dataclass(frozen=True)
class Function:
    """A function, and where it is reached."""

    service: gcp.cloudrunv2.Service

    @property
    def url(self) -> pulumi.Output[str]:
        """Where other functions call it (see `lastmile_runtime.functions`)."""
        return pulumi.Output.concat("run+", self.service.uri)


@dataclass(frozen=True)
class Exposure:
    """How callers get to a function."""

    ingress: str
    is_open: bool
    """Whether Cloud Run lets everybody through, because the function itself checks who calls, or nobody does."""
    has_address: bool
    """Whether it has Cloud Run's own."""
    audiences: list[str]
    """What an identity token may be for, beside the function's own address."""


def make_images(scope: Scope, deployment: str) -> gcp.artifactregistry.Repository:
    """Make the repository of the deployment's images; it goes with all that is in it."""
    kept = gcp.artifactregistry.RepositoryCleanupPolicyMostRecentVersionsArgs(keep_count=_IMAGES_KEPT)
    old = gcp.artifactregistry.RepositoryCleanupPolicyConditionArgs(
        tag_state="ANY", older_than=f"{_IMAGES_KEPT_S}s"
    )
    return gcp.artifactregistry.Repository(
        f"{scope.name}-images",
        repository_id=deployment,
        location=scope.region,
        format="DOCKER",
        cleanup_policies=[
            gcp.artifactregistry.RepositoryCleanupPolicyArgs(
                id="keep-recent", action="KEEP", most_recent_versions=kept
            ),
            gcp.artifactregistry.RepositoryCleanupPolicyArgs(id="delete-old", action="DELETE", condition=old),
        ],
        labels=scope.labels,
        opts=scope.opts,
    )


def make_function(
    scope: Scope,
    plan: FunctionPlan,
    *,
    folder: Path,
    account: gcp.serviceaccount.Account,
    images: gcp.artifactregistry.Repository,
    environment: Mapping[str, pulumi.Input[str]],
    exposure: Exposure,
    after: Sequence[pulumi.Resource],
) -> Function:
    """Send a function's image to the registry and run it. Raises ValueError for a package that is no image.

    Args:
        scope: Where, and with which labels.
        plan: What it is.
        folder: What its package's path is relative to.
        account: Who it is.
        images: Where its image goes.
        environment: Its variables.
        exposure: Who gets to it.
        after: What must be there before it starts.
    """
    name = f"{scope.name}-{plan['name']}"
    image = _push(scope, name, plan, folder, images)
    service = gcp.cloudrunv2.Service(
        name,
        name=plan["resource"],
        location=scope.region,
        ingress=exposure.ingress,
        invoker_iam_disabled=exposure.is_open,
        default_uri_disabled=not exposure.has_address,
        custom_audiences=exposure.audiences or None,
        template=_template(scope, plan, image, account, environment),
        traffics=[
            gcp.cloudrunv2.ServiceTrafficArgs(type="TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent=100)
        ],
        deletion_protection=False,
        labels=scope.labels,
        opts=scope.options(depends_on=list(after)),
    )
    return Function(service)


def _push(
    scope: Scope, name: str, plan: FunctionPlan, folder: Path, images: gcp.artifactregistry.Repository
) -> pulumi.Output[str]:
    package = plan["package"]
    if package is None or package["form"] != "image":
        raise ValueError(f"the function {plan['name']} has no image, which Cloud Run needs.")
    image = Image(
        f"{name}-image",
        source=str((folder / package["path"]).resolve()),
        digest=plan["bundle"]["digest"],
        repository=pulumi.Output.concat(images.registry_uri, "/", plan["name"]),
        base=package["base"],
        opts=scope.delivered,
    )
    return image.reference


def _template(
    scope: Scope,
    plan: FunctionPlan,
    image: pulumi.Output[str],
    account: gcp.serviceaccount.Account,
    environment: Mapping[str, pulumi.Input[str]],
) -> gcp.cloudrunv2.ServiceTemplateArgs:
    gpu = plan["gpu"]
    return gcp.cloudrunv2.ServiceTemplateArgs(
        service_account=account.email,
        timeout=f"{plan['timeout_s']}s",
        max_instance_request_concurrency=plan["concurrency"],
        scaling=gcp.cloudrunv2.ServiceTemplateScalingArgs(
            min_instance_count=plan["min_instances"], max_instance_count=plan["max_instances"]
        ),
        execution_environment=_GENERATIONS[plan["generation"]],
        node_selector=gcp.cloudrunv2.ServiceTemplateNodeSelectorArgs(accelerator=gpu) if gpu else None,
        gpu_zonal_redundancy_disabled=True if gpu else None,
        containers=[_container(plan, image, environment)],
        labels=scope.labels,
    )


def _container(
    plan: FunctionPlan, image: pulumi.Output[str], environment: Mapping[str, pulumi.Input[str]]
) -> gcp.cloudrunv2.ServiceTemplateContainerArgs:
    return gcp.cloudrunv2.ServiceTemplateContainerArgs(
        image=image,
        envs=_variables(environment, plan["secrets"]),
        ports=gcp.cloudrunv2.ServiceTemplateContainerPortsArgs(container_port=_PORT),
        resources=gcp.cloudrunv2.ServiceTemplateContainerResourcesArgs(
            limits=limits_of(plan),
            # With a GPU the instance is paid for by its life, and keeps its processor between requests.
            cpu_idle=plan["gpu"] is None,
            startup_cpu_boost=True,
        ),
        startup_probe=gcp.cloudrunv2.ServiceTemplateContainerStartupProbeArgs(
            tcp_socket=gcp.cloudrunv2.ServiceTemplateContainerStartupProbeTcpSocketArgs(port=_PORT),
            timeout_seconds=_START_S,
            period_seconds=_START_S,
            failure_threshold=1,
        ),
    )


def _variables(
    environment: Mapping[str, pulumi.Input[str]], secrets: Mapping[str, str]
) -> list[gcp.cloudrunv2.ServiceTemplateContainerEnvArgs]:
    """Return a container's variables by name: in another order they would be another revision."""
    plain = {
        name: gcp.cloudrunv2.ServiceTemplateContainerEnvArgs(name=name, value=value)
        for name, value in environment.items()
    }
    return [variable for _, variable in sorted({**plain, **_secret_variables(secrets)}.items())]


def _secret_variables(
    secrets: Mapping[str, str],
) -> dict[str, gcp.cloudrunv2.ServiceTemplateContainerEnvArgs]:
    """Return variables whose values Cloud Run reads from Secret Manager when an instance starts."""
    sources = {
        variable: gcp.cloudrunv2.ServiceTemplateContainerEnvValueSourceArgs(
            secret_key_ref=gcp.cloudrunv2.ServiceTemplateContainerEnvValueSourceSecretKeyRefArgs(
                secret=secret, version="latest"
            )
        )
        for variable, secret in secrets.items()
    }
    return {
        variable: gcp.cloudrunv2.ServiceTemplateContainerEnvArgs(name=variable, value_source=source)
        for variable, source in sources.items()
    }


def limits_of(plan: FunctionPlan) -> dict[str, str]:
    """Return an instance's room in Cloud Run's words. Raises ValueError for a plan that says no processors."""
    if plan["cpu"] is None:
        raise ValueError(f"the function {plan['name']} has no cpu, which Cloud Run needs.")
    limits = {"cpu": f"{plan['cpu']:g}", "memory": f"{plan['memory_mb']}Mi"}
    return {**limits, "nvidia.com/gpu": "1"} if plan["gpu"] else limits
