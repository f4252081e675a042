from __future__ import annotations

from pathlib import Path

from tests.lastmile_infra.gcp.recorded import ACCOUNT, REGION, run_of
from tests.lastmile_infra.gcp.test_gcp import TAGS
from tests.lastmile_infra.plans import two_versions


def test_one_account_with_no_rights_it_does_not_use(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    assert run.inputs("Account") == {
        "accountId": "churn-dev",
        "displayName": "churn-dev",
        "description": "Runs the functions of this deployment.",
    }
    assert not [resource for resource in run.resources if "Member" in resource.type]


def test_secrets_are_read_by_reference(tmp_path: Path) -> None:
    secrets = {"DB_PASSWORD": "db-password", "TOKEN": "token", "SAME": "token"}
    run = run_of(tmp_path, secrets=secrets)
    assert {r.name: r.inputs for r in run.all("SecretIamMember")} == {
        f"churn-dev-reads-{name}": {
            "secretId": name,
            "role": "roles/secretmanager.secretAccessor",
            "member": f"serviceAccount:{ACCOUNT}",
        }
        for name in ("db-password", "token")
    }
    function = run.one("Service", "churn-dev-predict")
    (container,) = function.inputs["template"]["containers"]
    assert [variable for variable in container["envs"] if variable["name"] in secrets] == [
        {
            "name": name,
            "valueSource": {"secretKeyRef": {"secret": secrets[name], "version": "latest"}},
        }
        for name in ("DB_PASSWORD", "SAME", "TOKEN")
    ]
    waited_for = {urn.rpartition("::")[2] for urn in function.request.dependencies}
    assert {"churn-dev-reads-db-password", "churn-dev-reads-token"} <= waited_for


def test_keys_are_in_the_vault_and_only_their_digests_in_the_function(tmp_path: Path) -> None:
    run = run_of(tmp_path, endpoint={"keys": ["first", "second"]})
    assert [r.inputs for r in sorted(run.all("Secret"), key=lambda r: r.name)] == [
        {
            "secretId": f"churn-dev-{name}",
            "replication": {"auto": {}},
            "deletionProtection": False,
            "labels": TAGS,
        }
        for name in ("first", "second")
    ]
    assert [r.inputs for r in sorted(run.all("SecretVersion"), key=lambda r: r.name)] == [
        {
            "secret": f"churn-dev-{name}-secret-id",
            "secretDataWo": f"value of {name}",
            "secretDataWoVersion": f"sha256:{name}",
        }
        for name in ("first", "second")
    ]
    assert run.outputs["key"] == "value of second"
    function = run.one("Service", "churn-dev-predict")
    assert "value of" not in str(function.inputs)
    (container,) = function.inputs["template"]["containers"]
    assert {"name": "LASTMILE_AUTH", "value": '{"keys": ["sha256:first", "sha256:second"]}'} in container[
        "envs"
    ]


def test_only_the_model_itself_may_call_what_the_router_calls(tmp_path: Path) -> None:
    run = run_of(tmp_path, **two_versions(apart=True))
    assert run.inputs("ServiceIamMember") == {
        "name": "churn-dev-predict-v2",
        "location": REGION,
        "role": "roles/run.servicesInvoker",
        "member": f"serviceAccount:{ACCOUNT}",
    }
    assert run.inputs("Service", "churn-dev-predict-v2")["invokerIamDisabled"] is False
