from __future__ import annotations

import os
from pathlib import Path

from lastmile_sls.local.job_files import forget_old


def write(folder: Path, name: str, at: float) -> None:
    path = folder / name
    path.touch()
    os.utime(path, (at, at))


def test_a_job_is_forgotten_when_nothing_was_written_of_it_for_long(tmp_path: Path) -> None:
    for name, at in (
        ("old.json", 10), ("old.result.json", 20),
        ("answered.json", 10), ("answered.result.json", 90),
        ("waiting.json", 60), ("never.json", 10),
        ("orphan.result.json", 10), ("late.result.json", 60),
        (".half-x.json", 10), (".half-y.json", 60), (".lock", 10), ("other.txt", 10),
    ):  # fmt: skip
        write(tmp_path, name, at)
    assert forget_old(tmp_path, 50) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".half-y.json", ".lock", "answered.json", "answered.result.json", "late.result.json", "other.txt",
        "waiting.json",
    ]  # fmt: skip


def test_without_a_folder_there_is_nothing_to_forget(tmp_path: Path) -> None:
    assert forget_old(tmp_path / "none", 50) == 0
