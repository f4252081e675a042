"""From what was asked and measured to a month."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.duration import Measured, VersionTimes
from lastmile_sls.estimate.traffic import needs_measuring, traffic_of
from lastmile_sls.estimate.traffic_file import Shape
from tests.lastmile_sls.estimate.priced import both, plan

TIMES = {
    "v1": VersionTimes(Decimal(110), Decimal(10), Decimal("0.5"), 2000),
    "v2": VersionTimes(Decimal(320), Decimal(20), None, 900),
}
MEASURED = Measured(TIMES, "x86_64, Python 3.13", "local")
ASKED = Shape(requests=Decimal(100))


def test_what_was_measured_is_lengthened_where_an_instance_has_less_than_a_processor() -> None:
    month = traffic_of(ASKED, plan(), MEASURED, Decimal("0.5"))
    assert month.duration_ms == {"v1": 20, "v2": 40}
    assert month.row_ms == {"v1": 1}
    assert month.init_ms == {"predict": 600}
    assert month.cold_share == Decimal("0.01")
    assert month.measured == (
        "measured for v1 and v2 on this machine (x86_64, Python 3.13; this machine's own bundle): the median of 900 warm "
        "requests with certified examples; lengthened 2.00 times, because an instance has 0.50 processors"
    )
    assert month.at_once == 1
    two = traffic_of(ASKED, plan(), MEASURED, Decimal("2.5"))
    assert both(two.duration_ms, two.at_once) == ({"v1": 10, "v2": 20}, 2)


def test_what_is_given_is_taken_as_it_is() -> None:
    shape = Shape(
        requests=Decimal(5),
        duration={"v1": Decimal(7), "*": Decimal(9)},
        init_ms=Decimal(3),
        row_ms=Decimal("0.25"),
        cold_share=Decimal(0),
        peak=Decimal(4),
        concurrency=Decimal(2),
    )
    month = traffic_of(shape, plan(), MEASURED, Decimal("0.5"))
    assert both(month.duration_ms, month.init_ms) == ({"v1": 7, "v2": 9}, {"predict": 3})
    assert month.row_ms == {"v1": Decimal("0.25"), "v2": Decimal("0.25")}
    assert both(month.peak_concurrency, month.effective_concurrency, month.cold_share) == (4, 2, 0)
    assert month.measured == "given for v1 and v2"
    assert month.at_once is None
    half = traffic_of(Shape(Decimal(5), {"v2": Decimal(3)}), plan(), MEASURED, Decimal(1))
    assert half.duration_ms == {"v1": 10, "v2": 3}
    assert half.measured.startswith("given for v2; measured for v1 on this machine")


def test_only_what_is_not_said_is_measured() -> None:
    every, one = {"*": Decimal(1)}, {"v1": Decimal(1)}
    assert needs_measuring(ASKED, plan())
    assert needs_measuring(Shape(Decimal(1), one, init_ms=Decimal(1)), plan())
    assert needs_measuring(Shape(Decimal(1), every), plan())
    assert not needs_measuring(Shape(Decimal(1), every, init_ms=Decimal(1)), plan())
    assert not needs_measuring(Shape(Decimal(1), every, cold_share=Decimal(0)), plan())


def test_a_duration_is_of_a_version_and_no_longer_than_a_request_may_take() -> None:
    with pytest.raises(LastmileError, match="--duration names v9, but churn-dev has v1, v2"):
        traffic_of(Shape(Decimal(1), {"v9": Decimal(1)}), plan(), None, Decimal(1))
    with pytest.raises(LastmileError) as caught:
        traffic_of(Shape(Decimal(1), {"v1": Decimal(30_001)}), plan(), None, Decimal(1))
    assert caught.value.message == (
        "the duration of v1 is 30001 ms, but resources.timeout_s is 30: a request is given up then."
    )
