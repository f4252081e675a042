"""Files that others open are seen, as far as the system tells."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from lastmile_sls.check.opened import Watch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


def test_another_process_is_seen_to_open_and_close_in_order(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    for path in (tmp_path / "one", inner / "two", tmp_path / "left"):
        path.touch()
    code = f"import os; os.listdir({str(inner)!r}); open({str(tmp_path / 'one')!r}); open({str(inner / 'two')!r})"
    with Watch([tmp_path, inner, tmp_path / "none"]) as watch:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, stderr=subprocess.DEVNULL)
        ended = time.perf_counter()
    assert [(touch.path, touch.opened) for touch in watch.touches] == [
        (tmp_path / "one", True),
        (tmp_path / "one", False),
        (inner / "two", True),
        (inner / "two", False),
    ]
    assert [touch.at for touch in watch.touches] == sorted(touch.at for touch in watch.touches)
    assert all(began < touch.at <= ended + 1 for touch in watch.touches)


def test_what_was_opened_before_it_looked_is_not_seen(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("1")
    (tmp_path / "one").read_text()
    with Watch([tmp_path]) as watch:
        pass
    (tmp_path / "one").read_text()
    assert watch.touches == []
