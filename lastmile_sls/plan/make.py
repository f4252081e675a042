"""Makes a plan from a spec: pure, so the same spec and bundle always give the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lastmile_sls.plan.document import (
    FORMAT,
    Auth,
    BundlePlan,
    CorsPlan,
    EndpointPlan,
    FunctionPlan,
    Plan,
    QueuePlan,
    RateLimitPlan,
    Routing,
    RoutingDocumentPlan,
    ShadowRouting,
    Target,
)
from lastmile_sls.plan.grouping import ROUTER, Group
from lastmile_sls.spec.model import Spec
from lastmile_sls.spec.tags import tag_set

BUCKET = "state"
QUEUE = "jobs"
ROUTING_DOCUMENT = "routing.json"
_AUTH: dict[str, Auth] = {"key": "key", "jwt": "jwt", "public": "public"}


def deployment_name(spec: Spec) -> str:
    """Return the prefix of every resource's name: model and environment."""
    return f"{spec.name}-{spec.environment}"


def stack_name(spec: Spec, target: Target) -> str:
    """Return the Pulumi stack: environment and target."""
    return f"{spec.environment}-{target}"


def bundle_path(function: str) -> str:
    """Return where a function's bundle lies, relative to the plan."""
    return f"bundles/{function}"


def make_plan(spec: Spec, target: Target, groups: Sequence[Group], digests: Mapping[str, str]) -> Plan:
    """Decide every resource of a deployment.

    Args:
        spec: A spec that fits the target (see `lastmile_sls.targets`).
        target: Where to.
        groups: Which versions share a function, the router's first (see `lastmile_sls.plan.grouping`).
        digests: The digest of each function's built bundle, `sha256:...`, by the function's name.
    """
    live = len(spec.versions) > 1
    return Plan(
        format=FORMAT,
        project=spec.name,
        stack=stack_name(spec, target),
        deployment=deployment_name(spec),
        target=target,
        tags=tag_set(spec),
        functions=_functions(spec, groups, digests),
        bucket=BUCKET if live or spec.queue else None,
        queue=_queue(spec),
        routing=RoutingDocumentPlan(bucket=BUCKET, path=ROUTING_DOCUMENT, content=routing(spec))
        if live
        else None,
        endpoint=_endpoint(spec),
        keys=list(spec.endpoint.keys) if spec.endpoint.auth == "key" else [],
    )


def routing(spec: Spec) -> Routing:
    """Return which version answers which share, champion first; weights in hundredths of a percent."""
    champion = spec.champion()
    shares = spec.traffic.weights or {champion: 100.0}
    sticky = spec.traffic.sticky
    return Routing(
        champion=champion,
        weights={id_: round(shares.get(id_, 0) * 100) for id_ in _champion_first(spec)},
        shadows=[
            ShadowRouting(version=shadow.version, percent=round(shadow.percent * 100))
            for shadow in spec.traffic.shadows
        ],
        sticky=sticky.model_dump(exclude_none=True) if sticky else None,
        rules=[
            {"input": rule.input, "in": list(rule.values), "version": rule.version}
            for rule in spec.traffic.rules
        ],
        salt=deployment_name(spec),
        max_age_s=spec.traffic.max_age_s,
        challenger_timeout_s=spec.traffic.challenger_timeout_s,
    )


def _until_read(spec: Spec) -> Routing:
    """Return what a function with a live document answers by until it has read that: its champion alone."""
    whole = routing(spec)
    weights = {id_: 10_000 if id_ == whole["champion"] else 0 for id_ in _champion_first(spec)}
    return Routing({**whole, "weights": weights, "shadows": [], "sticky": None, "rules": []})


def _champion_first(spec: Spec) -> list[str]:
    return sorted((version.id for version in spec.versions), key=lambda id_: id_ != spec.champion())


def _functions(spec: Spec, groups: Sequence[Group], digests: Mapping[str, str]) -> list[FunctionPlan]:
    router, *others = groups
    return [
        _router(spec, router, others, digests[router.function]),
        *(_function(spec, group, digests[group.function]) for group in others),
    ]


def _router(spec: Spec, group: Group, others: Sequence[Group], digest: str) -> FunctionPlan:
    """Return the function that callers reach: it routes between all versions, and works on the queue."""
    live = len(spec.versions) > 1
    return FunctionPlan(
        {
            **_function(spec, group, digest),
            "calls": {version: other.function for other in others for version in other.versions},
            "routing": _until_read(spec) if live else routing(spec),
            "routing_document": ROUTING_DOCUMENT if live else None,
            "bucket": BUCKET if live or spec.queue else None,
            "queue": QUEUE if spec.queue else None,
        }
    )


def _function(spec: Spec, group: Group, digest: str) -> FunctionPlan:
    """Return a function that answers for the version that it is asked for."""
    resources = spec.resources
    return FunctionPlan(
        name=group.function,
        versions=list(group.versions),
        calls={},
        why=group.why,
        bundle=BundlePlan(path=bundle_path(group.function), digest=digest),
        memory_mb=resources.memory_mb,
        timeout_s=resources.timeout_s,
        idle_timeout_s=spec.targets.local.idle_timeout_s,
        concurrency=resources.concurrency,
        min_instances=resources.min_instances,
        max_instances=resources.max_instances,
        routing=_alone(spec, group),
        routing_document=None,
        bucket=None,
        queue=None,
    )


def _alone(spec: Spec, group: Group) -> Routing:
    """Return what a function answers by whose callers always say the version: its first one."""
    first = group.versions[0]
    weights = {id_: 10_000 if id_ == first else 0 for id_ in group.versions}
    return Routing({**_until_read(spec), "champion": first, "weights": weights})


def _queue(spec: Spec) -> QueuePlan | None:
    if spec.queue is None:
        return None
    return QueuePlan(
        name=QUEUE,
        max_attempts=spec.queue.max_attempts,
        visibility_timeout_s=spec.queue.visibility_timeout_s,
        retention_s=spec.queue.retention_s,
    )


def _endpoint(spec: Spec) -> EndpointPlan:
    cors, limit, jwt = spec.endpoint.cors, spec.endpoint.rate_limit, spec.endpoint.jwt
    return EndpointPlan(
        name="endpoint",
        function=ROUTER,
        auth=_AUTH[spec.endpoint.auth],
        jwt={"issuer": jwt.issuer, "audiences": list(jwt.audiences)} if jwt else None,
        port=spec.targets.local.port,
        cors=CorsPlan(allow_origins=list(cors.allow_origins)) if cors else None,
        rate_limit=RateLimitPlan(requests_per_s=limit.requests_per_s, burst=limit.burst) if limit else None,
    )
