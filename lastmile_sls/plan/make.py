"""Makes a plan from a spec: pure, so the same spec and bundle always give the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lastmile_runtime.cors import EXPOSED, METHODS
from lastmile_sls.bundle.dependencies.environment import Environment
from lastmile_sls.plan import cloud, work
from lastmile_sls.plan.cloud import Built
from lastmile_sls.plan.document import (
    FORMAT,
    BundlePlan,
    CorsPlan,
    EndpointPlan,
    FunctionPlan,
    Plan,
    Routing,
    RoutingDocumentPlan,
    ShadowRouting,
    StoragePlan,
    Target,
)
from lastmile_sls.plan.grouping import ROUTER, Group
from lastmile_sls.plan.names import short, within
from lastmile_sls.plan.operations import budget_of, operations_of
from lastmile_sls.spec.model import Spec
from lastmile_sls.spec.tags import tag_set

BUCKET = "state"
ROUTING_DOCUMENT = "routing.json"
_ARN_CHARACTERS, _LONGEST_BUCKET = 70, 70
"""Of a secret's ARN before its name, and of a bucket's URL."""
CAPTURE = "capture/"
"""Where in the bucket captured requests lie."""


def deployment_name(spec: Spec) -> str:
    """Return the prefix of every resource's name: model and environment."""
    return f"{spec.name}-{spec.environment}"


def stack_name(spec: Spec, target: Target) -> str:
    """Return the Pulumi stack: environment and target."""
    return f"{spec.environment}-{target}"


def bundle_path(function: str) -> str:
    """Return where a function's bundle lies, relative to the plan."""
    return f"bundles/{function}"


def make_plan(
    spec: Spec,
    target: Target,
    groups: Sequence[Group],
    built: Mapping[str, Built],
    environment: Environment | None = None,
) -> Plan:
    """Decide every resource of a deployment.

    Args:
        spec: A spec that fits the target (see `lastmile_sls.targets`).
        target: Where to.
        groups: Which versions share a function, the router's first (see `lastmile_sls.plan.grouping`).
        built: What is known of each function's built bundle, by the function's name.
        environment: What the functions run on; None on a machine for which packages cannot be chosen.
    """
    deployment = deployment_name(spec)
    functions = _functions(spec, target, groups, built, environment)
    live = spec.is_routed()
    return Plan(
        format=FORMAT,
        project=spec.name,
        stack=stack_name(spec, target),
        deployment=deployment,
        target=target,
        place=cloud.place_of(target, spec),
        identity=within(deployment, cloud.SHORTEST_IDENTITY[target], cloud.LONGEST_IDENTITY[target]),
        tags=tag_set(spec),
        functions=functions,
        storage=_storage(spec, target, functions),
        queue=work.queue_of(target, spec),
        schedule=work.schedule_of(target, spec),
        operations=operations_of(spec),
        budget=budget_of(target, spec),
        routing=RoutingDocumentPlan(bucket=BUCKET, path=routing_path(spec, target), content=routing(spec))
        if live
        else None,
        endpoint=_endpoint(spec, target),
        keys=list(spec.endpoint.keys) if spec.endpoint.auth == "key" else [],
    )


def _storage(spec: Spec, target: Target, functions: Sequence[FunctionPlan]) -> StoragePlan | None:
    """Return the bucket, if anything lies in one."""
    adopted = cloud.adopted_bucket_of(target, spec)
    carries = any(
        function["package"] and function["package"]["through"] == "bucket" for function in functions
    )
    if not (spec.is_routed() or _works(spec) or carries or adopted):
        return None
    return StoragePlan(
        name=BUCKET,
        adopted=adopted,
        expire_days={work.RESULTS: spec.storage.results_days, CAPTURE: spec.storage.capture_days},
        old_versions_days=spec.storage.old_versions_days,
        incomplete_uploads_days=cloud.INCOMPLETE_UPLOADS_DAYS,
    )


def routing_path(spec: Spec, target: Target) -> str:
    """Return where in the bucket the routing document lies: in one that is shared, below the deployment's name."""
    shared = cloud.adopted_bucket_of(target, spec) is not None
    return f"{deployment_name(spec)}/{ROUTING_DOCUMENT}" if shared else ROUTING_DOCUMENT


def settings_bytes(spec: Spec, target: Target) -> int:
    """Return how many bytes the variables of the router's function take, as well as is known beforehand."""
    live = spec.is_routed()
    digest = "sha256:" + 64 * "0"
    document = _until_read(spec) if live else routing(spec)
    settings = _settings(target, spec, digest, document, is_router=True)
    secrets = {f"{variable}": f"{_ARN_CHARACTERS * 'x'}{secret}" for variable, secret in spec.secrets.items()}
    if secrets:
        settings["LASTMILE_SECRETS"] = cloud.compact(secrets)
    if live:
        settings["LASTMILE_ROUTING_URL"] = _LONGEST_BUCKET * "x" + ROUTING_DOCUMENT
    if spec.endpoint.auth == "key":
        settings["LASTMILE_AUTH"] = cloud.compact({"keys": [digest for _ in spec.endpoint.keys]})
    return sum(len(name) + len(value.encode()) for name, value in settings.items())


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


