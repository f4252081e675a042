"""Measures this runtime beside others: `.venv/bin/python bench/run.py [--rounds 11] [--json] [NAME ...]`.

NAME is of cold_start, http_first_prediction, throughput, booster_throughput and batch; all by default. The first run
installs the peers below --folder (default .bench/ in the checkout), which later runs use again. Timings never fail it:
it ends with 0 when everything was measured, with 1 when an entry could not be.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("cold_start", "http_first_prediction", "throughput", "booster_throughput", "batch")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--json", action="store_true", help="print every sample instead of tables")
    parser.add_argument("--folder", type=Path, default=ROOT / ".bench")
    options = parser.parse_args()
    for name in set(options.names) - set(NAMES):
        parser.error(f"NAME is {name!r}, but must be one of {', '.join(NAMES)}.")
    if options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}, but must be at least 1.")
    sys.path.insert(0, str(ROOT))
    from bench.environments import EnvironmentFailure
    from bench.workshop import Workshop

    options.folder.mkdir(parents=True, exist_ok=True)
    workshop = Workshop(options.folder.resolve())
    reports = []
    for name in options.names or NAMES:
        try:
            report = importlib.import_module(f"bench.{name}").run(workshop, options.rounds)
        except EnvironmentFailure as failure:
            sys.exit(f"{name}: {failure}")
        reports.append(report)
        if not options.json:
            print(report.markdown(), flush=True)
    if options.json:
        print(json.dumps({"machine": machine(), "reports": [report.document() for report in reports]}))
    else:
        print(f"Measured on {machine()}.")
    return int(any(row.failure for report in reports for row in report.rows))


def machine() -> str:
    """Return what the figures were measured on."""
    revision = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    return (
        f"{cores} cores, {platform.system()} {platform.machine()}, CPython {platform.python_version()}, "
        f"revision {revision or 'unknown'}; load average {load:.1f} at the end"
    )


if __name__ == "__main__":
    sys.exit(main())
