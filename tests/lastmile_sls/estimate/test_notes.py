"""What to know about an estimate."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from lastmile_sls.estimate.notes import free_units, price_dates, prices_of, warnings
from tests.lastmile_sls.estimate.priced import both, estimated, plan, resource, resources_of

DOUBTFUL = "nobody could read the price of Keeping in eu-west-1 at its source (https://prices.example)"

OLD = (
    "3 prices are older than 90 days, the oldest of 2026-11-01 (91 days): "
    "lastmile prices refresh --target aws --region eu-west-1"
)


def test_doubtful_prices_are_named_and_old_ones_after_90_days() -> None:
    found = estimated()
    assert [price.meter for price in prices_of(found)] == ["aws.x.kept", "aws.x.requests", "aws.x.seconds"]
    assert price_dates(found) == (date(2026, 11, 1), date(2026, 11, 1))
    assert warnings(found, date(2027, 1, 30)) == [DOUBTFUL]
    assert warnings(found, date(2027, 1, 31)) == [
        DOUBTFUL,
        OLD,
    ]
    odd = estimated(resources=[*resources_of(plan()), resource("x:a:Surprise", "churn-dev-odd")])
    assert (
        warnings(odd, date(2026, 11, 30))[1]
        == "churn-dev-odd has no price: No formula is known for x:a:Surprise."
    )


def test_what_is_free_is_told_meter_by_meter() -> None:
    (free,) = free_units(estimated())
    assert both(free.price.meter, free.quantity, free.cost) == ("aws.x.requests", 1_000_000, Decimal(1))
    taken = estimated(free_tier=True)
    assert taken.monthly == estimated().monthly - 1
    assert free_units(taken) == [free]
