"""What is asked for on the command line, before anything is looked at."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lastmile_sls.compare.run import memories, one_shape
from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.traffic_file import Shape

DAY, NIGHT = Shape(requests=Decimal(5)), Shape(requests=Decimal(0))


def test_sizes() -> None:
    assert memories("512, 1024") == [512, 1024]
    assert memories(None) == []
    for wrong in ("", "512,", "0.5", "-1", "a lot"):
        with pytest.raises(LastmileError) as caught:
            memories(wrong)
        assert (
            caught.value.message
            == f"--memory is {wrong!r}, but must be whole numbers of MB with commas between."
        )


def test_shapes() -> None:
    assert one_shape({"": DAY}, None) == one_shape({"day": DAY, "night": NIGHT}, "day") == DAY
    for name, shapes, told in (
        (
            None,
            {"day": DAY, "night": NIGHT},
            "--traffic has several shapes, and one is compared: day, night.",
        ),
        ("noon", {"day": DAY, "night": NIGHT}, "there is no shape 'noon': day, night."),
        ("noon", {"": DAY}, "there is no shape 'noon': --traffic has no named ones."),
        (
            "night",
            {"day": DAY, "night": NIGHT},
            "requests is 0, but prices are compared from 1 request a month on.",
        ),
    ):
        with pytest.raises(LastmileError) as caught:
            one_shape(shapes, name)
        assert caught.value.message == told
