"""Ways from the internet to a function: at each of them somebody asks who is calling."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lastmile_sls.policy.parameters import Parameters
from lastmile_sls.policy.resource import UNKNOWN, Resource, at, is_named, items, of_type
from lastmile_sls.policy.rule import Found, Problem, Rule
from lastmile_sls.policy.rules.access import EVERYONE

_AUTH = "LASTMILE_AUTH"
"""The variable that makes lastmile's runtime ask its callers itself (see `lastmile_runtime.startup`)."""
_UNKNOWN_LINK = "whether the function behind it asks its callers"


def _judge(resources: Sequence[Resource], parameters: Parameters) -> Iterator[Found]:
    for find in (_urls, _routes, _methods, _services, _grants, _apps, _containers):
        for door, problem in find(resources):
            if not is_named(door, parameters.allow_public):
                yield door, problem


# -- AWS ------------------------------------------------------------------------------------------


def _urls(resources: Sequence[Resource]) -> Iterator[Found]:
    for url in of_type(resources, "aws:lambda/functionUrl:FunctionUrl"):
        if at(url.inputs, "authorizationType") == "NONE":
            behind = _named(resources, "aws:lambda/function:Function", "name", at(url.inputs, "functionName"))
            yield from _open(url, "authorizationType is NONE", behind)


def _routes(resources: Sequence[Resource]) -> Iterator[Found]:
    """A permission is what lets a route in: one without any reaches no function. Preflights are the gateway's to answer."""
    forwards = any(
        at(integration.inputs, "integrationType") not in ("AWS_PROXY", UNKNOWN)
        for integration in of_type(resources, "aws:apigatewayv2/integration:Integration")
    )
    for route in of_type(resources, "aws:apigatewayv2/route:Route"):
        key = at(route.inputs, "routeKey")
        if (at(route.inputs, "authorizationType") or "NONE") != "NONE" or str(key).startswith("OPTIONS "):
            continue
        behind = [
            function
            for permission in of_type(resources, "aws:lambda/permission:Permission")
            if _lets_in(permission, key)
            for function in _named(
                resources, "aws:lambda/function:Function", "name", at(permission.inputs, "function")
            )
        ]
        if behind or forwards:
            yield from _open(route, "authorizationType is NONE", behind)


def _lets_in(permission: Resource, key: Any) -> bool:
    if at(permission.inputs, "principal") != "apigateway.amazonaws.com":
        return False
    source = at(permission.inputs, "sourceArn")
    return not isinstance(source, str) or source.endswith(("/*", f"/{key}"))


def _methods(resources: Sequence[Resource]) -> Iterator[Found]:
    for method in of_type(resources, "aws:apigateway/method:Method"):
        if (
            at(method.inputs, "authorization") == "NONE"
            and at(method.inputs, "apiKeyRequired") is not True
            and at(method.inputs, "httpMethod") != "OPTIONS"
        ):
            yield from _open(
                method, "authorization is NONE", of_type(resources, "aws:lambda/function:Function")
            )


# -- Google Cloud ---------------------------------------------------------------------------------


def _services(resources: Sequence[Resource]) -> Iterator[Found]:
    """Cloud Run asks IAM at each service unless it is told not to."""
    for service in of_type(resources, "gcp:cloudrunv2/service:Service"):
        if (
            at(service.inputs, "invokerIamDisabled") is True
            and at(service.inputs, "ingress") != "INGRESS_TRAFFIC_INTERNAL_ONLY"
        ):
            yield from _open(service, "invokerIamDisabled is true", [service])


def _grants(resources: Sequence[Resource]) -> Iterator[Found]:
    """IAM lets everybody in when a grant says so."""
    for grant in resources:
        if not grant.type.startswith(
            (
                "gcp:cloudrunv2/service",
                "gcp:cloudrun/iam",
                "gcp:cloudfunctionsv2/function",
                "gcp:cloudfunctions/function",
            )
        ):
            continue
        for member in [at(grant.inputs, "member"), *items(grant.inputs, "members")]:
            if isinstance(member, str) and member in EVERYONE:
                behind = _named(resources, "gcp:cloudrunv2/service:Service", "name", at(grant.inputs, "name"))
                yield from _open(grant, f"member is {member}", behind)


