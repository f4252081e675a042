from __future__ import annotations

from pathlib import Path

from lastmile_infra.azure.vault import in_vault
from lastmile_sls.engine.properties import from_struct, is_secret
from tests.lastmile_infra.azure.recorded import GROUP, SUBSCRIPTION, TENANT, provisioned
from tests.lastmile_infra.plans import spec_of, two_versions

READER = "4633458b-17de-408a-b874-0445c86b69e6"
THEIRS = {"key_vault": "mine", "resource_group": "theirs"}
VAULT = f"{GROUP}/Microsoft.KeyVault/vaults/churn-dev-1234567"


def test_a_vault_of_the_deployments_own(tmp_path: Path) -> None:
    run = provisioned(spec_of(), tmp_path)
    properties = run.inputs("Vault")["properties"]
    assert {key: value for key, value in properties.items() if not key.startswith("enabledFor")} == {
        "tenantId": TENANT,
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 7,
        "publicNetworkAccess": "enabled",
    }


def test_each_key_lies_in_the_vault_as_a_secret(tmp_path: Path) -> None:
    run = provisioned(spec_of(endpoint={"keys": ["old", "new"]}), tmp_path)
    assert [r.name for r in run.all("Key")] == ["churn-dev-old", "churn-dev-new"]
    for key in ("old", "new"):
        secret = run.one("Secret", f"churn-dev-{key}-secret")
        assert secret.inputs["secretName"] == key
        assert secret.inputs["vaultName"] == "churn-dev-1234567"
        value = from_struct(secret.request.object)["properties"]
        assert is_secret(value) or is_secret(value["value"])
        assert secret.inputs["properties"] == {"value": f"value of {key}"}
    assert run.outputs["key"] == "value of new"
    assert not [grant for grant in run.grants() if "KeyVault" in grant[2]]  # the functions know digests only


def test_no_keys_no_vault(tmp_path: Path) -> None:
    run = provisioned(spec_of(endpoint={"auth": "public"}), tmp_path)
    assert not run.all("Vault")
    assert "key" not in run.outputs


def test_functions_that_ask_each_other_share_a_key(tmp_path: Path) -> None:
    run = provisioned(spec_of(**two_versions(apart=True), endpoint={"auth": "public"}), tmp_path)
    assert [r.name for r in run.all("Key")] == ["churn-dev-function--calls"]
    granted = ("principal of churn-dev-identity", READER, f"{VAULT}/secrets/function--calls")
    assert [grant for grant in run.grants() if "KeyVault" in grant[2]] == [granted]
    assert "key" not in run.outputs


def test_secrets_are_read_one_by_one(tmp_path: Path) -> None:
    spec = spec_of(secrets={"DB": "Db", "AGAIN": "db", "OTHER": "other"}, targets={"azure": THEIRS})
    run = provisioned(spec, tmp_path)
    begin = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/theirs/providers/Microsoft.KeyVault/vaults/mine/secrets"
    assert [grant for grant in run.grants() if "theirs" in grant[2]] == [
        ("principal of churn-dev-identity", READER, f"{begin}/db"),
        ("principal of churn-dev-identity", READER, f"{begin}/other"),
    ]
    settings = run.settings("churn-dev-predict")
    assert (
        settings["DB"]
        == settings["AGAIN"]
        == "@Microsoft.KeyVault(SecretUri=https://mine.vault.azure.net/secrets/db)"
    )
    assert settings["OTHER"] == "@Microsoft.KeyVault(SecretUri=https://mine.vault.azure.net/secrets/other)"
    assert {"churn-dev-reads-secret-db", "churn-dev-reads-secret-other"} <= run.one("WebApp").waits_for


def test_a_vault_tells_no_cases_apart() -> None:
    assert in_vault("DB-Password") == "db-password"
