"""What deployments to Google Cloud and Azure are given, held against what their functions do there.

What a function asks of its bucket is recorded in front of emulators. What the platforms do for it is from their pages:
Cloud Run reads a service's secrets (docs.cloud.google.com/run/docs/configuring/services/secrets) and lets callers with
run.routes.invoke in (.../run/docs/authenticating/service-to-service); Azure reads Key Vault references
(learn.microsoft.com/azure/app-service/app-service-key-vault-references) and pulls images
(learn.microsoft.com/azure/container-registry/container-registry-roles), all read 2026-11-29.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.http import Request
from lastmile_runtime.startup import start
from lastmile_runtime.stores import open_store
from lastmile_runtime.telemetry import Log
from tests.conformance.emulators import az, gs_emulator
from tests.conformance.iam.calls import read_blob, read_gcs, recording
from tests.conformance.iam.judge import Call
from tests.conformance.iam.roles import AZURE, GCP, judge_role, role_of
from tests.lastmile_infra.azure import recorded as azure
from tests.lastmile_infra.gcp import recorded as gcp
from tests.lastmile_infra.plans import spec_of, two_versions
from tests.lastmile_runtime.bundles import MODEL, matrix, python_bundle, routing

pytestmark = pytest.mark.conformance
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
TWO: dict[str, Any] = {**two_versions(apart=True), "secrets": {"TOKEN": "token"}}


def routed(url: str, folder: Path) -> None:
    """Have a function answer by the routing document at a URL."""
    environ = {
        "LASTMILE_BUNDLE": str(folder),
        "LASTMILE_MANIFEST_DIGEST": python_bundle(folder),
        "LASTMILE_ROUTING": json.dumps({**routing(), "deadline_s": 10}),
        "LASTMILE_ROUTING_URL": url,
    }
    warnings: list[str] = []
    served = start(environ, Log("predict", warnings.append), keeps_running=False)
    body = json.dumps({"inputs": [matrix([[1, 2]])]}).encode()
    answer = served.handle(Request("POST", f"/v2/models/{MODEL}/infer", body=body))
    assert (answer.status, [line for line in warnings if "could not be read" in line]) == (200, [])


@pytest.fixture(scope="module")
def gcs_calls(tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    folder = tmp_path_factory.mktemp("gcs")
    with pytest.MonkeyPatch.context() as environ, gs_emulator(environ, folder) as url:
        open_store(url).put("routing.json", json.dumps({**routing(), "deadline_s": 10}).encode())
        with recording(os.environ["STORAGE_EMULATOR_HOST"], read_gcs) as recorder:
            environ.setenv("STORAGE_EMULATOR_HOST", recorder.url)
            routed(f"{url}/routing.json", folder / "bundle")
            return recorder.once()


@pytest.fixture(scope="module")
def blob_calls(tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    folder = tmp_path_factory.mktemp("blob")
    with pytest.MonkeyPatch.context() as environ, az(environ, folder / "azurite") as url:
        open_store(url).put("routing.json", json.dumps({**routing(), "deadline_s": 10}).encode())
        server, _, account = os.environ["AZURE_STORAGE_ENDPOINT"].rpartition("/")
        with recording(server, read_blob) as recorder:
            environ.setenv("AZURE_STORAGE_ENDPOINT", f"{recorder.url}/{account}")
            routed(f"{url}/routing.json", folder / "bundle")
            return recorder.once()


def test_on_google_cloud_each_grant_is_what_is_done_with_it(gcs_calls: list[Call], tmp_path: Path) -> None:
    assert [str(call) for call in gcs_calls] == [
        "storage.objects.get on projects/_/buckets/bucket/objects/pre/fix/routing.json by the function"
    ]
    run = gcp.run_of(tmp_path, **TWO)
    (reading,) = run.all("BucketIAMMember")
    bucket = reading.inputs["bucket"]
    assert judge_role(reading.inputs["role"], {call.action for call in gcs_calls}) == []
    document = f"projects/_/buckets/{bucket}/objects/routing.json"
    assert reading.inputs["condition"]["expression"] == f'resource.name == "{document}"'

    (secret,) = run.all("SecretIamMember")
    assert judge_role(secret.inputs["role"], {"secretmanager.versions.access"}) == []
    callers = run.all("ServiceIamMember")
    assert callers
    for caller in callers:
        assert judge_role(caller.inputs["role"], {"run.routes.invoke"}) == []
    grants = [r for r in run.resources if "iammember" in r.type.lower() or "iambinding" in r.type.lower()]
    assert len(grants) == 2 + len(callers), "a grant that nothing here holds against its use"


HELD_ON_AZURE = {
    "reads-routing": {f"{BLOBS}/read"},
    "deployer-writes-state": {f"{BLOBS}/read", f"{BLOBS}/write"},
    "reads-secret-": {"Microsoft.KeyVault/vaults/secrets/getSecret/action"},
    "reads-calls": {"Microsoft.KeyVault/vaults/secrets/getSecret/action"},
    "tells-insights": {"Microsoft.Insights/Metrics/Write", "Microsoft.Insights/Telemetry/Write"},
    "pulls-images": {"Microsoft.ContainerRegistry/registries/pull/read"},
    # Azure's page names the role for the host's own storage, and not what it does there:
    # learn.microsoft.com/azure/azure-functions/functions-reference, "Grant permission to the identity".
    "owns-host-storage": set(AZURE["b7e6dc6d-f1e8-4753-8033-0f276bb0955b"].permissions),
}


@pytest.mark.parametrize("package", ["zip", "image"])
def test_on_azure_each_grant_is_what_is_done_with_it(
    package: str, blob_calls: list[Call], tmp_path: Path
) -> None:
    assert [str(call) for call in blob_calls] == [
        f"{BLOBS}/read on bucket/pre/fix/routing.json by the function"
    ]
    assert {call.action for call in blob_calls} == HELD_ON_AZURE["reads-routing"]
    run = azure.provisioned(spec_of(**TWO, targets={"azure": {"package": package}}), tmp_path)
    grants = run.all("RoleAssignment")
    assert grants
    for grant in grants:
        purpose = grant.name.removeprefix("churn-dev-")
        (needed,) = (held for name, held in HELD_ON_AZURE.items() if purpose.startswith(name))
        assert judge_role(grant.inputs["roleDefinitionId"], needed) == [], grant.name
        if purpose == "reads-routing":
            assert f"(@Resource[{BLOBS}:path] StringEquals 'routing.json')" in grant.inputs["condition"]


@pytest.mark.parametrize(
    ("role", "needed", "found"),
    [
        (
            "roles/run.invoker",
            {"run.routes.invoke"},
            [
                "nobody needs run.instances.invoke of Cloud Run Invoker.",
                "nobody needs run.jobs.run of Cloud Run Invoker.",
            ],
        ),
        (
            "roles/storage.legacyObjectReader",
            {"storage.objects.get", "storage.objects.list"},
            ["Storage Legacy Object Reader does not permit storage.objects.list."],
        ),
        (
            "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d",
            {"Microsoft.ContainerRegistry/registries/push/write"},
            [
                "AcrPull does not permit Microsoft.ContainerRegistry/registries/push/write.",
                "nobody needs Microsoft.ContainerRegistry/registries/pull/read of AcrPull.",
            ],
        ),
    ],
)
def test_a_role_that_permits_too_little_or_too_much_is_found(
    role: str, needed: set[str], found: list[str]
) -> None:
    assert judge_role(role, needed) == found


def test_a_role_that_nothing_is_known_of_is_not_passed() -> None:
    with pytest.raises(KeyError):
        role_of("roles/owner")
    assert not GCP.keys() & AZURE.keys()
