"""A stand-in of Azure's Retail Prices API, which answers in the shape that its page shows
(learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices, "API response examples", 2026-11-30)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from lastmile_sls.prices.azure_meters import METERS, ZONES

Row = dict[str, Any]


def row(id_: str, place: str, price: float, unit: str | None = None, **changes: Any) -> Row:
    """Return a row of a meter of ours; by default of one of what it is sold by."""
    meter = METERS[id_]
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "retailPrice": price,
        "unitPrice": price,
        "armRegionName": place,
        "location": "EU West",
        "effectiveStartDate": "2024-12-01T00:00:00Z",
        "meterId": "cd5d6bae-9b8d-5456-ab84-46919175c318",
        "meterName": meter.meter,
        "productId": "DZH318Z0DW2R",
        "skuId": "DZH318Z0DW2R/0081",
        "productName": meter.product,
        "skuName": meter.sku,
        "serviceName": meter.service,
        "serviceId": "DZH319HJX2WX",
        "serviceFamily": "Compute",
        "unitOfMeasure": unit or f"1{meter.kind}",
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
        "armSkuName": "",
        **changes,
    }


def all_rows(*regions: str) -> list[Row]:
    """Return a row for each meter in each region, at a price of its own."""
    places = {id_: [ZONES[r] if meter.zoned else r for r in regions] for id_, meter in METERS.items()}
    return [
        row(id_, place, (number + 1) / 1000)
        for number, (id_, those) in enumerate(places.items())
        for place in dict.fromkeys(those)
    ]


@dataclass
class Api:
    """What it has, and what it was asked."""

    rows: list[Row]
    page: int = 1000
    currency: str = "USD"
    busy: list[tuple[int, str | None]] = field(default_factory=list)
    """Statuses with what their Retry-After says, answered first."""
    body: bytes | None = None
    """Answered instead of a list."""
    next_link: str | None = None
    """Said instead of the right one."""
    asked: list[str] = field(default_factory=list)
    """The filters, in order."""
    address: str = ""

    def answer(self, query: dict[str, list[str]]) -> dict[str, Any]:
        """Return the page that is asked for."""
        asked = query["$filter"][0]
        self.asked.append(asked)
        named = dict(re.findall(r"(serviceName|productName) eq '([^']*)'", asked))
        places = re.findall(r"armRegionName eq '([^']*)'", asked)
        assert query["currencyCode"] == ["'USD'"]
        assert "priceType eq 'Consumption'" in asked
        fitting = [
            one
            for one in self.rows
            if all(one[name] == value for name, value in named.items()) and one["armRegionName"] in places
        ]
        skipped = int(query.get("$skip", ["0"])[0])
        items = fitting[skipped : skipped + self.page]
        more = skipped + self.page < len(fitting)
        link = f"{self.address}?currencyCode='USD'&$filter={quote(asked)}&$skip={skipped + self.page}"
        return {
            "BillingCurrency": self.currency,
            "CustomerEntityId": "Default",
            "CustomerEntityType": "Retail",
            "Items": items,
            "NextPageLink": (self.next_link or link) if more else None,
            "Count": len(items),
        }


@contextmanager
def served(api: Api) -> Iterator[Api]:
    """Serve it at its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, after = api.busy.pop(0) if api.busy else (200, None)
            body = b"{}"
            if status == 200:
                body = api.body or json.dumps(api.answer(parse_qs(urlsplit(self.path).query))).encode()
            self.send_response(status)
            if after is not None:
                self.send_header("retry-after", after)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.address = f"http://127.0.0.1:{server.server_port}/api/retail/prices"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
