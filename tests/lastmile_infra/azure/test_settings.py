from __future__ import annotations

import json
from pathlib import Path

import pytest

from lastmile_sls.engine.properties import from_struct, is_secret
from tests.lastmile_infra.azure.recorded import WATCHED, provisioned
from tests.lastmile_infra.plans import DIGEST, plan_of, spec_of, two_versions
from tests.lastmile_infra.recorded import KEY_DIGEST

ROUTER, OTHER = "churn-dev-predict", "churn-dev-predict-v2"


def test_what_a_function_is_told_and_nothing_else(tmp_path: Path) -> None:
    spec = spec_of(endpoint={"keys": ["old", "new"], "cors": {"allow_origins": ["https://a.example"]}})
    run = provisioned(spec, tmp_path)
    settings, planned = run.settings(ROUTER), plan_of(spec, "azure")["functions"][0]["environment"]
    del settings["LASTMILE_RELEASES"]
    with_the_code = {**run.settings_of_release(ROUTER), "LASTMILE_MANIFEST_DIGEST": DIGEST}
    assert planned["LASTMILE_CORS"] == '{"allow_origins":["https://a.example"]}'
    assert json.loads(settings.pop("LASTMILE_AUTH")) == {"keys": [KEY_DIGEST, KEY_DIGEST]}
    assert {**settings, **with_the_code} == {
        **planned,
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "Authorization=AAD;ClientId=client of churn-dev-identity",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": (
            "InstrumentationKey=instrumentation of churn-dev;"
            "IngestionEndpoint=https://x.in.applicationinsights.azure.com/"
        ),
        "AZURE_CLIENT_ID": "client of churn-dev-identity",
        "AzureWebJobsStorage__accountName": "churndevhost-1234567",
        "AzureWebJobsStorage__clientId": "client of churn-dev-identity",
        "AzureWebJobsStorage__credential": "managedidentity",
    }


def test_what_the_router_is_told_of_work_that_waits(tmp_path: Path) -> None:
    callback = {"urls": ["https://a.example/"], "secret": "HOOK"}
    place = {"key_vault": "mine", "resource_group": "theirs"}
    changes = {**two_versions(apart=True), **WATCHED, "queue": {"max_attempts": 3, "callback": callback}}
    run = provisioned(spec_of(**changes, secrets={"HOOK": "hook"}, targets={"azure": place}), tmp_path)
    router, other = run.settings(ROUTER), run.settings(OTHER)
    bucket, work = "az://churndevdata-1234567/state", ("LASTMILE_QUEUE", "LASTMILE_JOBS", "LASTMILE_SCHEDULE")
    assert {name: value for name, value in router.items() if name.startswith(work)} == {
        "LASTMILE_QUEUE_NAME": "churn-dev-jobs",
        "LASTMILE_QUEUE_RETENTION_S": "345600",
        "LASTMILE_QUEUE_URL": "azq://churndevdata-1234567/churn-dev-jobs",
        "LASTMILE_QUEUE__clientId": "client of churn-dev-identity",
        "LASTMILE_QUEUE__credential": "managedidentity",
        "LASTMILE_QUEUE__queueServiceUri": "https://churndevdata-1234567.queue.core.windows.net",
        "LASTMILE_JOBS_URL": f"{bucket}/results",
        "LASTMILE_SCHEDULE": "0 0 6 * * 1,2,3,4,5",
    }
    assert router["AzureFunctionsJobHost__extensions__queues__maxDequeueCount"] == "3"
    assert json.loads(router["LASTMILE_CALLBACK"]) == callback
    assert json.loads(router["LASTMILE_BATCH"]) == {
        "input": f"{bucket}/batch/in",
        "output": f"{bucket}/batch/out",
        "format": "csv",
    }
    assert not [name for name in other if name.startswith((*work, "LASTMILE_CALLBACK", "LASTMILE_BATCH"))]
    rights = {"churn-dev-works-on-queue", "churn-dev-sets-aside", "churn-dev-works-on-state"}
    assert rights <= run.one("WebApp", ROUTER).waits_for
    assert not rights & run.one("WebApp", OTHER).waits_for


def test_a_jwt_is_checked_by_the_function(tmp_path: Path) -> None:
    jwt = {"issuer": "https://id.example.com", "audiences": ["a"]}
    run = provisioned(spec_of(**two_versions(apart=True), endpoint={"auth": "jwt", "jwt": jwt}), tmp_path)
    assert json.loads(run.settings(ROUTER)["LASTMILE_AUTH"]) == {"jwt": jwt}
    assert json.loads(run.settings(OTHER)["LASTMILE_AUTH"]) == {"keys": [KEY_DIGEST]}
    assert not run.all("WebAppAuthSettingsV2")


@pytest.mark.parametrize("auth", ["public", "iam"])
def test_whoever_is_not_checked_by_the_function(tmp_path: Path, auth: str) -> None:
    guid = "11111111-1111-1111-1111-111111111111"
    place = {"tenant": guid, "application": guid, "callers": [guid]}
    run = provisioned(spec_of(endpoint={"auth": auth}, targets={"azure": place}), tmp_path)
    assert "LASTMILE_AUTH" not in run.settings(ROUTER)
    assert len(run.all("WebAppAuthSettingsV2")) == (auth == "iam")


def test_the_router_asks_the_others_with_a_key(tmp_path: Path) -> None:
    run = provisioned(spec_of(**two_versions(apart=True), endpoint={"auth": "public"}), tmp_path)
    router, other = run.settings(ROUTER), run.settings(OTHER)
    assert json.loads(run.settings_of_release(ROUTER)["LASTMILE_FUNCTIONS"]) == {
        "predict-v2": "key+https://churn-dev-predict-v2-1234567.azurewebsites.net"
    }
    url = "https://churn-dev-1234567.vault.azure.net/secrets/function--calls"
    assert router["LASTMILE_FUNCTIONS_KEY"] == f"@Microsoft.KeyVault(SecretUri={url})"
    assert "churn-dev-reads-calls" in run.one("WebApp", ROUTER).waits_for
    assert json.loads(other["LASTMILE_AUTH"]) == {"keys": [KEY_DIGEST]}
    told = {*other, *run.settings_of_release(OTHER)}
    assert not {"LASTMILE_FUNCTIONS", "LASTMILE_FUNCTIONS_KEY", "LASTMILE_ROUTING_URL"} & told


def test_no_setting_is_a_secrets_value(tmp_path: Path) -> None:
    run = provisioned(spec_of(**two_versions(apart=True)), tmp_path)
    for app in run.all("WebApp"):
        assert "value of" not in json.dumps(app.inputs)
        assert not is_secret(from_struct(app.request.object)["siteConfig"])
