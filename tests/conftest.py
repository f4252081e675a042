"""What every test may rely on."""

from __future__ import annotations

import shutil

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what needs the Pulumi CLI where there is none."""
    if shutil.which("pulumi"):
        return
    skip = pytest.mark.skip(reason="the Pulumi CLI is not on PATH")
    for item in items:
        if item.get_closest_marker("pulumi_cli"):
            item.add_marker(skip)
