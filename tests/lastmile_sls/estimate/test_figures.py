"""Amounts and quantities as people read them."""

from __future__ import annotations

from decimal import Decimal

from lastmile_sls.estimate.figures import amount, change, fine, percent, price, quantity, unit_price
from tests.lastmile_sls.estimate.priced import by_name, estimated


def test_money() -> None:
    told = [amount(Decimal(value)) for value in ("0", "0.001", "0.005001", "1234.5", "-3", "-0.001")]
    assert told == ["0.00", "<0.01", "0.01", "1\u00a0234.50", "-3.00", "0.00"]
    told = [fine(Decimal(value)) for value in ("0", "0.000012345", "0.5", "0.012345", "12.345")]
    assert told == ["0.00", "0.0000123", "0.500", "0.0123", "12.34"]
    told = [change(Decimal(value)) for value in ("0", "1.5", "-1500", "0.001", "-0.001")]
    assert told == ["0.00", "+1.50", "-1\u00a0500.00", "0.00", "0.00"]


def test_numbers() -> None:
    told = [quantity(Decimal(value)) for value in ("0", "1000000", "12345.6", "1.25", "0.000305", "99.96")]
    assert told == ["0", "1\u00a0000\u00a0000", "12\u00a0346", "1.25", "0.000305", "100"]
    assert (percent(Decimal("0.125")), percent(Decimal(1)), percent(Decimal("0.00005"))) == (
        "12.5 %",
        "100 %",
        "0 %",
    )
    assert price(Decimal("0.00001333340")) == "0.0000133334"


def test_a_units_price_is_the_average_where_tiers_make_it_another() -> None:
    requests, time = by_name(estimated())["churn-dev-predict"].components
    assert (unit_price(requests), unit_price(time)) == ("0.000001", "ø 0.000955")
