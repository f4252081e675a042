"""What an account shares is brought up, changed and taken down on both engines; what every resource is told is golden."""

from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.bootstrap.document import BootstrapPlan, Cloud
from lastmile_sls.program.write import write_bootstrap
from tests.clouds.stacks import Stack, Told, assert_golden
from tests.lastmile_sls.bootstrap.plans import EVERYTHING, bootstrap_plan

GOLDEN = Path(__file__).with_name("golden")
GONE: dict[Cloud, set[str]] = {
    "aws": {
        "Export lastmile-focus",
        "AnomalyMonitor lastmile-anomalies",
        "AnomalySubscription lastmile-anomalies-told",
    },
    "gcp": set(),
    "azure": {"TagInheritanceSetting lastmile-tag-inheritance"},
}
"""What is deleted in the cloud by a destroy; all else is data, or belongs to it, or is others' too."""
MADE = {
    "aws": {
        "state": "s3://lastmile-state-123456789012-eu-west-1?region=eu-west-1",
        "billing": "s3://lastmile-billing-123456789012-eu-west-1/focus",
        "registry": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/lastmile",
        "secrets_provider": "awskms://alias/lastmile-pulumi?region=eu-west-1",
    },
    "gcp": {
        "state": "gs://a-project-lastmile-state",
        "billing": "a-project.lastmile_billing",
        "registry": "europe-west1-docker.pkg.dev/a-project/lastmile",
        "secrets_provider": (
            "gcpkms://projects/a-project/locations/europe-west1/keyRings/lastmile/cryptoKeys/pulumi"
        ),
    },
    "azure": {
        "state": "azblob://state?storage_account=lastmile05dbab43b7e55e16",
        "billing": "az://lastmile05dbab43b7e55e16/billing/focus",
        "registry": "lastmile05dbab43b7e55e16.azurecr.io",
        "secrets_provider": "azurekeyvault://lastmile-05dbab43b7e5.vault.azure.net/keys/pulumi",
    },
}


def assert_made(target: Cloud, plan: BootstrapPlan, up: Told) -> None:
    assert set(up.result.changes) == {"create"}
    where = {"target": target, "account": plan["account"], "region": plan["region"]}
    assert up.result.outputs == {**where, **MADE[target]}
    assert_golden(target, up.records, folder=GOLDEN)


def assert_left(target: Cloud, plan: BootstrapPlan, destroy: Told) -> None:
    deleted = {f"{call.type.rpartition(':')[2]} {call.name}" for call in destroy.calls}
    turned_off = {f"Service lastmile-api-{api}" for api in plan["apis"]}  # Google is told to leave them on
    assert deleted == GONE[target] | turned_off


@pytest.mark.parametrize("target", ["aws", "gcp", "azure"])
def test_an_accounts_life(target: Cloud, tmp_path: Path) -> None:
    plan = bootstrap_plan(target, **EVERYTHING[target])
    life = Stack("embedded", write_bootstrap(plan, tmp_path / "project"), tmp_path).cycle()
    assert [r.key for r in life.preview.records] == [r.key for r in life.up.records]
    assert_made(target, plan, life.up)
    assert life.again.result.changes == {"same": life.up.result.changes["create"]}
    assert life.again.calls == []
    assert_left(target, plan, life.destroy)


@pytest.mark.pulumi_cli
@pytest.mark.parametrize("target", ["aws", "gcp", "azure"])
def test_an_account_under_the_real_cli(target: Cloud, tmp_path: Path) -> None:
    plan = bootstrap_plan(target, **EVERYTHING[target])
    stack = Stack("pulumi", write_bootstrap(plan, tmp_path / "project"), tmp_path)
    assert_made(target, plan, stack.up())
    assert_left(target, plan, stack.destroy())
