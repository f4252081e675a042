"""Hundreds of random models of every family, compiled: each answers as the original does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tests.lastmile_sls.compile.readers.cases import OPTIONS, Case, cases
from tests.lastmile_sls.compile.readers.models import check

pytestmark = [pytest.mark.conformance, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def test_every_library_is_here() -> None:
    assert {"xgboost", "lightgbm"} <= set(OPTIONS)


@settings(
    max_examples=1000,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(case=cases())
def test_compiled_trees(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)
