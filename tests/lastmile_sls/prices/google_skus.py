"""A stand-in of Google's Cloud Billing Catalog API. Its SKUs have the descriptions, units and groups of public copies of its
answers (2026-04-23 to 2026-10-07); a conformance test holds their fields against Google's discovery document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.prices import gcp
from lastmile_sls.prices.gcp_meters import METERS

Row = dict[str, Any]
Refusal = tuple[int, str, dict[str, str]]
"""A status, what is said, and headers."""
KEY = "AIzaSy-a-key-that-nobody-may-see"
TIER_1, TIER_2 = "europe-west1", "europe-west3"
TODAY = date(2026, 11, 30)
_NAMES = {TIER_1: "Belgium", TIER_2: "Frankfurt", "asia-northeast1": "Tokyo"}
_BY_TIER = {
    "gcp.run.cpu.request": "Services CPU (Request-based billing)",
    "gcp.run.memory.request": "Services Memory (Request-based billing)",
    "gcp.run.cpu.idle": "Services Min Instance CPU (Request-based billing)",
    "gcp.run.memory.idle": "Services Min Instance Memory (Request-based billing)",
}
_BY_REGION = {
    "gcp.run.cpu.instance": "Services CPU (Instance-based billing) in {region}",
    "gcp.run.memory.instance": "Services Memory (Instance-based billing) in {region}",
    "gcp.run.gpu.nvidia-l4": "NVIDIA L4 GPU with no zonal redundancy in {region}",
    "gcp.run.gpu.nvidia-l4.zonal": "NVIDIA L4 GPU with zonal redundancy in {region}",
    "gcp.run.gpu.nvidia-rtx-pro-6000": "NVIDIA RTX Pro 6000 GPU with no zonal redundancy in {region}",
    "gcp.run.gpu.nvidia-rtx-pro-6000.zonal": "NVIDIA RTX Pro 6000 GPU with zonal redundancy in {region}",
    "gcp.balancer.inbound": "Global External Application Load Balancer Inbound Data Processing for {name} ({region})",
    "gcp.balancer.outbound": "Global External Application Load Balancer Outbound Data Processing for {name} ({region})",
    "gcp.storage.stored": "Standard Storage {name}",
    "gcp.network.egress": "Network Internet Data Transfer Out from {name} to EMEA",
}
_SEVERAL = {
    "gcp.run.egress": "Cloud Run Network Internet Data Transfer Out Europe to Europe",
}
_EVERYWHERE = {
    "gcp.run.requests": "Requests",
    "gcp.balancer.rules": "Cloud Load Balancer Forwarding Rule Minimum Global",
    "gcp.armor.policies": "Networking Cloud Armor Policy",
    "gcp.armor.rules": "Networking Cloud Armor Rule",
    "gcp.armor.requests": "Networking Cloud Armor Requests",
    "gcp.pubsub.throughput": "Message Delivery Basic",
    "gcp.scheduler.jobs": "Jobs",
    "gcp.storage.writes": "Regional Standard Class A Operations",
    "gcp.storage.reads": "Regional Standard Class B Operations",
    "gcp.registry.stored": "Artifact Registry Storage",
    "gcp.secrets.versions": "Secret version replica storage",
    "gcp.secrets.accesses": "Secret access operations",
    "gcp.logging.stored": "Log Storage cost",
    "gcp.logging.kept": "Log Retention cost",
    "gcp.monitoring.metrics": "Metric Volume",
}


def rate(start: float, units: int, nanos: int, currency: str = "USD") -> Row:
    """Return a tier's price: whole units, and billionths."""
    return {
        "startUsageAmount": start,
        "unitPrice": {"currencyCode": currency, "units": str(units), "nanos": nanos},
    }


def sku(id_: str, description: str, regions: list[str], *rates: Row, unit: str = "", **changes: Any) -> Row:
    """Return an SKU of a meter of ours."""
    meter = METERS[id_]
    number = f"{sum(description.encode()):04X}-{list(METERS).index(id_):04X}-{len(regions):04X}"
    return {
        "name": f"services/{meter.service}/skus/{number}",
        "skuId": number,
        "description": description,
        "category": {
            "serviceDisplayName": meter.name.partition(":")[0],
            "resourceFamily": "ApplicationServices",
            "resourceGroup": meter.group or "Compute",
            "usageType": "OnDemand",
        },
        "serviceRegions": regions,
        "pricingInfo": [priced(*rates, unit=unit or meter.usage_unit)],
        "serviceProviderName": "Google",
        "geoTaxonomy": {"type": "MULTI_REGIONAL" if len(regions) > 1 else "REGIONAL", "regions": regions},
        **changes,
    }


