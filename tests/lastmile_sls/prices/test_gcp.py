"""Google's SKUs as a list of prices, and the list that is shipped."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.prices import gcp
from lastmile_sls.prices.book import Price, PriceBook, UnpricedError
from lastmile_sls.prices.gcp_meters import METERS
from lastmile_sls.prices.shelf import problem_of
from tests.lastmile_sls.prices.google_skus import (
    KEY,
    TIER_1,
    TIER_2,
    Api,
    every_sku,
    priced,
    rate,
    refresh,
    refused,
    sku,
)

CPU, REQUESTS, STORED = "gcp.run.cpu.request", "gcp.run.requests", "gcp.storage.stored"
EGRESS = "gcp.network.egress"
SHIPPED = Path(gcp.__file__).parent / "lists" / "gcp.json"


def price(document: dict[str, Any], id_: str, region: str) -> Price:
    return PriceBook([document]).price(id_, region)


def test_every_meter_is_read_page_by_page_service_by_service() -> None:
    api = Api(every_sku(TIER_1, TIER_2, "asia-northeast1"), page=3)
    document, told, paused = refresh(api, TIER_2, TIER_1)
    assert (told, paused) == ([], [])
    assert problem_of(document, "gcp") is None
    assert list(document["meters"]) == list(METERS)
    for number, (id_, meter) in enumerate(METERS.items(), start=1):
        for region in (TIER_1, TIER_2):
            found = price(document, id_, region)
            assert found.first == Decimal(number) / 1_000_000
            assert (found.name, found.unit) == (meter.name, meter.unit)
            assert found.free == meter.free or meter.credited
    services = [path.split("/")[3] for path, _ in api.asked]
    assert list(dict.fromkeys(services)) == list(dict.fromkeys(one.service for one in METERS.values()))
    assert len(api.asked) > len(set(services)), "several pages"
    assert api.asked[0] == (
        "/v1/services/152E-C115-5142/skus",
        {"currencyCode": "USD", "pageSize": "5000"},
    )
    assert api.asked[1][1]["pageToken"] == "3"
    assert {headers["x-goog-api-key"] for headers in api.headers} == {KEY}
    assert KEY not in str(api.asked) + json.dumps(document)
    entry = document["meters"]["gcp.run.cpu.instance"]
    assert entry["free"] == "240000"
    assert entry["prices"][0]["regions"] == sorted((TIER_1, TIER_2))
    assert (
        entry["prices"][0]["source"] == "https://cloudbilling.googleapis.com/v1/services/152E-C115-5142/skus"
    )
    assert (entry["prices"][0]["read"], entry["prices"][0]["verified"]) == ("2026-11-30", True)


def test_units_tiers_and_what_is_free() -> None:
    """As copies of the API's answers have them: whole units and billionths, and free units as a tier that costs nothing."""
    scalar = [
        sku(CPU, "Services CPU (Request-based billing)", [TIER_1], rate(0, 0, 24_000)),
        sku(REQUESTS, "Requests", ["global"], rate(0, 0, 0), rate(2e6, 0, 400)),
        sku("gcp.armor.policies", "Networking Cloud Armor Policy", ["global"], rate(0, 5, 0), unit="mo"),
        sku(STORED, "Standard Storage Belgium", [TIER_1], rate(0, 0, 20_000_000), unit="GiBy.mo"),
        sku(
            *("gcp.pubsub.throughput", "Message Delivery Basic", ["global"]),
            *(rate(0, 0, 0), rate(0.009765625, 40, 0)),
        ),
        sku(
            *("gcp.network.egress", "Network Internet Data Transfer Out from EMEA to EMEA", [TIER_1]),
            *(rate(0, 0, 120_000_000), rate(1024, 0, 110_000_000), rate(10240, 0, 85_000_000)),
        ),
        sku(
            *("gcp.monitoring.metrics", "Metric Volume", ["global"]),
            *(rate(150, 0, 258_000_000), rate(0, 0, 0), rate(100_000, 0, 151_000_000)),
        ),
        # By the day and the MiB, and counted by the thing.
        sku("gcp.logging.stored", "Log Storage cost", ["global"], rate(0, 0, 1_000_000), unit="MiBy"),
        sku("gcp.registry.stored", "Artifact Registry Storage", ["global"], rate(0, 0, 3_000), unit="MiBy.d"),
        sku(
            "gcp.secrets.versions",
            "Secret version replica storage",
            ["global"],
            rate(0, 0, 60_000_000),
            unit="count",
        ),
    ]
    document, told, _ = refresh(Api(scalar), TIER_1)
    tiers = {id_: entry["prices"][0]["tiers"] for id_, entry in document["meters"].items()}
    assert tiers == {
        CPU: [["0", "0.000024"]],
        REQUESTS: [["0", "0.0000004"]],
        "gcp.network.egress": [["0", "0.12"], ["1024", "0.11"], ["10240", "0.085"]],
        "gcp.armor.policies": [["0", "5"]],
        "gcp.pubsub.throughput": [["0", "40"]],
        STORED: [["0", "0.02"]],
        "gcp.registry.stored": [["0", "0.09344"]],
        "gcp.secrets.versions": [["0", "0.06"]],
        "gcp.logging.stored": [["0", "1.024"]],
        "gcp.monitoring.metrics": [["0", "0.258"], ["99850", "0.151"]],
    }
    assert price(document, "gcp.monitoring.metrics", TIER_1).free == 150
    assert price(document, REQUESTS, TIER_1).cost(Decimal(3_000_000), free_tier=True) == Decimal("0.4")
    assert len(told) == len(METERS) - len(tiers)
    assert told[0] == f"gcp.run.memory.request in {TIER_1}: Google's list has no such SKU; left out."


