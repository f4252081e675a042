"""Both engines, over the same world."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lastmile_sls.engine.embedded.engine import EmbeddedEngine
from lastmile_sls.engine.interface import Engine
from lastmile_sls.engine.pulumi_cli.engine import PulumiCliEngine
from tests.lastmile_sls.engine.checking_provider import CheckingProvider
from tests.lastmile_sls.engine.world import World, make_world


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = make_world(tmp_path)
    monkeypatch.setenv("CHECKING_WORLD", str(world.things_made))
    return world


def make_engine(kind: str, home: Path) -> Engine:
    if kind == "embedded":
        return EmbeddedEngine(home / "stacks", {"checking": CheckingProvider})
    # A user's own backend settings must not reach the tests.
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PULUMI_")}
    return PulumiCliEngine(home, environ)


@pytest.fixture(params=["embedded", pytest.param("pulumi", marks=pytest.mark.pulumi_cli)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    return make_engine(request.param, tmp_path / "home")
