"""Who types commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lastmile_sls.control.commands import Typist


@pytest.fixture
def typist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typist:
    return Typist(tmp_path, monkeypatch, capsys)