def _functions(
    spec: Spec,
    target: Target,
    groups: Sequence[Group],
    built: Mapping[str, Built],
    environment: Environment | None,
) -> list[FunctionPlan]:
    """Return the functions, the router's first: it routes between all versions, and works on the queue."""
    router, *others = groups
    live = spec.is_routed()
    routed = _until_read(spec) if live else routing(spec)
    return [
        FunctionPlan(
            {
                **_function(
                    *(spec, target, router, built[router.function], environment, routed), is_router=True
                ),
                "calls": {version: other.function for other in others for version in other.versions},
                "routing_document": routing_path(spec, target) if live else None,
                "bucket": BUCKET if live or _works(spec) else None,
                "queue": work.QUEUE if _works(spec) else None,
                "jobs": work.jobs_path(target, spec),
                "callback": work.callback_of(spec),
                "batch": work.batch_of(spec),
            }
        ),
        *(
            _function(spec, target, group, built[group.function], environment, _alone(spec, group))
            for group in others
        ),
    ]


def _function(
    spec: Spec,
    target: Target,
    group: Group,
    built: Built,
    environment: Environment | None,
    answers_by: Routing,
    *,
    is_router: bool = False,
) -> FunctionPlan:
    """Return a function that answers for the version that it is asked for; long because a function has many fields."""
    resources, path = spec.resources, bundle_path(group.function)
    runs_on = environment if target != "local" else None
    return FunctionPlan(
        name=group.function,
        resource=short(f"{deployment_name(spec)}-{group.function}", cloud.LONGEST_NAME[target]),
        versions=list(group.versions),
        calls={},
        why=group.why,
        bundle=BundlePlan(path=path, digest=built.digest),
        package=cloud.package_of(target, spec, path, built),
        python=runs_on.python if runs_on else None,
        processor=runs_on.processor if runs_on else None,
        entry=cloud.entry_of(target, spec),
        environment=_settings(target, spec, built.digest, answers_by, is_router=is_router),
        secrets=dict(sorted(spec.secrets.items())),
        memory_mb=resources.memory_mb,
        cpu=cloud.cpu_of(target, spec),
        generation=cloud.generation_of(target, spec),
        gpu=resources.gpu,
        snapshot=target == "aws" and spec.targets.aws.snap_start,
        timeout_s=resources.timeout_s,
        idle_timeout_s=spec.targets.local.idle_timeout_s,
        concurrency=resources.concurrency,
        min_instances=resources.min_instances,
        max_instances=cloud.max_instances_of(target, spec),
        log_retention_days=cloud.log_retention_days_of(target, spec),
        routing=answers_by,
        routing_document=None,
        bucket=None,
        queue=None,
        jobs=None,
        callback=None,
        batch=None,
    )


def _settings(
    target: Target, spec: Spec, digest: str, answers_by: Routing, *, is_router: bool
) -> dict[str, str]:
    """Return a function's variables that are known before anything is made; the router's function works on the queue."""
    settings = cloud.settings_of(target, spec, digest=digest, routing=answers_by, is_router=is_router)
    works = work.settings_of(target, spec) if is_router else {}
    return dict(sorted({**settings, **works}.items()))


def _alone(spec: Spec, group: Group) -> Routing:
    """Return what a function answers by whose callers always say the version: its first one."""
    first = group.versions[0]
    weights = {id_: 10_000 if id_ == first else 0 for id_ in group.versions}
    return Routing({**_until_read(spec), "champion": first, "weights": weights})


def _works(spec: Spec) -> bool:
    """Tell whether there is work that waits."""
    return spec.queue is not None or spec.schedule is not None


def _endpoint(spec: Spec, target: Target) -> EndpointPlan:
    endpoint, gateway = spec.endpoint, cloud.gateway_of(target, spec)
    cors, jwt = endpoint.cors, endpoint.jwt
    return EndpointPlan(
        name="endpoint",
        function=ROUTER,
        gateway=gateway,
        auth=endpoint.auth,
        auth_at=cloud.auth_at(gateway, endpoint),
        jwt={"issuer": jwt.issuer, "audiences": list(jwt.audiences)} if jwt else None,
        callers=cloud.callers_of(target, spec),
        timeout_s=cloud.wait_s(gateway, spec.resources.timeout_s),
        domain=cloud.domain_of(target, spec),
        port=spec.targets.local.port,
        cors=CorsPlan(
            allow_origins=list(cors.allow_origins), allow_methods=list(METHODS), expose_headers=list(EXPOSED)
        )
        if cors
        else None,
        rate_limit=cloud.rate_limit_of(gateway, endpoint.rate_limit),
    )
