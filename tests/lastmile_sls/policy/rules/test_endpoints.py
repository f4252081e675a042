"""Who asks at every door."""

from __future__ import annotations

from lastmile_sls.policy.resource import UNKNOWN, Resource
from lastmile_sls.policy.rules.endpoints import ENDPOINT_AUTH
from tests.lastmile_sls.policy.judged import found, made

ASKING = {"environment": {"variables": {"LASTMILE_AUTH": UNKNOWN}}}


def function(name: str = "predict", /, **inputs: object) -> Resource:
    return made("aws:lambda/function:Function", name, name=name, **inputs)


def url(of: object, kind: str = "NONE") -> Resource:
    return made("aws:lambda/functionUrl:FunctionUrl", "url", functionName=of, authorizationType=kind)


def test_a_functions_url() -> None:
    told = "url: authorizationType is NONE, so that anybody may call it."
    assert found(ENDPOINT_AUTH, [function(), url("predict")]) == [told]
    assert found(ENDPOINT_AUTH, [function(**ASKING), url("predict")]) == []
    assert found(ENDPOINT_AUTH, [function(), url("predict", "AWS_IAM")]) == []
    assert found(ENDPOINT_AUTH, [function(), url("predict")], allow_public=["url"]) == []
    assert found(ENDPOINT_AUTH, [url("of-another-stack")]) == [told]
    both = [function(), function("other", **ASKING), url(UNKNOWN)]
    assert found(ENDPOINT_AUTH, both) == [
        "? url: authorizationType is NONE; whether the function behind it asks its callers is known only after creation."
    ]
    hidden = function(environment={"variables": UNKNOWN})
    assert [text[:2] for text in found(ENDPOINT_AUTH, [hidden, url("predict")])] == ["? "]


def test_routes_lead_to_functions_that_let_the_gateway_in() -> None:
    route = made("aws:apigatewayv2/route:Route", "route", routeKey="$default", authorizationType="NONE")
    preflight = made("aws:apigatewayv2/route:Route", "preflight", routeKey="OPTIONS /{proxy+}")
    checked = made("aws:apigatewayv2/route:Route", "checked", routeKey="POST /x", authorizationType="JWT")

    def permission(source: object) -> Resource:
        return made(
            "aws:lambda/permission:Permission",
            "lets-in",
            principal="apigateway.amazonaws.com",
            function="predict",
            sourceArn=source,
        )

    arn = "arn:aws:execute-api:eu-west-1:123456789012:abc/$default/"
    told = ["route: authorizationType is NONE, so that anybody may call it."]
    for source in (f"{arn}$default", f"{arn}*", UNKNOWN):
        assert found(ENDPOINT_AUTH, [route, preflight, checked, permission(source), function()]) == told
        assert found(ENDPOINT_AUTH, [route, preflight, checked, permission(source), function(**ASKING)]) == []
    assert found(ENDPOINT_AUTH, [route, permission(f"{arn}GET /other"), function()]) == []
    elsewhere = made("aws:apigatewayv2/integration:Integration", "away", integrationType="HTTP_PROXY")
    assert found(ENDPOINT_AUTH, [route, elsewhere]) == told
    method = made("aws:apigateway/method:Method", "method", authorization="NONE", httpMethod="POST")
    assert found(ENDPOINT_AUTH, [method]) == ["method: authorization is NONE, so that anybody may call it."]


def service(**inputs: object) -> Resource:
    return made("gcp:cloudrunv2/service:Service", "service", name="predict", **inputs)


def test_a_service_of_cloud_run() -> None:
    told = ["service: invokerIamDisabled is true, so that anybody may call it."]
    asking = {"template": {"containers": [{"envs": [{"name": "LASTMILE_AUTH"}]}]}}
    assert found(ENDPOINT_AUTH, [service()]) == []
    assert found(ENDPOINT_AUTH, [service(invokerIamDisabled=True)]) == told
    assert found(ENDPOINT_AUTH, [service(invokerIamDisabled=True, **asking)]) == []
    assert (
        found(ENDPOINT_AUTH, [service(invokerIamDisabled=True, ingress="INGRESS_TRAFFIC_INTERNAL_ONLY")])
        == []
    )
    grant = made(
        "gcp:cloudrunv2/serviceIamMember:ServiceIamMember", "grant", name="predict", member="allUsers"
    )
    assert found(ENDPOINT_AUTH, [service(), grant]) == [
        "grant: member is allUsers, so that anybody may call it."
    ]
    assert found(ENDPOINT_AUTH, [service(**asking), grant]) == []


def test_apps_of_azures() -> None:
    def web(**inputs: object) -> Resource:
        return made("azure-native:web:WebApp", "app", name="predict", **inputs)

    told = ["app: no WebAppAuthSettingsV2 requires authentication, so that anybody may call it."]
    asks = made(
        "azure-native:web:WebAppAuthSettingsV2",
        "asks",
        name="predict",
        globalValidation={"requireAuthentication": True},
    )
    assert found(ENDPOINT_AUTH, [web()]) == told
    assert found(ENDPOINT_AUTH, [web(), asks]) == []
    assert found(ENDPOINT_AUTH, [web(publicNetworkAccess="Disabled")]) == []
    assert found(ENDPOINT_AUTH, [web(siteConfig={"appSettings": [{"name": "LASTMILE_AUTH"}]})]) == []

    def container(*, external: bool, **more: object) -> Resource:
        ingress = {"configuration": {"ingress": {"external": external}}}
        return made("azure-native:app:ContainerApp", "box", containerAppName="predict", **ingress, **more)

    refuses = made(
        "azure-native:app:ContainerAppsAuthConfig",
        "refuses",
        containerAppName="predict",
        globalValidation={"unauthenticatedClientAction": "Return401"},
    )
    told = ["box: no ContainerAppsAuthConfig refuses the unauthenticated, so that anybody may call it."]
    assert found(ENDPOINT_AUTH, [container(external=True)]) == told
    assert found(ENDPOINT_AUTH, [container(external=True), refuses]) == []
    assert found(ENDPOINT_AUTH, [container(external=False)]) == []
    asking = {"template": {"containers": [{"env": [{"name": "LASTMILE_AUTH"}]}]}}
    assert found(ENDPOINT_AUTH, [container(external=True, **asking)]) == []