def priced(*rates: Row, unit: str) -> Row:
    """Return a price, by tiers."""
    return {
        "summary": "",
        "pricingExpression": {
            "usageUnit": unit,
            "displayQuantity": 1,
            "tieredRates": list(rates),
            "usageUnitDescription": "",
            "baseUnit": unit.partition(".")[0],
            "baseUnitDescription": "",
            "baseUnitConversionFactor": 1,
        },
        "aggregationInfo": {
            "aggregationLevel": "ACCOUNT",
            "aggregationInterval": "MONTHLY",
            "aggregationCount": 1,
        },
        "currencyConversionRate": 1,
        "effectiveTime": "2026-11-29T08:01:26.110671Z",
    }


def every_sku(*regions: str) -> list[Row]:
    """Return what all meters have in these regions, each meter at a price of its own."""
    rows = []
    for number, id_ in enumerate(METERS, start=1):
        price = rate(0, 0, number * 1000)
        if id_ in _BY_TIER:
            tier_2 = _BY_TIER[id_].replace(" (", " Tier 2  (")
            rows.append(sku(id_, _BY_TIER[id_], [one for one in regions if one != TIER_2], price))
            rows.append(sku(id_, tier_2, [one for one in regions if one == TIER_2], price))
        elif id_ in _BY_REGION:
            for region in regions:
                text = _BY_REGION[id_].format(region=region, name=_NAMES[region])
                rows.append(sku(id_, text, [region], price))
        else:
            everywhere = [*regions] if id_ in _SEVERAL else ["global"]
            rows.append(sku(id_, (_SEVERAL | _EVERYWHERE)[id_], everywhere, price))
    return rows


@dataclass
class Api:
    """What it has, and what it was asked."""

    rows: list[Row]
    page: int = 5000
    refusals: list[Refusal] = field(default_factory=list)
    """Answered first."""
    body: bytes | None = None
    """Answered instead of a list."""
    has_no_end: bool = False
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Paths and parameters, in order."""
    headers: list[dict[str, str]] = field(default_factory=list)
    address: str = ""

    def answer(self, path: str, query: dict[str, str]) -> Row:
        """Return the page that is asked for."""
        service = path.removeprefix("/v1/services/").removesuffix("/skus")
        fitting = [one for one in self.rows if one["name"].startswith(f"services/{service}/")]
        start = int(query.get("pageToken", "0"))
        end = start + self.page
        more = end < len(fitting) or self.has_no_end
        return {"skus": fitting[start:end], "nextPageToken": str(end) if more else ""}


@contextmanager
def served(api: Api) -> Iterator[Api]:
    """Serve it at its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            api.asked.append((parts.path, query))
            api.headers.append({name.lower(): value for name, value in self.headers.items()})
            if api.refusals:
                status, said, headers = api.refusals.pop(0)
                self._send(status, {"error": {"code": status, "message": said}}, headers)
            else:
                self._send(200, api.answer(parts.path, query), {}, api.body)

        def do_POST(self) -> None:
            """Give a service account a token."""
            api.asked.append((self.path, {}))
            self.rfile.read(int(self.headers["content-length"]))
            self._send(200, {"access_token": KEY, "expires_in": 3600, "token_type": "Bearer"}, {})

        def _send(
            self, status: int, document: Row, headers: Mapping[str, str], instead: bytes | None = None
        ) -> None:
            body = instead if instead is not None else json.dumps(document).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.address = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()


def refresh(api: Api, *regions: str) -> tuple[Row, list[str], list[float]]:
    """Return the list that a refresh makes of it, what it told, and how long it waited each time, in seconds."""
    told: list[str] = []
    paused: list[float] = []
    environ = {"GOOGLE_API_KEY": f"{KEY}\n"}
    with served(api):
        document = gcp.refresh(
            *(regions or (TIER_1,), environ, TODAY, told.append), address=api.address, pause=paused.append
        )
    return document, told, paused


def refused(api: Api, *regions: str) -> str:
    """Return why it cannot be read, without the key in it."""
    with pytest.raises(LastmileError) as caught:
        refresh(api, *regions)
    assert KEY not in str(caught.value)
    return str(caught.value)
