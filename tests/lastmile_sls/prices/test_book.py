"""What so many units cost."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from lastmile_sls.prices.book import PriceBook, UnpricedError
from tests.lastmile_sls.estimate.priced import BOOK, LIST, both, listed


def test_tiers_are_of_what_is_beyond_them() -> None:
    price = BOOK.price("aws.x.seconds", "eu-west-1")
    costs = [price.cost(Decimal(quantity)) for quantity in ("0", "1", "10000", "10001", "30000")]
    assert costs == [0, Decimal("0.001"), 10, Decimal("10.0005"), 20]
    assert price.read == date(2026, 11, 1)
    assert price.verified


def test_free_units_come_first() -> None:
    price = BOOK.price("aws.x.requests", "eu-west-1")
    assert price.cost(Decimal(1_500_000)) == Decimal("1.5")
    assert price.cost(Decimal(1_500_000), free_tier=True) == Decimal("0.5")
    assert price.cost(Decimal(5), free_tier=True) == 0


def test_a_first_tier_that_costs_nothing_is_not_a_units_price() -> None:
    free_first = {**LIST, "meters": {"aws.x.mail": listed([["0", "0"], ["1000", "0.02"]], "mail")}}
    assert PriceBook([free_first]).price("aws.x.mail", "eu-west-1").first == Decimal("0.02")


def test_later_lists_go_over_earlier_ones_and_a_region_over_everywhere() -> None:
    entry = listed([["0", "3"]], "month")
    entry["prices"][0]["regions"] = ["*"]
    everywhere = {**LIST, "meters": {"aws.x.kept": entry}}
    assert PriceBook([everywhere]).price("aws.x.kept", "mars-1").first == 3
    two = PriceBook([LIST, everywhere])
    assert both(two.price("aws.x.kept", "eu-west-1").first, two.price("aws.x.kept", "mars-1").first) == (2, 3)
    with pytest.raises(UnpricedError, match=r"there is no price of aws\.x\.kept in mars-1\."):
        BOOK.price("aws.x.kept", "mars-1")
