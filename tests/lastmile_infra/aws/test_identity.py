from __future__ import annotations

import json
from pathlib import Path

from lastmile_infra.aws.identity import version_of
from lastmile_sls.engine.properties import from_struct, is_secret
from tests.lastmile_infra.aws.recorded import ACCOUNT, provisioned
from tests.lastmile_infra.plans import spec_of, two_versions


def test_one_role_for_all_functions(tmp_path: Path) -> None:
    run = provisioned(spec_of(**two_versions(apart=True)), tmp_path)
    role = run.inputs("Role")
    assert role["name"] == "churn-dev"
    assert json.loads(role["assumeRolePolicy"])["Statement"][0]["Principal"] == {
        "Service": "lambda.amazonaws.com"
    }
    assert run.inputs("RolePolicy")["role"] == "churn-dev"
    assert {f.inputs["role"] for f in run.all("Function")} == {f"arn:aws:iam::{ACCOUNT}:role/churn-dev"}
    for function in run.all("Function"):
        assert any(urn.endswith("::churn-dev-role-policy") for urn in function.request.dependencies)


def test_a_long_identity_is_the_plans(tmp_path: Path) -> None:
    run = provisioned(spec_of(name="a" * 40, environment="b" * 20), tmp_path)
    assert run.inputs("Role")["name"] == f"{'a' * 40}-{'b' * 20}"


def test_keys_are_in_the_vault(tmp_path: Path) -> None:
    run = provisioned(spec_of(endpoint={"keys": ["old", "new"]}), tmp_path)
    assert run.outputs["key"] == "value of new"
    for name in ("old", "new"):
        secret = run.inputs("Secret", f"churn-dev-{name}-secret")
        secret.pop("tags")
        assert secret == {
            "name": f"churn-dev/{name}",
            "description": "An API key of this deployment's endpoint.",
            "recoveryWindowInDays": 0,
        }
        version = run.one("SecretVersion", f"churn-dev-{name}-secret-value")
        assert version.inputs == {
            "secretId": f"churn-dev-{name}-secret-id",
            "secretStringWo": f"value of {name}",
            "secretStringWoVersion": 0xFF,
        }
        assert is_secret(from_struct(version.request.object)["secretStringWo"])


def test_a_key_is_nowhere_in_plain(tmp_path: Path) -> None:
    run = provisioned(spec_of(), tmp_path)
    told = [r for r in run.resources if "value of key" in json.dumps(r.inputs)]
    assert [r.type for r in told] == ["aws:secretsmanager/secretVersion:SecretVersion"]


def test_the_version_of_a_secret_changes_with_its_value() -> None:
    assert version_of("sha256:" + "0" * 64) == 0
    assert version_of("sha256:fffffff" + "0" * 57) == 0xFFFFFFF
    assert version_of("sha256:0000001" + "f" * 57) == 1


def test_callers(tmp_path: Path) -> None:
    spec = spec_of(endpoint={"auth": "iam"}, targets={"aws": {"callers": ["web", "batch", "web"]}})
    run = provisioned(spec, tmp_path)
    policies = {r.name: r.inputs for r in run.all("RolePolicy") if "caller" in r.name}
    assert {name: inputs["role"] for name, inputs in policies.items()} == {
        "churn-dev-caller-batch": "batch",
        "churn-dev-caller-web": "web",
    }
    for inputs in policies.values():
        (statement,) = json.loads(inputs["policy"])["Statement"]
        assert statement["Action"] == ["execute-api:Invoke"]
        assert statement["Resource"] == [f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:abc/$default/*"]
    assert not run.all("Secret")
    assert "key" not in run.outputs
