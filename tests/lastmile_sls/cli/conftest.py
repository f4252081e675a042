"""Who types commands, and a cloud that is played under them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lastmile_sls.cli.clouds import OUTPUTS, Played
from tests.lastmile_sls.control.commands import Typist


@pytest.fixture
def typist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typist:
    made = Typist(tmp_path, monkeypatch, capsys)
    made.write_outputs(OUTPUTS)
    return made


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    made = Played()
    monkeypatch.setattr("lastmile_sls.control.open.open_control", lambda stack: made)
    return made
