"""Which sizes are looked at, what is nearest to one that is not there, and how much processor each has."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lastmile_sls.compare.sizes import CLOUDS, sizes
from lastmile_sls.errors import LastmileError
from tests.lastmile_infra.plans import spec_of

CONTAINERS: dict[str, Any] = {"azure": {"package": "image", "base_image": "python:3.13"}}


def test_around_the_specs_own_or_all_where_there_are_few() -> None:
    spec = spec_of(resources={"memory_mb": 512}, targets={"gcp": {"base_image": "python:3.13"}})
    found = {target: [size.memory_mb for size in sizes(target, spec)] for target in CLOUDS}
    assert found == {
        "aws": [256, 512, 1024, 2048],
        "gcp": [256, 512, 1024, 2048],
        "azure": [512, 2048, 4096],
    }
    assert [size.is_specs for size in sizes("aws", spec)] == [False, True, False, False]
    assert all(size.fit.fits for target in CLOUDS for size in sizes(target, spec))


def test_no_more_than_a_target_has() -> None:
    assert [s.memory_mb for s in sizes("aws", spec_of(resources={"memory_mb": 8192}))] == [4096, 8192]
    assert [s.memory_mb for s in sizes("aws", spec_of(resources={"memory_mb": 65536}))] == [10240]
    containers = spec_of(resources={"memory_mb": 768}, targets=CONTAINERS)
    assert [s.memory_mb for s in sizes("azure", containers)] == [512, 1024, 1536, 3072]


def test_what_is_asked_for_is_there_or_the_nearest_is_named() -> None:
    spec = spec_of(resources={"memory_mb": 512})
    found = {s.memory_mb: (s.nearest_mb, s.processors) for s in sizes("azure", spec, [3000, 512, 1024])}
    assert found == {512: (None, Decimal("0.25")), 1024: (512, None), 3000: (2048, None)}
    assert [s.nearest_mb for s in sizes("aws", spec, [64, 20000])] == [128, 10240]
    containers = spec_of(targets=CONTAINERS)
    assert [s.nearest_mb for s in sizes("azure", containers, [600, 9000])] == [1024, 8192]
    with pytest.raises(LastmileError) as caught:
        sizes("aws", spec, [512, 63])
    assert caught.value.message == "--memory has 63, but memory is from 64 to 131072 MB."


def test_processors() -> None:
    spec = spec_of(targets=CONTAINERS)
    assert [round(s.processors or 0, 3) for s in sizes("aws", spec, [512, 1769, 10240])] == [
        Decimal("0.289"),
        1,
        Decimal("5.789"),
    ]
    assert [s.processors for s in sizes("gcp", spec, [512, 8192])] == [1, 2]
    assert [s.processors for s in sizes("azure", spec, [512, 4096])] == [Decimal("0.25"), 2]
    assert [s.processors for s in sizes("azure", spec_of(), [2048, 4096])] == [1, 2]
