from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.azure import storage
from lastmile_sls.estimate.document import Traffic, Work
from lastmile_sls.prices.book import FORMAT, PriceBook
from tests.lastmile_sls.estimate.azure.months import (
    load,
    month,
    plan_of,
    priced,
    quantities,
    resource_of,
    resources_of,
)

PLAN = plan_of("watched")
DATA, HOST = (one for one in resources_of("watched") if one.type.endswith(":StorageAccount"))


def test_microsoft_s_own_example() -> None:
    """January: 1 000 files of 5 GB are written in 641 000 operations, 3.53, kept, 104.00, and half of them read, 0.00022;
    107.53 in all (learn.microsoft.com/azure/storage/blobs/blob-storage-estimate-costs, 2024-07-26, with its sample
    prices)."""
    sample = {"azure.storage.blob": "0.0208", "azure.storage.writes": "0.0000055"}
    meters = {
        id_: {
            "name": id_,
            "unit": "unit",
            "prices": [{"regions": ["*"], "tiers": [["0", price]], "source": "", "read": "2024-07-26"}],
        }
        for id_, price in {**sample, "azure.storage.reads": "0.00000044"}.items()
    }
    book = PriceBook([{"format": FORMAT, "cloud": "azure", "currency": "USD", "meters": meters}])
    in_ = replace(month("watched", load(PLAN)), book=book)
    costs = [
        in_.component("", f"azure.storage.{what}", D(quantity), usage_based=True).cost
        for what, quantity in (("writes", 641_000), ("blob", 5000), ("reads", 500))
    ]
    assert [round(cost, 2) for cost in costs] == [D("3.53"), D("104.00"), 0]
    assert costs[2] == D("0.00022")
    assert round(sum(costs), 2) == D("107.53")


def test_the_deployment_s_account_keeps_answers_and_is_read_for_them() -> None:
    """A job's request and answer, 1 KiB each, in base64, for 30 days, 30 more as a former version and 7 deleted."""
    work = (
        Work("v1", "request", D(2048), D(50)),
        Work("v1", "job", D(1024), D(50)),
        Work("v1", "batch", D(10), D(50)),
    )
    assert PLAN["storage"] is not None
    assert (PLAN["storage"]["expire_days"]["results/"], PLAN["storage"]["old_versions_days"]) == (30, 30)
    found = priced(storage.account, DATA, month("watched", load(PLAN, *work), Traffic(D(0), {})))
    assert round(found["Stored"].quantity, 12) == round(D(1024) * 2 * 4 / 3 / 2**20 * 67 / (D(730) / 24), 12)
    assert found["Writes"].quantity == 1024 * 3 + 10 * 2
    assert found["Reads"].quantity == 1024 * 3 + 10 * 3
    assert found["Writes"].by_version == {"v1": D("0.0000054") * 3092}


def test_the_routing_document_is_read_no_more_often_than_its_age_says() -> None:
    plan = plan_of("breast-cancer")
    data = resource_of("breast-cancer", "StorageAccount")
    assert plan["functions"][0]["routing"]["max_age_s"] == 5.0
    for number, reads in ((100, 100), (10_000_000, 525_600 + 7)):
        one = load(plan, Work("v1", "request", D(number), D(50)), cold_starts=7)
        assert quantities(priced(storage.account, data, month("breast-cancer", one)))["Reads"] == reads


def test_the_host_s_account_is_read_by_each_instance_that_starts() -> None:
    found = priced(storage.account, HOST, month("watched", load(PLAN, cold_starts=1200)))
    assert quantities(found) == {"Reads": 1200}


def test_registry_and_vault() -> None:
    images = plan_of("image-sized")
    registry = resource_of("image-sized", "Registry")
    in_ = month("image-sized", load(images))
    assert quantities(priced(storage.registry, registry, in_)) == {"Registry": D(730) / 24}
    assert storage.vault(resource_of("image-sized", "Vault"), in_) == []
    premium = resource_of("image-sized", "Registry", sku={"name": "Premium"})
    with pytest.raises(
        LastmileError, match=r"sku\.name of Registry wordvectorsdev is 'Premium', but only Basic"
    ):
        storage.registry(premium, in_)
    two = plan_of("conflicting-versions")
    vault = priced(
        storage.vault, resource_of("conflicting-versions", "Vault"), month("conflicting-versions", load(two))
    )
    assert quantities(vault) == {"Reads": 2 * (D(730) / 24)}
