"""Files are scored while what scores them is killed again and again: every row comes out once, none is lost.

LASTMILE_ROWS says of how many rows.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.csv
import pyarrow.parquet
import pytest

from lastmile_sls.local import supervise
from lastmile_sls.local.resources import route
from lastmile_sls.local.schedule_view import LocalScheduleView
from tests.lastmile_sls.local.conftest import World, wait_until
from tests.lastmile_sls.local.later import Later
from tests.ports import free_port

SLOW = """
import time
class Model:
    def predict(self, inputs):
        time.sleep(len(inputs["x"]) / 20_000)
        if any(row[0] % 9_973 == 0 for row in inputs["x"]):
            raise ArithmeticError("out of luck")
        return {"sum": [row[0] + row[1] for row in inputs["x"]]}
"""
"""Takes so long that a file is of many parts, and cannot take every 9 973rd row."""
ROWS = int(os.environ.get("LASTMILE_ROWS", "100000"))
GROUPS = 10
"""Of a Parquet file's rows."""
UNLUCKY = 9_973
PATIENCE_S = 300.0
ATTEMPTS = 100
"""A killed worker takes the attempts of all that it had in hand, and this is about lost rows, not about failed ones."""

pytestmark = pytest.mark.conformance


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(route, "FIRST_PORT", free_port())
    made = World(tmp_path)
    try:
        yield made
    finally:
        made.end()


def write_input(folder: Path, format_: str) -> str:
    """Write a file of numbers, each with a text of its own; return its name."""
    table = pyarrow.table({"n": [float(n) for n in range(ROWS)], "half": [n / 2 for n in range(ROWS)]})
    name = f"numbers.{format_}"
    match format_:
        case "csv":
            with (folder / name).open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["n", "half"])
                writer.writerows([n, n / 2] for n in range(ROWS))
        case "jsonl":
            lines = (json.dumps({"x": [float(n), n / 2], "id": n}) for n in range(ROWS))
            (folder / name).write_text("\n".join(lines))
        case _:
            pyarrow.parquet.write_table(table, folder / name, row_group_size=ROWS // GROUPS)
    return name


def read_output(folder: Path, format_: str) -> Iterator[tuple[float, float]]:
    """Yield each row's number and what was predicted for it, as the parts have them."""
    for part in sorted(folder.glob("part-*")):
        match format_:
            case "csv":
                with part.open(newline="") as file:
                    yield from ((float(row["n"]), float(row["sum"])) for row in csv.DictReader(file))
            case "jsonl":
                found = map(json.loads, part.read_text().splitlines())
                yield from ((row["id"], row["sum"]) for row in found)
            case _:
                read = pyarrow.parquet.read_table(part)
                yield from zip(read.column("n").to_pylist(), read.column("sum").to_pylist(), strict=True)


def number_of(row: dict[str, Any], format_: str) -> float:
    return float(row["id"] if format_ == "jsonl" else row["n"])


@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet"])
def test_every_row_comes_out_once_whatever_is_killed(world: World, format_: str) -> None:
    later = Later(world, SLOW, attempts=ATTEMPTS)
    world.apply("schedule", "schedule", queue="jobs", cron="0 6 1 1 *", message='{"kind": "batch"}')
    batch = {"input": "in", "output": "out", "format": format_}
    later.serve(batch=batch, maxInstances=2, concurrency=2, memoryMb=512, timeoutS=4)
    folder = world.place().root / "buckets" / "state"
    (folder / "in").mkdir()
    name = write_input(folder / "in", format_)
    view = LocalScheduleView(world.place(), "schedule")
    view.run()
    kills = kill_until_done(world, view, random.Random(7))
    wait_until(view.is_idle, 60)
    output = folder / "out" / name
    lucky = [n for n in range(ROWS) if n % UNLUCKY]
    assert list(read_output(output, format_)) == [(n, n + n / 2) for n in lucky]
    errors = [
        json.loads(line)
        for path in sorted((output / "_errors").iterdir())
        for line in path.read_text().splitlines()
    ]
    assert [number_of(error["row"], format_) for error in errors] == list(range(0, ROWS, UNLUCKY))
    assert {error["reason"] for error in errors} == {
        "version 'v1' failed on this request: ArithmeticError: out of luck"
    }
    success = json.loads((output / "_SUCCESS").read_text())
    assert (success["rows"], success["failed"]) == (ROWS, len(errors))
    assert success["parts"] == len(list(output.glob("part-*"))) > 5
    assert list((output / "_work").iterdir()) == []
    assert kills > 5


def kill_until_done(world: World, view: LocalScheduleView, choose: random.Random) -> int:
    """Kill a worker, or now and then the host, after every few parts, until the file is done; return how often.

    Somewhere in a part, and not more often: a worker that is always killed gets nothing done.
    """
    place, kills, then = world.place(), 0, 2
    deadline = time.monotonic() + PATIENCE_S
    while (file := view.status().files[0]).state != "done":
        assert time.monotonic() < deadline, file
        time.sleep(choose.uniform(0.01, 0.2))
        if (file.kept or 0) < then:
            continue
        live = supervise.ask(place, "status") or {"functions": {}}
        pids = [i["pid"] for function in live["functions"].values() for i in function["instances"]]
        then = (file.kept or 0) + choose.randrange(4, 10)
        kills += 1
        if kills % 4 == 0:
            os.kill(world.host_pid(), signal.SIGKILL)
            wait_until(lambda: not supervise.is_running(place))
            supervise.ensure(place)
        elif pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(choose.choice(pids), signal.SIGKILL)
    return kills
