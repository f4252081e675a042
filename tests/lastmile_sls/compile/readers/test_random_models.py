from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.lastmile_sls.compile.readers.cases import Case, cases
from tests.lastmile_sls.compile.readers.models import check

QUICK = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""tests/conformance/test_compiled_trees.py runs hundreds, other ones each time."""


@pytest.mark.filterwarnings("ignore")
@QUICK
@given(case=cases())
def test_random_models_answer_as_the_original(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)
