"""Reads a cloud's own prices, and keeps them over the shipped ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from lastmile_sls.prices.book import Price, PriceBook
from lastmile_sls.prices.shelf import keep, lists

Tell = Callable[[str], None]
Read = Callable[[Sequence[str], Mapping[str, str], date, Tell], dict[str, Any]]


@dataclass(frozen=True)
class Change:
    """A price that is another one than before."""

    before: Price | None
    """None: there was none."""
    after: Price


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did."""

    path: Path
    """Where it is kept."""
    prices: tuple[Price, ...]
    """What was read."""
    changes: tuple[Change, ...]
    missing: tuple[str, ...]
    """What was asked for and not found, as the cloud's reader told it."""


def reader_of(cloud: str) -> Read:
    """Return what reads a cloud's prices. Raises ValueError for no cloud."""
    match cloud:
        case "aws":
            from lastmile_sls.prices.aws import refresh
        case "gcp":
            from lastmile_sls.prices.gcp import refresh
        case "azure":
            from lastmile_sls.prices.azure import refresh
        case _:
            raise ValueError(f"{cloud} has no list of prices")
    return refresh


def refresh_cloud(
    cloud: str,
    regions: Sequence[str],
    environ: Mapping[str, str],
    today: date,
    tell: Tell,
    *,
    read: Read | None = None,
) -> Refreshed:
    """Read the prices of some regions, and keep them.

    Args:
        cloud: Whose.
        regions: Where.
        environ: The environment's variables: credentials, and where lists are kept.
        today: The date that the prices are noted with.
        tell: Told what is being done.
        read: What reads them; by default the cloud's own.

    Raises LastmileError, with nothing kept, when the cloud does not answer as it should.
    """
    told: list[str] = []

    def note(text: str) -> None:
        told.append(text)
        tell(text)

    document = (read or reader_of(cloud))(regions, environ, today, note)
    before = {(p.meter, p.region): p for one in lists(environ, [cloud]) for p in one.prices()}
    prices = PriceBook([document]).prices()
    changes = [
        Change(known, price)
        for price in prices
        if (known := before.get((price.meter, price.region))) is None or known.tiers != price.tiers
    ]
    return Refreshed(keep(environ, document), tuple(prices), tuple(changes), tuple(told))
