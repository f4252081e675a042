from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lastmile_infra.azure.gateway import callers_of
from tests.lastmile_infra.azure.recorded import provisioned
from tests.lastmile_infra.plans import plan_of, spec_of

TENANT = "11111111-1111-1111-1111-111111111111"
APPLICATION = "22222222-2222-2222-2222-222222222222"
CALLERS = ["33333333-3333-3333-3333-333333333333", "44444444-4444-4444-4444-444444444444"]
IAM = {"tenant": TENANT, "application": APPLICATION, "callers": CALLERS}
PROVIDERS = {
    "azureActiveDirectory": {
        "enabled": True,
        "registration": {
            "clientId": APPLICATION,
            "openIdIssuer": f"https://login.microsoftonline.com/{TENANT}/v2.0",
        },
        "validation": {
            "allowedAudiences": [APPLICATION, f"api://{APPLICATION}"],
            "defaultAuthorizationPolicy": {"allowedPrincipals": {"identities": CALLERS}},
        },
    }
}


def test_an_app_answers_401_to_everyone_else(tmp_path: Path) -> None:
    run = provisioned(spec_of(endpoint={"auth": "iam"}, targets={"azure": IAM}), tmp_path)
    assert run.inputs("WebAppAuthSettingsV2") == {
        "name": "churn-dev-predict-1234567",
        "platform": {"enabled": True, "runtimeVersion": "~1"},
        "globalValidation": {
            "requireAuthentication": True,
            "unauthenticatedClientAction": "Return401",
        },
        "identityProviders": PROVIDERS,
        "httpSettings": {"requireHttps": True},
        "login": {"tokenStore": {"enabled": False}},
    }


def test_a_container_answers_401_to_everyone_else(tmp_path: Path) -> None:
    spec = spec_of(endpoint={"auth": "iam"}, targets={"azure": {**IAM, "package": "image"}})
    assert provisioned(spec, tmp_path).inputs("ContainerAppsAuthConfig") == {
        "authConfigName": "current",
        "containerAppName": "churn-dev-predict",
        "platform": {"enabled": True, "runtimeVersion": "~1"},
        "globalValidation": {"unauthenticatedClientAction": "Return401"},
        "identityProviders": PROVIDERS,
        "httpSettings": {"requireHttps": True},
    }


@pytest.mark.parametrize(
    "endpoint",
    [
        {"auth": "key"},
        {"auth": "public"},
        {"auth": "jwt", "jwt": {"issuer": "https://id.example.com", "audiences": ["a"]}},
    ],
    ids=lambda endpoint: str(endpoint["auth"]),
)
def test_the_platform_checks_nobody_else(tmp_path: Path, endpoint: dict[str, Any]) -> None:
    assert not provisioned(spec_of(endpoint=endpoint), tmp_path).all("WebAppAuthSettingsV2")


def test_a_plan_whose_gateway_checks_what_azures_does_not() -> None:
    plan = plan_of(spec_of(), "azure")
    plan["endpoint"]["auth_at"] = "gateway"
    text = r"^the plan's gateway checks 'key', but Azure's checks 'iam' of a tenant\.$"
    with pytest.raises(ValueError, match=text):
        callers_of(plan)
