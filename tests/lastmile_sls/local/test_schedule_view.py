"""A schedule of this machine, seen from outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lastmile_runtime.batch.progress import FileState
from lastmile_sls.errors import LastmileError
from lastmile_sls.local.resources.schedule import Past, write_past
from lastmile_sls.local.schedule_view import LocalScheduleView
from lastmile_sls.schedule_view import ScheduleStatus, status_document, status_lines
from tests.lastmile_sls.local.conftest import World, wait_until
from tests.lastmile_sls.local.later import Later

BATCH = {"input": "batch/in", "output": "batch/out", "format": "csv"}


def test_what_there_is_without_a_schedule_and_a_host(world: World) -> None:
    view = LocalScheduleView(world.place(), "schedule")
    with pytest.raises(LastmileError) as caught:
        view.status()
    assert caught.value.message == "demo-dev has no schedule 'schedule'; its schedules are none."
    assert caught.value.hint == "schedule in the spec makes one."
    world.apply("queue", "jobs", maxAttempts=3, visibilityTimeoutS=60)
    world.apply("schedule", "schedule", queue="jobs", cron="0 6 * * *", message='{"kind": "batch"}')
    with pytest.raises(LastmileError, match=r"^no function of demo-dev scores files\."):
        view.status()
    with pytest.raises(LastmileError, match=r"^demo-dev does not run, so nothing would score the files\."):
        view.run()
    assert view.is_idle()


def test_files_are_scored_by_the_host_and_its_function(world: World) -> None:
    source = "class Model:\n    def predict(self, inputs):\n        return {'sum': [sum(row) for row in inputs['x']]}\n"
    later = Later(world, source)
    world.apply("schedule", "schedule", queue="jobs", cron="0 6 * * *", message='{"kind": "batch"}')
    write_past(world.place(), "schedule", Past("0 6 * * *", "2100-01-01T00:00:00Z"))
    later.serve(batch=BATCH)
    folder = world.place().root / "buckets" / "state" / "batch"
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "a.csv").write_text("l,r\n1,2\nx,3\n")
    view = LocalScheduleView(world.place(), "schedule")
    assert view.status() == ScheduleStatus(
        "schedule", "0 6 * * *", (folder / "in").as_uri(), (folder / "out").as_uri(), "csv", "2100-01-01T06:00:00Z", None,
        (FileState("a.csv", "waiting"),),
    )  # fmt: skip
    view.run()
    wait_until(lambda: view.status().files[0].state == "done")
    wait_until(view.is_idle)
    status = view.status()
    (part,) = (folder / "out" / "a.csv").glob("part-*")
    assert part.read_text() == "l,r,sum\n1,2,3\n"
    assert json.loads((folder / "out" / "a.csv" / "_SUCCESS").read_text())["digest"] == world.digest
    log = (world.place().logs / "predict.log").read_text()
    assert '"event": "batch file", "file": "a.csv", "rows": 2, "predicted": 1, "failed": 1, "parts": 1' in log
    document = status_document(status)
    assert document["counts"] == {"waiting": 0, "under_way": 0, "done": 1, "failed": 0}
    assert document["files"][0]["failed"] == 1
    assert json.loads(json.dumps(document)) == document
    with pytest.raises(LastmileError) as caught:
        LocalScheduleView(world.place(), "other").run()
    assert caught.value.message == "demo-dev has no schedule 'other'; its schedules are schedule."


def test_what_people_are_shown() -> None:
    files = (
        FileState("a.csv", "done", 1, 1, 5, 0), FileState("b.csv", "done", 1, 1, 5, 2), FileState("c.csv", "waiting"),
        FileState("d.csv", "under way", None, 0), FileState("e.csv", "under way", 7, 3),
        FileState("f.csv", "failed", reason="it is empty."),
    )  # fmt: skip
    status = ScheduleStatus("schedule", "0 6 * * *", "file:///in", "file:///out", "csv", None, None, files)
    assert status_lines(status) == [
        "schedule schedule",
        "  next       never  (cron 0 6 * * *, UTC)",
        "  last       not yet",
        "  input      file:///in  (csv)",
        "  output     file:///out",
        "  files      1 waiting, 2 under way, 2 done, 1 failed",
        "    ✓ a.csv  5 rows",
        "    ✓ b.csv  5 rows, 2 of them in _errors",
        "      c.csv  waiting",
        "    … d.csv  0 of ? parts",
        "    … e.csv  3 of 7 parts",
        "    ✗ f.csv  it is empty.",
    ]


def test_another_bucket_may_be_named(tmp_path: Path, world: World) -> None:
    later = Later(world)
    elsewhere = (tmp_path / "elsewhere").as_uri()
    world.apply("schedule", "schedule", queue="jobs", cron="0 6 * * *", message="{}")
    later.function(batch={**BATCH, "input": elsewhere})
    assert LocalScheduleView(world.place(), "schedule").status().input == elsewhere
