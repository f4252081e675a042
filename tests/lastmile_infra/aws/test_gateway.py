from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.cors import EXPOSED
from tests.lastmile_infra.aws.recorded import ACCOUNT, FUNCTIONS, provisioned, provisioned_plan
from tests.lastmile_infra.plans import plan_of, spec_of
from tests.lastmile_infra.recorded import Run

API = f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:abc"
JWT: dict[str, Any] = {"auth": "jwt", "jwt": {"issuer": "https://id.example.com", "audiences": ["churn"]}}
CORS = {"allow_origins": ["https://app.example.com"]}
URL: dict[str, Any] = {"targets": {"aws": {"gateway": "function_url"}}}


def run_of(folder: Path, **changes: Any) -> Run:
    return provisioned(spec_of(**changes), folder)


def test_key_is_checked_by_the_function(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    api = run.inputs("Api")
    api.pop("tags")
    assert api == {"protocolType": "HTTP", "disableExecuteApiEndpoint": False}
    assert run.inputs("Integration") == {
        "apiId": "churn-dev-endpoint-id",
        "integrationType": "AWS_PROXY",
        "integrationMethod": "POST",
        "integrationUri": "invoke churn-dev-predict:live",
        "payloadFormatVersion": "2.0",
        "timeoutMilliseconds": 30000,
    }
    assert run.inputs("Route") == {
        "apiId": "churn-dev-endpoint-id",
        "routeKey": "$default",
        "target": "integrations/churn-dev-endpoint-integration-id",
        "authorizationType": "NONE",
    }
    assert run.inputs("Permission") == {
        "action": "lambda:InvokeFunction",
        "function": "churn-dev-predict",
        "qualifier": "live",
        "principal": "apigateway.amazonaws.com",
        "sourceArn": f"{API}/$default/$default",
    }
    stage = run.inputs("Stage")
    stage.pop("tags")
    assert stage == {"apiId": "churn-dev-endpoint-id", "name": "$default", "autoDeploy": True}
    assert run.outputs["url"] == "https://abc.execute-api.eu-west-1.amazonaws.com"
    assert "LASTMILE_AUTH" in run.inputs("Function")["environment"]["variables"]


def test_jwt(tmp_path: Path) -> None:
    run = run_of(tmp_path, endpoint=JWT)
    assert run.inputs("Authorizer") == {
        "apiId": "churn-dev-endpoint-id",
        "authorizerType": "JWT",
        "identitySources": ["$request.header.Authorization"],
        "jwtConfiguration": {"issuer": "https://id.example.com", "audiences": ["churn"]},
    }
    route = run.inputs("Route")
    assert route["authorizationType"] == "JWT"
    assert route["authorizerId"] == "churn-dev-endpoint-tokens-id"
    assert not run.all("Key")
    assert "LASTMILE_AUTH" not in run.inputs("Function")["environment"]["variables"]


def test_iam(tmp_path: Path) -> None:
    run = run_of(tmp_path, endpoint={"auth": "iam"}, targets={"aws": {"callers": ["web"]}})
    assert run.inputs("Route")["authorizationType"] == "AWS_IAM"
    assert not run.all("Authorizer")
    policy = json.loads(run.inputs("RolePolicy", "churn-dev-caller-web")["policy"])
    assert policy["Statement"][0]["Resource"] == [f"{API}/$default/*"]


def test_public(tmp_path: Path) -> None:
    run = run_of(tmp_path, endpoint={"auth": "public"})
    assert run.inputs("Route")["authorizationType"] == "NONE"
    assert not run.all("Key")
    assert "LASTMILE_AUTH" not in run.inputs("Function")["environment"]["variables"]


def test_cors(tmp_path: Path) -> None:
    run = run_of(tmp_path, endpoint={"cors": CORS})
    assert run.inputs("Api")["corsConfiguration"] == {
        "allowOrigins": ["https://app.example.com"],
        "allowMethods": ["GET", "POST"],
        "allowHeaders": ["authorization", "*"],
        "exposeHeaders": list(EXPOSED),
    }
    assert [r.name for r in run.all("Route")] == ["churn-dev-endpoint-route"]


@pytest.mark.parametrize("endpoint", [JWT, {"auth": "iam"}])
def test_a_browser_asks_without_a_token_and_gets_no_further(tmp_path: Path, endpoint: dict[str, Any]) -> None:
    run = run_of(tmp_path, endpoint={**endpoint, "cors": CORS})
    assert run.inputs("Route", "churn-dev-endpoint-preflight") == {
        "apiId": "churn-dev-endpoint-id",
        "routeKey": "OPTIONS /{proxy+}",
        "target": "integrations/churn-dev-endpoint-integration-id",
        "authorizationType": "NONE",
    }
    assert run.inputs("Permission")["sourceArn"] == f"{API}/$default/$default"


def test_rate_limit(tmp_path: Path) -> None:
    run = run_of(tmp_path, endpoint={"rate_limit": {"requests_per_s": 2.5, "burst": 9}})
    assert run.inputs("Stage")["defaultRouteSettings"] == {
        "throttlingRateLimit": 2.5,
        "throttlingBurstLimit": 9,
    }


def test_the_stage_waits_for_its_routes(tmp_path: Path) -> None:
    stage = run_of(tmp_path, endpoint={**JWT, "cors": CORS}).one("Stage")
    names = {urn.rpartition("::")[2] for urn in stage.request.dependencies}
    assert {"churn-dev-endpoint-route", "churn-dev-endpoint-preflight"} <= names


@pytest.mark.parametrize("endpoint", [{}, JWT, {"auth": "public"}])
def test_a_function_url_whose_function_checks(tmp_path: Path, endpoint: dict[str, Any]) -> None:
    run = run_of(tmp_path, **URL, endpoint=endpoint)
    assert run.inputs("FunctionUrl") == {
        "functionName": "churn-dev-predict",
        "qualifier": "live",
        "authorizationType": "NONE",
    }
    everybody = {"function": "churn-dev-predict", "qualifier": "live", "principal": "*"}
    assert run.inputs("Permission", "churn-dev-endpoint-permission") == {
        **everybody,
        "action": "lambda:InvokeFunctionUrl",
        "functionUrlAuthType": "NONE",
    }
    assert run.inputs("Permission", "churn-dev-endpoint-permission-by-url") == {
        **everybody,
        "action": "lambda:InvokeFunction",
        "invokedViaFunctionUrl": True,
    }
    assert not any("apigateway" in r.type for r in run.resources)
    assert run.outputs["url"] == "https://abc.lambda-url.eu-west-1.on.aws"
    checks = "LASTMILE_AUTH" in run.inputs("Function")["environment"]["variables"]
    assert checks == (endpoint.get("auth") != "public")


def test_a_function_url_that_aws_checks(tmp_path: Path) -> None:
    targets = {"aws": {"gateway": "function_url", "callers": ["web"]}}
    run = run_of(tmp_path, endpoint={"auth": "iam", "cors": CORS}, targets=targets)
    url = run.inputs("FunctionUrl")
    assert url["authorizationType"] == "AWS_IAM"
    assert url["cors"] == {
        "allowOrigins": ["https://app.example.com"],
        "allowMethods": ["GET", "POST"],
        "allowHeaders": ["authorization", "*"],
        "exposeHeaders": list(EXPOSED),
    }
    assert not run.all("Permission")
    policy = json.loads(run.inputs("RolePolicy", "churn-dev-caller-web")["policy"])
    assert [s["Action"] for s in policy["Statement"]] == [
        ["lambda:InvokeFunctionUrl"],
        ["lambda:InvokeFunction"],
    ]
    assert {r for s in policy["Statement"] for r in s["Resource"]} == {f"{FUNCTIONS}:churn-dev-predict:live"}


def _gateway(plan: Any) -> None:
    plan["endpoint"]["gateway"] = "front_door"


def _auth(plan: Any) -> None:
    plan["endpoint"]["auth_at"] = "gateway"


def _url_with_limit(plan: Any) -> None:
    plan["endpoint"] |= {
        "gateway": "function_url",
        "rate_limit": {"requests_per_s": 1.0, "burst": 1, "count": None, "window_s": None},
    }


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_gateway, "gateway is 'front_door', but on AWS it must be http_api or function_url."),
        (_auth, "auth is 'key', but API Gateway's HTTP API checks jwt and iam alone."),
        (_url_with_limit, "gateway is 'function_url', which has neither domain nor rate_limit."),
    ],
)
def test_what_aws_does_not_have(tmp_path: Path, change: Any, told: str) -> None:
    plan = plan_of(spec_of(), "aws")
    change(plan)
    with pytest.raises(ValueError, match=f"^{told}$"):
        provisioned_plan(plan, tmp_path)
