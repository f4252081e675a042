"""Counts instructions, which other load does not change: `.venv/bin/python bench/instructions.py [--update]`.

Of (a) the start up to the first prediction and (b) 1000 warm predictions through `application.handle`, over those of an
interpreter that does nothing, under valgrind. Compared with bench/instructions.json: ends with 1 when one of them crept
up by more than the tolerance, with 2 when there is nothing to compare with; --update writes the file.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BASELINE = ROOT / "bench/instructions.json"
TOLERANCE = 0.03
SAME_INTERPRETER = 0.01
"""Two builds of one interpreter differ by more in doing nothing."""
WARM = 1000
CHILD = """
import os, sys
sys.path.insert(0, sys.argv[1])
from lastmile_runtime.http import Request
from lastmile_runtime.startup import start
from lastmile_runtime.telemetry import Log
application = start(os.environ, Log("predict", lambda line: None), keeps_running=False)
headers = {"content-type": "application/json", "x-user-id": "user-1"}
body = sys.argv[2].encode()
for _ in range(int(sys.argv[3])):
    response = application.handle(Request("POST", "/v2/models/bench/infer", dict(headers), body))
assert response.status == 200, response.body
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--update", action="store_true", help="write the baseline of this interpreter")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        print("valgrind is not there. Install it: apt-get install valgrind", file=sys.stderr)
        return 2
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        found = count(Path(folder))
    baselines: dict[str, dict[str, int]] = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    if options.update:
        baselines[interpreter()] = found
        BASELINE.write_text(json.dumps(baselines, indent=2, sort_keys=True) + "\n")
    baseline = baselines.get(interpreter())
    print(json.dumps({"found": found, "baseline": baseline}) if options.json else table(found, baseline))
    return verdict(found, baseline)


def interpreter() -> str:
    """Return what a baseline is good for."""
    return f"{platform.python_implementation()} {platform.python_version()} {platform.machine()}"


def count(folder: Path) -> dict[str, int]:
    """Return the instructions of an idle interpreter, of a start and of warm predictions."""
    from bench.workshop import Workshop

    workshop = Workshop(folder)
    bundle = workshop.bundle("python", 1)
    environ = {**workshop.environ(PYTHONHASHSEED="0"), **bundle.environ("")}
    arguments = [str(bundle.folder), workshop.request(bundle).decode()]
    idle = instructions(["pass"], environ)
    first = instructions([CHILD, *arguments, "1"], environ)
    warm = instructions([CHILD, *arguments, str(WARM + 1)], environ)
    return {
        "idle interpreter": idle,
        "first prediction": first - idle,
        f"{WARM} warm predictions": warm - first,
    }


def instructions(arguments: list[str], environ: dict[str, str]) -> int:
    """Return how many instructions Python executes for `-c` and its arguments."""
    tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    # -S and -P, not -I: that one ignores PYTHONHASHSEED.
    command = [*tool, sys.executable, "-S", "-P", "-c", *arguments]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if done.returncode or not found:
        sys.exit(f"valgrind ended with {done.returncode}: {done.stderr[-2000:]}")
    return int(found[1].replace(",", ""))


def is_other_build(found: dict[str, int], baseline: dict[str, int]) -> bool:
    """Tell whether the baseline is of another build of the interpreter."""
    expected = baseline["idle interpreter"]
    return abs(found["idle interpreter"] - expected) > SAME_INTERPRETER * expected


def verdict(found: dict[str, int], baseline: dict[str, int] | None) -> int:
    """Return 0 when nothing crept up, 1 when something did, 2 when that cannot be told."""
    if baseline is None or is_other_build(found, baseline):
        print(
            f"instructions.json has no baseline of this build of {interpreter()}. Write it: "
            "python bench/instructions.py --update",
            file=sys.stderr,
        )
        return 2
    crept = [name for name, value in found.items() if value > (1 + TOLERANCE) * baseline[name]]
    for name in crept:
        change = found[name] / baseline[name] - 1
        print(
            f"{name}: {found[name]} instructions, {change:+.1%} over the baseline's {baseline[name]}; at most "
            f"+{TOLERANCE:.0%} is. Find what was added, or accept it: python bench/instructions.py --update",
            file=sys.stderr,
        )
    return int(bool(crept))


def table(found: dict[str, int], baseline: dict[str, int] | None) -> str:
    """Return the counts as Markdown."""
    lines = [f"| {interpreter()} | million instructions | to the baseline |", "|---|---|---|"]
    for name, value in found.items():
        change: Any = f"{value / baseline[name] - 1:+.1%}" if baseline else "-"
        lines.append(f"| {name} | {value / 1e6:.1f} | {change} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
