"""What no model is known for is split over the models of its cloud by the rule, and what is left is said."""

from __future__ import annotations

from decimal import Decimal

from lastmile_sls.costs.report.amounts import NOTHING, Amounts, exactly, total
from lastmile_sls.costs.report.document import Share
from lastmile_sls.costs.report.queries import ModelKey
from lastmile_sls.costs.report.shares import shared

LOST = {"aws": Amounts(*[Decimal(10)] * 4), "gcp": Amounts(*[Decimal(4)] * 4)}
OWN: dict[str, dict[ModelKey, Decimal]] = {
    "aws": {("churn", "prod"): Decimal(30), ("fraud", "dev"): Decimal(10), ("refunded", "dev"): Decimal(-2)},
}


def _split(rule: Share) -> tuple[dict[ModelKey, Decimal], Decimal]:
    with exactly():
        parts, left = shared(LOST, OWN, rule)
        assert total((*parts.values(), left)) == total(LOST.values())
        return {key: part.effective for key, part in parts.items()}, left.effective


def test_the_rules() -> None:
    assert _split("none") == ({}, Decimal(14))
    churn, fraud = ("churn", "prod"), ("fraud", "dev")
    expected: dict[Share, dict[ModelKey, Decimal]] = {
        "even": {churn: Decimal(5), fraud: Decimal(5)},
        "proportional": {churn: Decimal("7.5"), fraud: Decimal("2.5")},
    }
    for rule, parts in expected.items():
        assert _split(rule) == (parts, Decimal(4))


def test_nothing_lost_is_nothing_shared() -> None:
    assert shared({}, OWN, "even") == ({}, NOTHING)
