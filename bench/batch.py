"""Rows per second of a CSV file on disk, from the start of the process to the last prediction on disk; one core each."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.environments import BENCH, EnvironmentFailure
from bench.processes import running
from bench.results import Goal, Report, Row
from bench.rounds import interleave
from bench.workshop import Workshop, shown

NAME = "batch"
ROWS = 100_000
OURS = "ours, compiled trees"
PEER = "mlflow models predict"
STEADY = "rows per second of processor time"
GOALS = [Goal("ours to mlflow models predict", OURS, PEER, at_least=1)]
_PATIENCE_S = 600.0
_LOOK_S = 0.02


class Entry:
    """A command that scores the file, and how its first prediction is read."""

    def __init__(
        self, command: list[str], environ: dict[str, str], output: Path, read: Callable[[Path], float]
    ) -> None:
        self.command = command
        self.environ = environ
        self.output = output
        self.read = read


def run(workshop: Workshop, rounds: int) -> Report:
    """Measure both, interleaved."""
    folder = workshop.folder / "batch"
    write_input(workshop, folder / "in" / "rows.csv")
    pairs = [_ours(workshop, folder), _mlflow(workshop, folder)]
    rows = interleave(NAME, rounds, pairs, partial(sample, workshop))
    told = (
        f"{ROWS:,} rows of 30 numbers ({(folder / 'in/rows.csv').stat().st_size >> 20} MB), gradient boosting of 200 trees. "
        "From the start of the process to the last prediction on disk, each on one core; ours checks the contract and keeps "
        f"the input's columns beside both outputs. Interleaved rounds: {rounds}."
    )
    return Report("Batch scoring", "rows/s", OURS, rows, GOALS, told, STEADY, more_is_better=True)


def write_input(workshop: Workshop, file: Path) -> None:
    """Write rows near the held-out one, which is the first; the same each time."""
    draw, row = random.Random(0), workshop.row("sklearn")
    file.parent.mkdir(parents=True, exist_ok=True)
    low, high = float(workshop.facts["minimum"]), float(workshop.facts["maximum"])
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([f"x{index}" for index in range(len(row))])
        writer.writerow(row)
        for _ in range(ROWS - 1):
            writer.writerow([round(min(max(value * draw.uniform(0.8, 1.2), low), high), 6) for value in row])


def sample(workshop: Workshop, entry: Entry, row: Row) -> None:
    """Add a sample to an entry, or the reason why there is none."""
    shutil.rmtree(entry.output, ignore_errors=True)
    log = workshop.logs / f"{NAME}.log"
    started = time.perf_counter()
    try:
        core = max(os.sched_getaffinity(0))
        with running(entry.command, entry.environ, workshop.folder, log, core=core) as scoring:
            wait_for_end(scoring.process.pid, started + _PATIENCE_S)
            took_s = time.perf_counter() - started
        found = entry.read(entry.output)
    except (OSError, LookupError, ValueError, TimeoutError) as error:
        row.failure = f"{type(error).__name__}: {error}: {log.read_text(errors='replace')[-300:]}"
        return
    if abs(found - workshop.facts["probability"]) > 1e-5:
        row.failure = f"the first prediction is {found}, not {workshop.facts['probability']}."
        return
    row.samples.append(ROWS / took_s)
    row.details.setdefault(STEADY, []).append(ROWS / scoring.processor_s)


def wait_for_end(pid: int, deadline: float) -> None:
    """Wait until a process has ended; what it used is still to be asked for. Raises TimeoutError."""
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.perf_counter() > deadline:
            raise TimeoutError(f"it took more than {_PATIENCE_S:g} s.")
        time.sleep(_LOOK_S)


def _ours(workshop: Workshop, folder: Path) -> tuple[Entry, Row]:
    bundle = workshop.bundle("sklearn", 1)
    python = workshop.environments.python("ours")
    output = folder / "ours"
    command = [str(python), str(BENCH / "batch_worker.py"), str(folder / "in"), str(output)]
    environ = workshop.environ(**bundle.environ(""))
    row = Row(OURS, shown(command), "contract, digest check, telemetry, errors file, restart at each part")
    return Entry(command, environ, output, _read_ours), row


def _mlflow(workshop: Workshop, folder: Path) -> tuple[Entry, Row]:
    python = workshop.environments.python("mlflow")
    models, output = workshop.folder / "mlflow", folder / "mlflow"
    environ = workshop.environ(MLFLOW_DISABLE_TELEMETRY="true")
    if not (models / "sklearn").is_dir():
        save = [str(python), str(workshop.peers / "mlflow_save.py"), str(workshop.joblib), str(models)]
        done = subprocess.run(save, capture_output=True, text=True, check=False, env=environ)
        if done.returncode:
            raise EnvironmentFailure(f"mlflow cannot save the model: {done.stderr.strip()[-1000:]}")
    command = [
        *(str(python), "-m", "mlflow", "models", "predict", "-m", str(models / "sklearn"), "-t", "csv"),
        *(
            "-i",
            str(folder / "in" / "rows.csv"),
            "-o",
            str(output / "predictions.json"),
            "--env-manager",
            "local",
        ),
    ]
    inside = [
        sys.executable,
        "-c",
        f"import os; os.makedirs({str(output)!r}); os.execv({command[0]!r}, {command!r})",
    ]
    row = Row(
        PEER,
        "mlflow models predict -m MODEL -i rows.csv -o predictions.json -t csv --env-manager local",
        "nothing",
    )
    return Entry(inside, environ, output, _read_mlflow), row


def _read_ours(output: Path) -> float:
    folder = output / "rows.csv"
    success = json.loads((folder / "_SUCCESS").read_text())
    if (success["rows"], success["failed"]) != (ROWS, 0):
        raise ValueError(f"{success['rows']} rows, {success['failed']} failed")
    with min(folder.glob("part-*")).open(newline="") as stream:
        return float(next(csv.DictReader(stream))["predict_proba_1"])


def _read_mlflow(output: Path) -> float:
    predictions = json.loads((output / "predictions.json").read_text())["predictions"]
    if len(predictions) != ROWS:
        raise ValueError(f"{len(predictions)} predictions")
    return float(predictions[0][1])