def test_how_skus_are_told_apart() -> None:
    """Tier 2's has two spaces, Tokyo's says in twice; jobs, reservations, several regions' storage are others' prices.

    Of what goes to the internet, that counts which stays on the continent; it may be there twice, at one price.
    """
    instance = "gcp.run.cpu.instance"
    tokyo = "asia-northeast1"
    rows = [
        sku(CPU, "Services CPU Tier 2  (Request-based billing)", [TIER_2], rate(0, 0, 33_600)),
        sku(CPU, "Services CPU (Request-based billing)", [TIER_1, tokyo], rate(0, 0, 24_000)),
        sku(CPU, "Jobs CPU (Request-based billing)", [TIER_2], rate(0, 0, 1)),
        sku(instance, f"Services CPU (Instance-based billing) in in {tokyo}", [tokyo], rate(0, 0, 18_000)),
        sku(instance, f"Services CPU (Instance-based billing) in {TIER_1}", [TIER_1], rate(0, 0, 18_000)),
        *(
            sku(EGRESS, f"Network Internet Data Transfer Out from {way}", [region], rate(0, 0, nanos))
            for way, region, nanos in (
                ("EMEA to EMEA", TIER_1, 120_000_000),
                ("EMEA to Americas", TIER_1, 1),
                ("Frankfurt to EMEA", TIER_2, 120_000_000),
                ("Frankfurt to Western Europe", TIER_2, 2),
                ("Tokyo to APAC", tokyo, 140_000_000),
                ("Tokyo to Apac(Excluding Korea and Indonesia)", tokyo, 140_000_000),
                ("Tokyo to South Korea", tokyo, 3),
            )
        ),
        sku(STORED, "Standard Storage Tokyo", [tokyo], rate(0, 0, 23_000_000)),
        sku(STORED, "Standard Storage Tokyo Dual-region", [tokyo], rate(0, 0, 1)),
        sku(
            *(STORED, "Standard Storage Japan", [tokyo], rate(0, 0, 2)),
            category={"resourceGroup": "Other", "usageType": "OnDemand"},
        ),
        sku(
            *(STORED, "Standard Storage Frankfurt", [TIER_2], rate(0, 0, 3)),
            category={"resourceGroup": "RegionalStorage", "usageType": "Commit1Yr"},
        ),
    ]
    document, told, _ = refresh(Api(rows), TIER_1, TIER_2, tokyo)
    assert price(document, CPU, TIER_2).first == Decimal("0.0000336")
    free = {region: price(document, CPU, region).free for region in (TIER_1, TIER_2)}
    assert free == {TIER_1: 180_000, TIER_2: Decimal("128571.428571")}, "a credit of $4.32 in both"
    assert document["meters"][CPU]["prices"][0]["regions"] == [tokyo, TIER_1]
    assert price(document, instance, tokyo).first == Decimal("0.000018")
    assert [(one["regions"], one["tiers"]) for one in document["meters"][STORED]["prices"]] == [
        ([tokyo], [["0", "0.023"]])
    ]
    assert [(one["regions"], one["tiers"]) for one in document["meters"][EGRESS]["prices"]] == [
        ([TIER_1, TIER_2], [["0", "0.12"]]),
        ([tokyo], [["0", "0.14"]]),
    ]
    assert f"{STORED} in {TIER_2}: Google's list has no such SKU; left out." in told


