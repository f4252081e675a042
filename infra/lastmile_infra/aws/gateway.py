"""What is in front of the router's function on AWS: API Gateway's HTTP API, or the function's own URL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from lastmile_infra.aws import policies
from lastmile_infra.aws.domain import make_domain
from lastmile_infra.aws.function import Function
from lastmile_infra.aws.identity import allow_callers
from lastmile_infra.aws.scope import Scope
from lastmile_infra.outputs import DnsRecord
from lastmile_sls.plan.document import EndpointPlan

_REQUEST_HEADERS = ["authorization", "*"]
"""To browsers the star is every header but this one (fetch.spec.whatwg.org, "CORS-preflight fetch"); API Gateway's page
has the two together as its example."""
_STAGE = _ROUTE = "$default"


@dataclass(frozen=True)
class Gateway:
    """Where the endpoint is."""

    url: pulumi.Output[str]
    dns_records: Sequence[DnsRecord] = ()


def make_gateway(scope: Scope, plan: EndpointPlan, function: Function) -> Gateway:
    """Make the endpoint that a plan names. Raises ValueError for one that AWS does not have."""
    match plan["gateway"]:
        case "http_api":
            return _make_http_api(scope, plan, function)
        case "function_url":
            return _make_function_url(scope, plan, function)
        case other:
            raise ValueError(f"gateway is {other!r}, but on AWS it must be http_api or function_url.")


def _make_http_api(scope: Scope, plan: EndpointPlan, function: Function) -> Gateway:
    name, cors, domain = f"{scope.name}-{plan['name']}", plan["cors"], plan["domain"]
    api = aws.apigatewayv2.Api(
        name,
        protocol_type="HTTP",
        cors_configuration=aws.apigatewayv2.ApiCorsConfigurationArgs(
            allow_origins=cors["allow_origins"],
            allow_methods=cors["allow_methods"],
            allow_headers=_REQUEST_HEADERS,
            expose_headers=cors["expose_headers"],
        )
        if cors
        else None,
        disable_execute_api_endpoint=domain is not None,
        tags=scope.tags,
        opts=scope.opts,
    )
    routes = _make_routes(scope, name, plan, api, function)
    stage = _make_stage(scope, name, plan, api, routes)
    if plan["auth"] == "iam":
        allow_callers(scope, plan["callers"], api.execution_arn.apply(policies.http_api_caller))
    if domain is None:
        # The stage's own address would end with a slash; it is waited for, because nothing answers before it is there.
        url = pulumi.Output.all(api.api_endpoint, stage.id).apply(lambda known: str(known[0]))
        return Gateway(url)
    return Gateway(*make_domain(scope, name, domain, api, stage))


def _make_routes(
    scope: Scope, name: str, plan: EndpointPlan, api: aws.apigatewayv2.Api, function: Function
) -> list[pulumi.Resource]:
    """Make the way from every request to the function."""
    integration = aws.apigatewayv2.Integration(
        f"{name}-integration",
        api_id=api.id,
        integration_type="AWS_PROXY",
        integration_method="POST",
        integration_uri=function.alias.invoke_arn,
        payload_format_version="2.0",
        timeout_milliseconds=plan["timeout_s"] * 1000,
        opts=scope.opts,
    )
    target = pulumi.Output.concat("integrations/", integration.id)
    authorization, authorizer = _authorization(scope, name, plan, api)
    route = aws.apigatewayv2.Route(
        f"{name}-route",
        api_id=api.id,
        route_key=_ROUTE,
        target=target,
        authorization_type=authorization,
        authorizer_id=authorizer.id if authorizer else None,
        opts=scope.opts,
    )
    permission = aws.lambda_.Permission(
        f"{name}-permission",
        action="lambda:InvokeFunction",
        function=function.name,
        qualifier=function.alias.name,
        principal="apigateway.amazonaws.com",
        source_arn=pulumi.Output.concat(api.execution_arn, f"/{_STAGE}/{_ROUTE}"),
        opts=scope.opts,
    )
    made: list[pulumi.Resource] = [route, permission]
    if plan["cors"] and authorization != "NONE":
        made.append(_make_preflight(scope, name, api, target))
    return made


def _make_preflight(
    scope: Scope, name: str, api: aws.apigatewayv2.Api, target: pulumi.Output[str]
) -> aws.apigatewayv2.Route:
    """Let browsers ask whether they may call, which they do without a token.

    API Gateway answers itself, but only on a route that needs none (docs.aws.amazon.com/apigateway/latest/
    developerguide/http-api-cors.html, read 2026-11-29). It has no permission to call the function from this one, so
    that no other request gets there without a token either.
    """
    return aws.apigatewayv2.Route(
        f"{name}-preflight",
        api_id=api.id,
        route_key="OPTIONS /{proxy+}",
        target=target,
        authorization_type="NONE",
        opts=scope.opts,
    )


def _authorization(
    scope: Scope, name: str, plan: EndpointPlan, api: aws.apigatewayv2.Api
) -> tuple[str, aws.apigatewayv2.Authorizer | None]:
    """Return what the gateway checks itself: nothing where the function does, or the endpoint is public."""
    if plan["auth_at"] != "gateway":
        return "NONE", None
    match plan["auth"]:
        case "iam":
            return "AWS_IAM", None
        case "jwt" if plan["jwt"]:
            authorizer = aws.apigatewayv2.Authorizer(
                f"{name}-tokens",
                api_id=api.id,
                authorizer_type="JWT",
                identity_sources=["$request.header.Authorization"],
                jwt_configuration=aws.apigatewayv2.AuthorizerJwtConfigurationArgs(
                    issuer=plan["jwt"]["issuer"], audiences=plan["jwt"]["audiences"]
                ),
                opts=scope.opts,
            )
            return "JWT", authorizer
        case other:
            raise ValueError(f"auth is {other!r}, but API Gateway's HTTP API checks jwt and iam alone.")


def _make_stage(
    scope: Scope, name: str, plan: EndpointPlan, api: aws.apigatewayv2.Api, routes: Sequence[pulumi.Resource]
) -> aws.apigatewayv2.Stage:
    limit = plan["rate_limit"]
    return aws.apigatewayv2.Stage(
        f"{name}-stage",
        api_id=api.id,
        name=_STAGE,
        auto_deploy=True,
        default_route_settings=aws.apigatewayv2.StageDefaultRouteSettingsArgs(
            throttling_rate_limit=limit["requests_per_s"], throttling_burst_limit=limit["burst"]
        )
        if limit
        else None,
        tags=scope.tags,
        opts=scope.options(depends_on=routes),
    )


def _make_function_url(scope: Scope, plan: EndpointPlan, function: Function) -> Gateway:
    if plan["domain"] or plan["rate_limit"]:
        raise ValueError("gateway is 'function_url', which has neither domain nor rate_limit.")
    name, cors, checked = f"{scope.name}-{plan['name']}", plan["cors"], plan["auth"] == "iam"
    url = aws.lambda_.FunctionUrl(
        name,
        function_name=function.name,
        qualifier=function.alias.name,
        authorization_type="AWS_IAM" if checked else "NONE",
        cors=aws.lambda_.FunctionUrlCorsArgs(
            allow_origins=cors["allow_origins"],
            allow_methods=cors["allow_methods"],
            allow_headers=_REQUEST_HEADERS,
            expose_headers=cors["expose_headers"],
        )
        if cors
        else None,
        opts=scope.opts,
    )
    if checked:
        allow_callers(scope, plan["callers"], function.alias.arn.apply(policies.function_url_caller))
    else:
        _open_to_all(scope, name, function)
    return Gateway(url.function_url.apply(lambda found: found.rstrip("/")))


def _open_to_all(scope: Scope, name: str, function: Function) -> None:
    """Let everybody through the URL, and by no other way: the function checks its callers, or is public.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html: since October 2025 both permissions.
    """
    aws.lambda_.Permission(
        f"{name}-permission",
        action="lambda:InvokeFunctionUrl",
        function=function.name,
        qualifier=function.alias.name,
        principal="*",
        function_url_auth_type="NONE",
        opts=scope.opts,
    )
    aws.lambda_.Permission(
        f"{name}-permission-by-url",
        action="lambda:InvokeFunction",
        function=function.name,
        qualifier=function.alias.name,
        principal="*",
        invoked_via_function_url=True,
        opts=scope.opts,
    )
