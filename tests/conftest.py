"""What every test may rely on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import dill
import pytest
from hypothesis import settings

from tests.lastmile_sls.commands import Workspace, workspace

# Pulumi's SDK imports dill, which teaches pickle to write what no model of a user's has in it.
dill.extend(use_dill=False)

# A change is checked with the same examples each time; `make explore` looks for new ones.
settings.register_profile("repeatable", derandomize=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What tests build is not kept among the user's own, and is there for all processes of this run."""
    base = tmp_path_factory.getbasetemp()
    os.environ["LASTMILE_CACHE"] = str(
        (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
    )


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    """A spec's folder and a home of its own, for tests that run the command."""
    with workspace(tmp_path) as made:
        yield made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what needs the Pulumi CLI where there is none."""
    if shutil.which("pulumi"):
        return
    skip = pytest.mark.skip(reason="the Pulumi CLI is not on PATH")
    for item in items:
        if item.get_closest_marker("pulumi_cli"):
            item.add_marker(skip)