def test_what_cannot_be_told_is_named_and_left_out() -> None:
    """Johannesburg really is in both tiers' lists of regions."""
    johannesburg = "africa-south1"
    first = sku(CPU, "Services CPU (Request-based billing)", [johannesburg], rate(0, 0, 24_000))
    second = sku(CPU, "Services CPU Tier 2 (Request-based billing)", [johannesburg], rate(0, 0, 33_600))
    ids = sorted(
        (f"{first['skuId']} ({first['description']})", f"{second['skuId']} ({second['description']})")
    )
    without = sku("gcp.armor.rules", "Networking Cloud Armor Rule", ["global"])
    rows = [
        first,
        second,
        sku(STORED, "Standard Storage Johannesburg", [johannesburg], rate(0, 0, 25_000_000)),
        sku(REQUESTS, "Requests", ["global"], rate(0, 0, 400), unit="h"),
        sku("gcp.secrets.accesses", "Secret access operations", ["global"], rate(10_000, 0, 3_000)),
        sku("gcp.scheduler.jobs", "Job", ["global"], pricingInfo=[]),
        without,
    ]
    document, told, _ = refresh(Api(rows), johannesburg)
    assert list(document["meters"]) == [STORED]
    assert [line for line in told if "no such SKU" not in line] == [
        f"{CPU} in {johannesburg}: several SKUs fit, {ids[0]} and {ids[1]}; left out.",
        f"{REQUESTS}: it is sold by 'h', and not by the request; left out.",
        f"gcp.armor.rules: {without['skuId']} has no price of the first unit; left out.",
        f"gcp.scheduler.jobs: {rows[5]['skuId']} has no price; left out.",
        f"gcp.secrets.accesses: {rows[4]['skuId']} has no price of the first unit; left out.",
    ]


def test_the_newest_price_counts() -> None:
    prices = [priced(rate(0, 0, nanos), unit="s") for nanos in (1, 24_000)]
    rows = [sku(CPU, "Services CPU (Request-based billing)", [TIER_1], pricingInfo=prices)]
    document, _, _ = refresh(Api(rows))
    assert price(document, CPU, TIER_1).first == Decimal("0.000024")


def test_a_region_that_google_does_not_have() -> None:
    assert refused(Api(every_sku(TIER_1)), TIER_1, "belgium") == (
        "Google's list of prices has nothing for the region belgium.\n"
        "Write it as Google does, such as europe-west1; gcloud run regions list has all."
    )


def test_the_shipped_list() -> None:
    document = json.loads(SHIPPED.read_text())
    assert problem_of(document, "gcp") is None
    book = PriceBook([document])
    assert list(document["meters"]) == list(METERS)
    for id_, entry in document["meters"].items():
        assert (entry["name"], entry["unit"]) == (METERS[id_].name, METERS[id_].unit)
        assert METERS[id_].free in (0, Decimal(entry.get("free", "0"))), id_
    for one in book.prices():
        assert re.match(r"https://(cloud|cloudbilling)\.google(apis)?\.com/", one.source), one
        assert date(2025, 1, 1) < one.read <= date(2026, 11, 30), one
    for region in ("us-central1", "us-east1", "us-west1", "europe-west1", "europe-west3", "europe-west4"):
        for id_ in ("gcp.run.cpu.instance", "gcp.run.egress", STORED, EGRESS):
            assert book.price(id_, region).verified is (id_ != EGRESS or region[0] == "u")
    tier_2 = ("europe-west3", "asia-southeast1", "us-west2")
    assert {book.price(CPU, region).first for region in tier_2} == {Decimal("0.0000336")}
    assert f"{book.price(CPU, 'europe-west3').cost(Decimal(180_000), free_tier=True):.2f}" == "1.73"
    tier_1 = ("europe-west1", "asia-northeast1", "us-west1")
    assert {book.price(CPU, region).first for region in tier_1} == {Decimal("0.000024")}
    with pytest.raises(UnpricedError) as caught:
        book.price(CPU, "africa-south1")
    assert str(caught.value) == (
        f"there is no price of {CPU} in africa-south1.\n"
        "Read the cloud's own: lastmile prices refresh --target gcp --region africa-south1"
    )
