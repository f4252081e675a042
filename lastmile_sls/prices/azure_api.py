"""Reads Azure's Retail Prices API, page by page.

It needs no key, answers at most 1 000 rows a page, and answers 429 to who asks too often
(learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices, 2026-11-30).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from lastmile_sls.errors import LastmileError
from lastmile_sls.prices.web import MOST_PAGES, Web

ADDRESS = "https://prices.azure.com/api/retail/prices"
CURRENCY = "USD"
AGAIN = "Try again in a few minutes: lastmile prices refresh --target azure"

Row = Mapping[str, Any]


@dataclass
class Api:
    """The API, page by page."""

    address: str
    pause: Callable[[float], None]

    def rows(self, asked: str) -> Iterator[Row]:
        """Yield what it answers to a filter. Raises LastmileError."""
        currency = quote(f"'{CURRENCY}'")
        url: str | None = f"{self.address}?currencyCode={currency}&$filter={quote(asked)}"
        web = Web("Azure", AGAIN, self.pause)
        for _ in range(MOST_PAGES):
            if url is None:
                return
            page = web.page(url, "Items")
            yield from _items(page)
            url = self._next(page.get("NextPageLink"))
        raise web.endless()

    def _next(self, link: object) -> str | None:
        if not link:
            return None
        if not isinstance(link, str) or _origin(link) != _origin(self.address):
            raise LastmileError(
                f"Azure's list of prices goes on at {link}, which is not {urlsplit(self.address).netloc}.",
                AGAIN,
            )
        return link


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _items(page: Mapping[str, Any]) -> Iterable[Row]:
    for row in page.get("Items", ()):
        said = {page.get("BillingCurrency", CURRENCY), row.get("currencyCode")}
        if said != {CURRENCY}:
            other = " and ".join(sorted(str(currency) for currency in said))
            raise LastmileError(f"Azure's list of prices is in {other}, but {CURRENCY} was asked for.", AGAIN)
        yield row
