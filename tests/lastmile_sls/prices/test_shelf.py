"""Where lists lie, what a list is, and how old it is."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.prices.book import PriceBook
from lastmile_sls.prices.shelf import (
    CLOUDS,
    age_warning,
    keep,
    lists,
    merged,
    open_book,
    problem_of,
    read_list,
    refreshed_path,
)
from tests.lastmile_sls.estimate.priced import LIST, listed


def refreshed(**prices: str) -> dict[str, Any]:
    """Return a list in which one meter costs so much in some regions."""
    entry = listed([["0", "1"]], "request")
    (price,) = entry["prices"]
    entry["prices"] = [
        {**price, "regions": [region.replace("_", "-")], "tiers": [["0", cost]], "read": "2026-11-30"}
        for region, cost in prices.items()
    ]
    return {**LIST, "meters": {"aws.x.requests": entry}}


def test_what_was_shipped_is_a_list_of_each_cloud(tmp_path: Path) -> None:
    found = lists({"LASTMILE_HOME": str(tmp_path)})
    assert [(one.cloud, one.origin) for one in found] == [(cloud, "shipped") for cloud in CLOUDS]
    for one in found:
        prices = one.prices()
        assert len(prices) > 100
        assert all(price.source.startswith("https://") for price in prices)
        assert all(price.unit and price.name and price.read <= date(2026, 12, 31) for price in prices)


def test_what_was_read_goes_over_what_was_shipped_region_by_region(tmp_path: Path) -> None:
    environ = {"LASTMILE_HOME": str(tmp_path)}
    path = keep(environ, refreshed(eu_west_1="5", us_east_1="6"))
    assert path == tmp_path / "prices" / "aws.json" == refreshed_path(environ, "aws")
    assert path.stat().st_mode & 0o777 == 0o600
    keep(environ, refreshed(eu_west_1="7"))
    book = open_book(environ, ["aws"])
    assert book.price("aws.x.requests", "eu-west-1").first == 7
    assert book.price("aws.x.requests", "us-east-1").first == 6
    assert book.price("aws.lambda.requests.arm64", "us-east-1").first == Decimal("0.0000002")
    shipped, mine = lists(environ, ["aws"])
    assert (shipped.origin, mine.origin) == ("shipped", str(path))


def test_another_currency_starts_anew() -> None:
    euros = {**refreshed(eu_west_1="5"), "currency": "EUR"}
    assert merged(refreshed(us_east_1="6"), euros) == euros
    assert merged(None, euros) == euros


def bad(change: Any) -> dict[str, Any]:
    document = deepcopy(LIST)
    change(document)
    return document


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ([], "its format is [], but must be 'lastmile.prices/1'"),
        ({"format": "lastmile.prices/9"}, "its format is 'lastmile.prices/9'"),
        ({**LIST, "cloud": "gcp"}, "its cloud is 'gcp'"),
        (bad(lambda d: d.pop("meters")), "a meter in it cannot be read (KeyError: 'meters')"),
        (
            bad(lambda d: d["meters"]["aws.x.kept"].pop("unit")),
            "a meter in it cannot be read (KeyError: 'unit')",
        ),
        (
            bad(lambda d: d["meters"]["aws.x.kept"]["prices"][0].update(tiers=[["5", "1"]])),
            "the tiers of aws.x.kept in eu-west-1 do not begin at 0 and rise",
        ),
        (
            bad(lambda d: d["meters"]["aws.x.kept"]["prices"][0].update(tiers=[["0", "-1"]])),
            "a price of aws.x.kept in eu-west-1 is negative, or no number",
        ),
        (
            bad(lambda d: d["meters"]["aws.x.kept"]["prices"][0].update(tiers=[["0", "cheap"]])),
            "a meter in it cannot be read (InvalidOperation",
        ),
        (
            bad(lambda d: d["meters"].update({"gcp.x": listed([["0", "1"]], "one")})),
            "gcp.x is not a meter of aws",
        ),
    ],
)
def test_what_is_no_list_is_told(document: Any, why: str) -> None:
    assert why in (problem_of(document, "aws") or "")


def test_a_list_that_cannot_be_read_names_its_file_and_the_way_out(tmp_path: Path) -> None:
    environ = {"LASTMILE_HOME": str(tmp_path)}
    path = refreshed_path(environ, "aws")
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(LastmileError) as caught:
        open_book(environ)
    assert caught.value.message.startswith(f"{path} is not JSON: ")
    assert (
        caught.value.hint
        == "Delete it, or write it anew: lastmile prices refresh --target aws --region REGION"
    )
    path.write_text("{}")
    with pytest.raises(LastmileError, match="is no list of aws's prices: its format is None"):
        open_book(environ)
    with pytest.raises(LastmileError, match="cannot be read: No such file or directory"):
        read_list(tmp_path / "none.json", "aws")
    with pytest.raises(LastmileError) as caught:
        keep(environ, {**LIST, "meters": {"gcp.x": listed([["0", "1"]], "one")}})
    assert caught.value.hint == "Nothing was written."
    assert path.read_text() == "{}"


def test_prices_are_old_after_90_days() -> None:
    prices = PriceBook([LIST]).prices()
    assert age_warning(prices, date(2027, 1, 30), "aws") is None
    assert age_warning(prices[:1], date(2027, 2, 1), "aws") == (
        "one price is older than 90 days, the oldest of 2026-11-01 (92 days): "
        "lastmile prices refresh --target aws --region eu-west-1"
    )
    assert age_warning([], date(2027, 2, 1), "aws") is None