# -- Azure ----------------------------------------------------------------------------------------


def _apps(resources: Sequence[Resource]) -> Iterator[Found]:
    """An app is anonymous unless the platform is told to ask."""
    settings = of_type(resources, "azure-native:web:WebAppAuthSettingsV2")
    for app in of_type(resources, "azure-native:web:WebApp"):
        if at(app.inputs, "publicNetworkAccess") == "Disabled":
            continue
        asked = [s for s in settings if _same(at(s.inputs, "name"), at(app.inputs, "name"))]
        if not any(at(s.inputs, "globalValidation.requireAuthentication") is True for s in asked):
            yield from _open(app, "no WebAppAuthSettingsV2 requires authentication", [app])


def _containers(resources: Sequence[Resource]) -> Iterator[Found]:
    settings = of_type(resources, "azure-native:app:ContainerAppsAuthConfig")
    for app in of_type(resources, "azure-native:app:ContainerApp"):
        if at(app.inputs, "configuration.ingress.external") is not True:
            continue
        name = at(app.inputs, "containerAppName")
        asked = [s for s in settings if _same(at(s.inputs, "containerAppName"), name)]
        if not any(at(s.inputs, "globalValidation.unauthenticatedClientAction") in _REFUSALS for s in asked):
            yield from _open(app, "no ContainerAppsAuthConfig refuses the unauthenticated", [app])


_REFUSALS = ("Return401", "Return403", "RedirectToLoginPage")


# -- who asks -------------------------------------------------------------------------------------


def _open(door: Resource, why: str, behind: Iterable[Resource]) -> Iterator[Found]:
    """Yield a door at which the platform asks nobody, unless every function that may be behind it asks itself."""
    asking = {_asks(function) for function in behind} or {False}
    if False in asking and len(asking) == 1:
        yield door, Problem(f"{why}, so that anybody may call it.")
    elif asking != {True}:
        yield door, Problem(f"{why}; {_UNKNOWN_LINK} is known only after creation.", known=False)


def _asks(function: Resource) -> bool | None:
    """Tell whether a function has the variable that makes it ask; None when that is not known."""
    inputs = function.inputs
    match function.type:
        case "aws:lambda/function:Function":
            variables = at(inputs, "environment.variables")
            return None if variables is UNKNOWN else _AUTH in (variables or {})
        case "gcp:cloudrunv2/service:Service":
            found = [env for box in items(inputs, "template.containers") for env in items(box, "envs")]
        case "azure-native:web:WebApp":
            found = items(inputs, "siteConfig.appSettings")
        case "azure-native:app:ContainerApp":
            found = [env for box in items(inputs, "template.containers") for env in items(box, "env")]
        case other:
            raise ValueError(f"{other} is no function.")
    names = [at(setting, "name") for setting in found]
    return True if _AUTH in names else None if UNKNOWN in names else False


def _named(resources: Sequence[Resource], type_: str, field: str, name: Any) -> list[Resource]:
    """Return the resources that a name is of: all of the type where that is not known."""
    return [resource for resource in of_type(resources, type_) if _same(at(resource.inputs, field), name)]


def _same(one: Any, other: Any) -> bool:
    """Tell whether two names may be the same; a name that Pulumi gives is not known yet."""
    return not (isinstance(one, str) and isinstance(other, str)) or one == other


ENDPOINT_AUTH = Rule(
    id="endpoint-auth",
    demands="Nobody calls an endpoint without saying who they are.",
    fix="Set endpoint.auth to key, jwt or iam; or name the deployment in the policy's allow_public.",
    of_stack=_judge,
)
