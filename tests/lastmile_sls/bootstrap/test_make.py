from __future__ import annotations

import pytest

from lastmile_sls.bootstrap.make import console_page
from tests.lastmile_sls.bootstrap.plans import EVERYTHING, bootstrap_plan


def test_names_are_the_same_on_every_machine_and_differ_between_accounts_and_regions() -> None:
    assert bootstrap_plan("aws") == bootstrap_plan("aws")
    names = {bootstrap_plan("azure", region)["state"]["name"] for region in ("westeurope", "northeurope")}
    assert len(names) == 2
    assert all(name.isalnum() and len(name) == 24 for name in names)
    assert bootstrap_plan("aws", "us-east-2")["state"]["name"] == "lastmile-state-123456789012-us-east-2"


def test_tags_are_those_of_every_deployment() -> None:
    plan = bootstrap_plan("gcp", owner="Data", cost_center="cc 1")
    assert plan["tags"] == {
        "model": "shared",
        "environment": "shared",
        "owner": "_44ata",
        "cost-center": "cc_201",
        "managed-by": "lastmile",
    }


def test_tags_are_activated_and_watched_only_when_asked() -> None:
    plan = bootstrap_plan("aws", notify=["me@example.com"])
    assert (plan["cost_tags"], plan["anomalies"]) == ([], None)
    plan = bootstrap_plan("aws", **EVERYTHING["aws"])
    assert plan["cost_tags"] == ["model", "environment", "owner", "cost-center", "managed-by"]
    assert plan["anomalies"] is not None
    assert plan["anomalies"]["tag"] == {"key": "managed-by", "value": "lastmile"}


def test_the_export_has_every_column_that_a_review_per_model_needs() -> None:
    billing = bootstrap_plan("aws")["billing"]
    assert billing is not None
    assert billing["query"] is not None
    columns = billing["query"].removeprefix("SELECT ").removesuffix(" FROM FOCUS_1_2_AWS").split(", ")
    assert len(columns) == len(set(columns)) == 60  # as AWS counts them: 57 of FOCUS and 3 of its own
    needed = {
        "ChargePeriodStart",
        "ServiceName",
        "BilledCost",
        "EffectiveCost",
        "ResourceId",
        "RegionId",
        "Tags",
    }
    assert needed <= set(columns)


@pytest.mark.parametrize(
    ("region", "location"),
    [
        ("europe-west1", "EU"),
        ("us-central1", "US"),
        ("northamerica-northeast1", "US"),
        ("asia-east1", "asia-east1"),
    ],
)
def test_a_dataset_is_in_a_multi_region_where_there_is_one(region: str, location: str) -> None:
    billing = bootstrap_plan("gcp", region)["billing"]
    assert billing is not None
    assert billing["location"] == location


def test_an_api_is_turned_on_for_each_thing_that_is_made() -> None:
    assert "cloudkms" not in bootstrap_plan("gcp")["apis"]
    apis = bootstrap_plan("gcp", kms=True)["apis"]
    assert apis == sorted(apis)
    assert {"artifactregistry", "bigquery", "cloudkms", "storage"} <= set(apis)


def test_what_is_not_wanted_is_not_there() -> None:
    plan = bootstrap_plan("gcp", billing=False, registry=False)
    assert (plan["billing"], plan["registry"], plan["key"], plan["cost_tags"]) == (None, None, None, [])
    assert console_page("gcp", "a-project").startswith("https://console.cloud.google.com/billing/export")
    assert console_page("aws", "1").startswith("https://")
