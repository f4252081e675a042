"""Makes a plan from a spec: pure, so the same spec and bundle always give the same bytes."""

from __future__ import annotations

from lastmile_sls.plan.document import (
    FORMAT,
    Auth,
    BundlePlan,
    CorsPlan,
    EndpointPlan,
    FunctionPlan,
    Plan,
    RateLimitPlan,
    Routing,
    Target,
)
from lastmile_sls.spec.model import Spec
from lastmile_sls.spec.tags import tag_set

FUNCTION = "predict"
BUNDLE_PATH = f"bundles/{FUNCTION}"
_AUTH: dict[str, Auth] = {"key": "key", "public": "public"}


def deployment_name(spec: Spec) -> str:
    """Return the prefix of every resource's name: model and environment."""
    return f"{spec.name}-{spec.environment}"


def stack_name(spec: Spec, target: Target) -> str:
    """Return the Pulumi stack: environment and target."""
    return f"{spec.environment}-{target}"


def make_plan(spec: Spec, target: Target, bundle_digest: str) -> Plan:
    """Decide every resource of a deployment.

    Args:
        spec: A spec that fits the target (see `lastmile_sls.targets`).
        target: Where to.
        bundle_digest: The digest of the built bundle, `sha256:...`.
    """
    auth = _AUTH[spec.endpoint.auth]
    return Plan(
        format=FORMAT,
        project=spec.name,
        stack=stack_name(spec, target),
        deployment=deployment_name(spec),
        target=target,
        tags=tag_set(spec),
        functions=[_function(spec, bundle_digest)],
        endpoint=_endpoint(spec, auth),
        keys=["key"] if auth == "key" else [],
    )


def routing(spec: Spec) -> Routing:
    """Return which version answers which share, champion first; weights in hundredths of a percent."""
    champion = spec.traffic.champion or spec.versions[0].id
    shares = spec.traffic.weights or {champion: 100.0}
    ids = sorted((version.id for version in spec.versions), key=lambda id_: id_ != champion)
    sticky = spec.traffic.sticky
    return Routing(
        champion=champion,
        weights={id_: round(shares.get(id_, 0) * 100) for id_ in ids},
        shadows=[],
        sticky={"header": sticky.header.lower()} if sticky and sticky.header else None,
        salt=deployment_name(spec),
    )


def _function(spec: Spec, bundle_digest: str) -> FunctionPlan:
    resources = spec.resources
    return FunctionPlan(
        name=FUNCTION,
        bundle=BundlePlan(path=BUNDLE_PATH, digest=bundle_digest),
        memory_mb=resources.memory_mb,
        timeout_s=resources.timeout_s,
        idle_timeout_s=spec.targets.local.idle_timeout_s,
        concurrency=resources.concurrency,
        min_instances=resources.min_instances,
        max_instances=resources.max_instances,
        routing=routing(spec),
    )


def _endpoint(spec: Spec, auth: Auth) -> EndpointPlan:
    cors, limit = spec.endpoint.cors, spec.endpoint.rate_limit
    return EndpointPlan(
        name="endpoint",
        function=FUNCTION,
        auth=auth,
        port=spec.targets.local.port,
        cors=CorsPlan(allow_origins=list(cors.allow_origins)) if cors else None,
        rate_limit=RateLimitPlan(requests_per_s=limit.requests_per_s, burst=limit.burst) if limit else None,
    )
