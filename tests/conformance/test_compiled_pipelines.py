"""Hundreds of random pipelines of scikit-learn, compiled: each answers, and refuses, as the original does."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lastmile_sls.compile.test_pipeline import check_pipeline, models, requests

pytestmark = [pytest.mark.conformance, pytest.mark.filterwarnings("ignore")]


@settings(max_examples=500, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(models(), requests(), st.integers(2, 4))
def test_compiled_pipelines(made: tuple[Any, pd.DataFrame], rows: pd.DataFrame, classes: int) -> None:
    check_pipeline(made, rows, classes)
