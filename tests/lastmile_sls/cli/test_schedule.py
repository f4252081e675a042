"""`lastmile schedule` on this machine: files are scored when the clock says so, and now."""

from __future__ import annotations

import json
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.lastmile_sls.commands import Workspace

SCHEDULE = {"cron": "0 6 1 1 *", "input": "batch/in", "output": "batch/out"}


SUMS = """
class Sums:
    def predict(self, inputs):
        return {"sum": [a + b for a, b in zip(inputs["a"], inputs["b"])]}
"""
SPEC = {
    "versions": [{"id": "v1", "artifact": "sums.py", "framework": "python", "entry": "Sums"}],
    "schedule": SCHEDULE,
}


def deployed(work: Workspace) -> tuple[Path, Path]:
    """A deployment with a schedule; its input and output folders."""
    (work.folder / "sums.py").write_text(SUMS)
    work.write_spec(**SPEC)
    up = work.json("up")
    assert up["outputs"]["schedule"] == "schedule"
    status = work.json("schedule", "status")
    folders = Path(urlsplit(status["input"]).path), Path(urlsplit(status["output"]).path)
    folders[0].mkdir(parents=True)
    return folders


def test_files_are_scored_now_and_when_they_are_due(work: Workspace) -> None:
    input_, output = deployed(work)
    (input_ / "a.csv").write_text("a,b\n1,2\n3,x\n")
    (input_ / "b.csv").write_text("")
    told = work.fails("schedule", "run")
    assert "  ✓ a.csv  2 rows, 1 of them in _errors\n  ✗ b.csv  it is empty;" in told
    assert (
        "error: b.csv cannot be scored.\nhint: _FAILED beside it says why; a changed file is tried again."
        in told
    )
    (part,) = (output / "a.csv").glob("part-*")
    assert part.read_text() == "a,b,sum\n1,2,3\n"
    (input_ / "b.csv").write_text("a,b\n5,6\n")
    run = work.json("schedule", "run")
    assert run["counts"] == {"waiting": 0, "under_way": 0, "done": 2, "failed": 0}
    assert [(file["name"], file["rows"], file["failed"]) for file in run["files"]] == [
        ("a.csv", 2, 1),
        ("b.csv", 1, 0),
    ]
    year = time.gmtime().tm_year + 1
    shown = work.run("schedule", "status").stdout.splitlines()
    assert shown[0] == "schedule schedule"
    assert shown[1] == f"  next       {year}-01-01T06:00:00Z  (cron 0 6 1 1 *, UTC)"
    assert shown[2] == f"  last       {run['last_at']}"
    assert shown[5:] == [
        "  files      2 done",
        "    ✓ a.csv  2 rows, 1 of them in _errors",
        "    ✓ b.csv  1 rows",
    ]
    check_the_clock(work, input_, output)


def check_the_clock(work: Workspace, input_: Path, output: Path) -> None:
    """What was due while the machine slept is done when it is back."""
    (input_ / "c.csv").write_text("a,b\n7,8\n")
    (past,) = work.home.glob("local/doubler-dev/schedules/schedule.json")
    work.run("up")  # nothing is due
    assert not (output / "c.csv").exists()
    document = json.loads(past.read_text())
    past.write_text(json.dumps({**document, "counted_to": "2020-01-01T00:00:00Z"}))
    work.write_spec(**SPEC, resources={"memory_mb": 600})
    work.run("up")  # the host takes the records up, and looks what is due
    deadline = time.monotonic() + 20
    while not (output / "c.csv" / "_SUCCESS").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert json.loads(past.read_text())["counted_to"] > "2026"
