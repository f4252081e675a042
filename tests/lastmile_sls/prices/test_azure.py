from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.prices import azure
from lastmile_sls.prices.azure_api import ADDRESS
from lastmile_sls.prices.azure_meters import METERS, ZONES
from lastmile_sls.prices.book import Price, PriceBook, UnpricedError
from tests.lastmile_sls.prices.azure_retail import Api, all_rows, row, served

TODAY = date(2026, 11, 30)
TIME, EXECUTIONS = "azure.functions.duration.on-demand", "azure.functions.executions.on-demand"
SHIPPED = Path(azure.__file__).parent / "lists" / "azure.json"


def refresh(api: Api, *regions: str) -> tuple[dict[str, Any], list[str], list[float]]:
    told: list[str] = []
    paused: list[float] = []
    with served(api):
        document = azure.refresh(regions, {}, TODAY, told.append, address=api.address, pause=paused.append)
    return document, told, paused


def price(document: dict[str, Any], id_: str, region: str) -> Price:
    return PriceBook([document]).price(id_, region)


def refused(api: Api, *regions: str) -> str:
    with pytest.raises(LastmileError) as caught:
        refresh(api, *(regions or ("westeurope",)))
    return str(caught.value)


def test_every_meter_is_read_page_by_page_with_a_query_for_each_product() -> None:
    api = Api(all_rows("westeurope", "eastus"), page=2)
    document, told, paused = refresh(api, "westeurope", "eastus")
    assert (told, paused) == ([], [])
    assert {name: document[name] for name in ("format", "cloud", "currency")} == {
        "format": "lastmile.prices/1",
        "cloud": "azure",
        "currency": "USD",
    }
    assert list(document["meters"]) == [id_ for id_ in METERS if id_ in document["meters"]]
    assert set(document["meters"]) == set(METERS)
    for number, id_ in enumerate(METERS):
        assert price(document, id_, "eastus").tiers[0].price == Decimal(number + 1) / 1000
    both = "(armRegionName eq 'eastus' or armRegionName eq 'westeurope')"
    functions = (
        "serviceName eq 'Functions' and productName eq 'Flex Consumption' and priceType eq 'Consumption'"
    )
    assert api.asked[0] == f"{functions} and {both}"
    assert any(asked.endswith("(armRegionName eq 'Zone 1')") for asked in api.asked)
    entry = document["meters"]["azure.loganalytics.ingestion"]
    assert (entry["name"], entry["unit"], entry["free"]) == ("Log Analytics: ingestion", "GB", "5")
    (listed,) = entry["prices"]
    assert listed["regions"] == ["eastus", "westeurope"]
    assert (listed["read"], listed["verified"]) == ("2026-11-30", True)
    assert listed["source"].startswith(f"{ADDRESS}?$filter=serviceName%20eq%20%27Log%20Analytics%27")


def test_units_tiers_and_what_is_free() -> None:
    """What eastus' Functions answer on 2026-10-03: executions by ten, and a first row that costs nothing."""
    rows = [
        row(TIME, "eastus", 2.6e-05, tierMinimumUnits=100000.0),
        row(TIME, "eastus", 0.0),
        row(EXECUTIONS, "eastus", 0.0, "10"),
        row(EXECUTIONS, "eastus", 4e-06, "10", tierMinimumUnits=25000.0),
        row("azure.storage.writes", "eastus", 0.05, "10K"),
        row("azure.containerapps.requests", "eastus", 0.4, "1M"),
        row("azure.storage.blob", "eastus", 0.017664, tierMinimumUnits=51200.0),
        row("azure.storage.blob", "eastus", 0.0184),
        row("azure.bandwidth.egress", "eastus", 0.0),
        row("azure.bandwidth.egress", "eastus", 0.087, tierMinimumUnits=100.0),
        row("azure.bandwidth.egress", "eastus", 0.083, tierMinimumUnits=10335.0),
    ]
    document, told, _ = refresh(Api(rows), "eastus")
    tiers = {id_: entry["prices"][0]["tiers"] for id_, entry in document["meters"].items()}
    assert tiers == {
        TIME: [["0", "0.000026"]],
        EXECUTIONS: [["0", "0.0000004"]],
        "azure.storage.writes": [["0", "0.000005"]],
        "azure.containerapps.requests": [["0", "0.0000004"]],
        "azure.storage.blob": [["0", "0.0184"], ["51200", "0.017664"]],
        "azure.bandwidth.egress": [["0", "0.087"], ["10235", "0.083"]],
    }
    assert price(document, TIME, "eastus").free == 100_000
    assert price(document, EXECUTIONS, "eastus").cost(Decimal(250_010), free_tier=True) == Decimal("0.000004")
    assert len(told) == len(METERS) - len(tiers)
    assert told[0] == (
        "azure.functions.baseline.always-ready in eastus: Azure's list has no such meter; left out."
    )


def test_of_rows_that_fit_the_region_s_own_and_newest_that_began_counts() -> None:
    rows = [
        row(TIME, "westeurope", 3e-05, effectiveStartDate="2024-12-01T00:00:00Z"),
        row(TIME, "westeurope", 2.6e-05, effectiveStartDate="2025-07-01T00:00:00Z"),
        row(TIME, "westeurope", 2.6e-05, effectiveStartDate="2025-07-01T00:00:00Z"),
        row(TIME, "westeurope", 9.9e-05, effectiveStartDate="2027-01-01T00:00:00Z"),
        row(
            TIME, "westeurope", 8.8e-05, effectiveStartDate="2026-01-01T00:00:00Z", isPrimaryMeterRegion=False
        ),
        row(TIME, "westeurope", 7.7e-05, type="DevTestConsumption"),
        row(TIME, "westeurope", 6.6e-05, skuName="On Demand Spot"),
    ]
    document, _, _ = refresh(Api(rows), "westeurope")
    assert document["meters"][TIME]["prices"][0]["tiers"] == [["0", "0.000026"]]


