"""A runtime that is compiled once for all tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lastmile_runtime.bundles import DOUBLER
from tests.lastmile_sls.check.bundles import Bundle, make_runtime

Make = Callable[..., Bundle]


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_runtime(tmp_path_factory.mktemp("runtime") / "bundle")


@pytest.fixture
def make(tmp_path: Path, runtime: Path) -> Make:
    """Make a bundle of plain classes in the test's folder."""

    def made(source: str = DOUBLER, *ids: str) -> Bundle:
        return Bundle(tmp_path / "bundle", runtime, source, *ids)

    return made
