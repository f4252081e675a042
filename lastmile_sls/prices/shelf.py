"""Where lists of prices lie: those that were shipped, and over them what was read since, in `LASTMILE_HOME/prices`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from lastmile_sls.errors import LastmileError
from lastmile_sls.files import write_private
from lastmile_sls.local.home import find_home
from lastmile_sls.prices.book import FORMAT, Price, PriceBook

CLOUDS = ("aws", "gcp", "azure")
OLD = timedelta(days=90)
"""After this a price is warned about: the clouds change theirs a few times a year."""
_SHIPPED = Path(__file__).parent / "lists"


@dataclass(frozen=True)
class PriceList:
    """One cloud's list from one place."""

    cloud: str
    origin: str
    """`shipped`, or the file that a refresh has written."""
    document: Mapping[str, Any]

    def prices(self) -> list[Price]:
        """Return its prices, by meter and region."""
        return PriceBook([self.document]).prices()


def lists(environ: Mapping[str, str], clouds: Iterable[str] = CLOUDS) -> list[PriceList]:
    """Return the clouds' lists, what was read since after what was shipped. Raises LastmileError for a list that is none."""
    found = []
    for cloud in clouds:
        found.append(PriceList(cloud, "shipped", read_list(_SHIPPED / f"{cloud}.json", cloud)))
        refreshed = refreshed_path(environ, cloud)
        if refreshed.exists():
            found.append(PriceList(cloud, str(refreshed), read_list(refreshed, cloud)))
    return found


def open_book(environ: Mapping[str, str], clouds: Iterable[str] = CLOUDS) -> PriceBook:
    """Return the clouds' prices. Raises LastmileError for a list that is none."""
    return PriceBook(one.document for one in lists(environ, clouds))


def refreshed_path(environ: Mapping[str, str], cloud: str) -> Path:
    """Return where what a refresh read of a cloud lies."""
    return find_home(environ) / "prices" / f"{cloud}.json"


def read_list(path: Path, cloud: str) -> dict[str, Any]:
    """Return the list in a file. Raises LastmileError, naming the file, for what is no list of that cloud."""
    hint = f"Delete it, or write it anew: lastmile prices refresh --target {cloud} --region REGION"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LastmileError(f"{path} cannot be read: {error.strerror or error}.", hint) from error
    except ValueError as error:
        raise LastmileError(f"{path} is not JSON: {error}.", hint) from error
    if why := problem_of(document, cloud):
        raise LastmileError(f"{path} is no list of {cloud}'s prices: {why}.", hint)
    found: dict[str, Any] = document
    return found


def problem_of(document: Any, cloud: str) -> str | None:
    """Return what keeps a document from being a list of a cloud's prices; None when it is one."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        given = document.get("format") if isinstance(document, dict) else document
        return f"its format is {given!r}, but must be {FORMAT!r}"
    if document.get("cloud") != cloud:
        return f"its cloud is {document.get('cloud')!r}"
    try:
        prices = PriceBook([document]).prices()
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        return f"a meter in it cannot be read ({type(error).__name__}: {error})"
    return next((why for price in prices if (why := _problem_of_price(price, cloud))), None)


def _problem_of_price(price: Price, cloud: str) -> str | None:
    if not price.meter.startswith(f"{cloud}."):
        return f"{price.meter} is not a meter of {cloud}"
    starts = [tier.start for tier in price.tiers]
    if not starts or starts[0] != 0 or starts != sorted(set(starts)):
        return f"the tiers of {price.meter} in {price.region} do not begin at 0 and rise"
    if any(not tier.price.is_finite() or tier.price < 0 for tier in price.tiers):
        return f"a price of {price.meter} in {price.region} is negative, or no number"
    return None


def merged(earlier: Mapping[str, Any] | None, newer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a list with what was read now over what was read before, meter by meter and region by region."""
    if earlier is None or earlier["currency"] != newer["currency"]:
        return dict(newer)
    meters = dict(earlier["meters"])
    for meter, entry in newer["meters"].items():
        regions = {region for listed in entry["prices"] for region in listed["regions"]}
        kept = [
            {**listed, "regions": left}
            for listed in meters.get(meter, {}).get("prices", ())
            if (left := [region for region in listed["regions"] if region not in regions])
        ]
        meters[meter] = {**entry, "prices": [*kept, *entry["prices"]]}
    return {**newer, "meters": dict(sorted(meters.items()))}


def keep(environ: Mapping[str, str], document: Mapping[str, Any]) -> Path:
    """Write what a refresh read over what an earlier one did; return the file.

    Raises LastmileError, with nothing written, for a document that is no list, and when it cannot be written.
    """
    cloud = document["cloud"]
    if why := problem_of(document, cloud):
        raise LastmileError(f"what {cloud} answered is no list of prices: {why}.", "Nothing was written.")
    path = refreshed_path(environ, cloud)
    earlier = read_list(path, cloud) if path.exists() else None
    content = json.dumps(merged(earlier, document), indent=1, ensure_ascii=False) + "\n"
    write_private(path, content.encode())
    return path


def oldest(prices: Iterable[Price]) -> date | None:
    """Return when the oldest of some prices was read; None of none."""
    return min((price.read for price in prices), default=None)


def age_warning(prices: Iterable[Price], today: date, cloud: str) -> str | None:
    """Return what to say of prices that are old; None when none is."""
    old = [price for price in prices if today - price.read > OLD]
    if not old:
        return None
    first = oldest(old)
    assert first is not None
    told = "one price is" if len(old) == 1 else f"{len(old)} prices are"
    regions = sorted({price.region for price in old if price.region != "*"})
    where = f" --region {regions[0]}" if regions else " --region REGION"
    return (
        f"{told} older than {OLD.days} days, the oldest of {first} ({(today - first).days} days): "
        f"lastmile prices refresh --target {cloud}{where}"
    )