def test_what_cannot_be_told_is_named_and_left_out() -> None:
    rows = [
        row(TIME, "westeurope", 2.6e-05),
        row(TIME, "westeurope", 3.7e-05),
        row(EXECUTIONS, "westeurope", 0.4, "1 Hour"),
        row("azure.storage.blob", "westeurope", 0.0184, tierMinimumUnits=51200.0),
        row("azure.loganalytics.ingestion", "westeurope", 0.0),
        row("azure.loganalytics.ingestion", "westeurope", 2.99, tierMinimumUnits=10.0),
    ]
    document, told, _ = refresh(Api(rows), "westeurope")
    assert set(document["meters"]) == {"azure.loganalytics.ingestion"}
    known = [line for line in told if "no such meter" not in line]
    assert known == [
        f"{TIME} in westeurope: two prices fit, 0.000026 and 0.000037; left out.",
        f"{EXECUTIONS} in westeurope: it is sold by '1 Hour', and not by the execution; left out.",
        "azure.storage.blob in westeurope: Azure's list has no price below 51200; left out.",
        "azure.loganalytics.ingestion in westeurope: Azure has 10 free each month, and lastmile knows of 5.",
    ]
    assert "azure.frontdoor.base in westeurope: Azure's list has no such meter; left out." in told


def test_a_region_without_a_zone_has_all_but_front_door() -> None:
    api = Api([one for one in all_rows("eastus") if one["armRegionName"] == "eastus"])
    for one in api.rows:
        one["armRegionName"] = "chilecentral"
    document, told, _ = refresh(api, "chilecentral")
    assert "chilecentral" not in ZONES
    assert set(METERS) - set(document["meters"]) == {id_ for id_, meter in METERS.items() if meter.zoned}
    assert told == [
        f"{id_} in chilecentral: Azure's list has no such meter; left out."
        for id_, meter in METERS.items()
        if meter.zoned
    ]


def test_throttled_it_waits_as_long_as_it_is_told_and_gives_up_in_the_end() -> None:
    rows = all_rows("westeurope")
    document, _, paused = refresh(Api(rows, busy=[(429, "7"), (429, None), (503, "900")]), "westeurope")
    assert set(document["meters"]) == set(METERS)
    assert paused == [7.0, 4.0, 60.0]
    assert refused(Api(rows, busy=[(429, "1")] * 5)).startswith(
        "Azure's list of prices answered HTTP 429 (127.0.0.1:"
    )
    assert "HTTP 404" in refused(Api(rows, busy=[(404, None)]))


def test_bad_answers_are_refused() -> None:
    rows = all_rows("westeurope")
    again = "Try again in a few minutes: lastmile prices refresh --target azure"
    euro = f"Azure's list of prices is in EUR and USD, but USD was asked for.\n{again}"
    assert refused(Api(rows, currency="EUR")) == euro
    assert refused(Api([row(TIME, "westeurope", 1.0, currencyCode="EUR")])) == euro
    text = "Azure's list of prices says retailPrice 'free', which is no number."
    assert refused(Api([row(TIME, "westeurope", 1.0, retailPrice="free")])) == f"{text}\n{again}"
    for body in (b"<html>", b"[]", b'{"Items": 1}'):
        assert refused(Api(rows, body=body)) == f"Azure's list of prices is no list of prices.\n{again}"
    away = refused(Api(rows, page=1, next_link="https://prices.example.com/api"))
    assert away.startswith(
        "Azure's list of prices goes on at https://prices.example.com/api, which is not 127."
    )
    assert "redirects" not in refused(Api(rows, busy=[(302, None)]))
    with pytest.raises(LastmileError) as caught:
        azure.refresh(["westeurope"], {}, TODAY, print, address="http://127.0.0.1:1/api")
    assert str(caught.value).startswith(
        "Azure's list of prices cannot be read (127.0.0.1:1): [Errno 111] Connection refused."
    )


def test_regions_are_azure_s() -> None:
    assert refused(Api([]), "West Europe") == (
        "--region is 'West Europe', and a region of Azure's has small letters and digits alone.\n"
        "Write it as Azure does, such as westeurope."
    )
    assert refused(Api(all_rows("westeurope")), "westeurope", "westeuropa") == (
        "Azure's list of prices has nothing for the region westeuropa.\n"
        "Write it as Azure does, such as westeurope; az account list-locations --output table has all."
    )


def test_the_shipped_list() -> None:
    document = json.loads(SHIPPED.read_text())
    book = PriceBook([document])
    assert list(document["meters"]) == list(METERS)
    for id_, entry in document["meters"].items():
        meter = METERS[id_]
        assert (entry["name"], entry["unit"], Decimal(entry.get("free", "0"))) == (
            *(meter.name, meter.unit),
            meter.free,
        )
    for one in book.prices():
        assert one.source.startswith("https://"), one
        assert date(2023, 1, 1) < one.read <= date(2026, 11, 30), one
        assert one.tiers[0].start == 0, one
    assert book.price(TIME, "westeurope").first == Decimal("0.000026")
    assert book.price(TIME, "uksouth").first == Decimal("0.000037")
    assert not book.price("azure.frontdoor.origin", "westeurope").verified
    with pytest.raises(UnpricedError) as caught:
        book.price(TIME, "brazilsouth")
    assert str(caught.value) == (
        f"there is no price of {TIME} in brazilsouth.\n"
        "Read the cloud's own: lastmile prices refresh --target azure --region brazilsouth"
    )
