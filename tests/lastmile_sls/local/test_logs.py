from __future__ import annotations

import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

from lastmile_sls.local.logs import FunctionLog, tail

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)


def test_lines_have_time_and_process_and_files_stay_few(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "predict.log"
    log = FunctionLog(path, max_bytes=200, clock=lambda: MOMENT)
    for number in range(30):
        log.write(7, f"line {number}")
    log.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(p.name for p in path.parent.iterdir()) == ["predict.log", "predict.log.1", "predict.log.2"]
    assert list(tail(path, 1, follow=False)) == ["2026-01-02T03:04:05.678Z [7] line 29"]
    assert all(p.stat().st_size <= 200 for p in path.parent.iterdir())


def test_a_missing_log_is_empty(tmp_path: Path) -> None:
    assert list(tail(tmp_path / "none", 5, follow=False)) == []


def test_following_waits_for_the_file_and_goes_on_across_rotations(tmp_path: Path) -> None:
    path = tmp_path / "predict.log"
    lines = tail(path, 5, follow=True)
    log = FunctionLog(path, max_bytes=80, clock=lambda: MOMENT)
    seen = []
    for number in range(6):
        timer = threading.Timer(0.05, log.write, (1, f"line {number}"))
        timer.start()
        seen.append(next(lines).rpartition("] ")[2])
        timer.join()
    log.close()
    assert seen == [f"line {number}" for number in range(6)]
