"""Measures what is built: how large, and how long it takes beside `pip install -t` and zip.

Run it as `.venv/bin/python bench/build.py [--rounds 5]`. For AWS Lambda, Python 3.13, x86_64, the same wheels on both
sides. Caches are warm: pip's wheels, and lastmile's. Each round builds into empty folders. Needs zip, and what `make test`
installs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LASTMILE = Path(sys.executable).with_name("lastmile")
PYTHON = "3.13"
PLATFORMS = (
    "manylinux_2_34_x86_64",
    "manylinux_2_28_x86_64",
    "manylinux_2_27_x86_64",
    "manylinux2014_x86_64",
)
TRAIN = """
import sys, joblib, numpy as np
from pathlib import Path
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.naive_bayes import GaussianNB
folder = Path(sys.argv[1])
random = np.random.default_rng(0)
rows = random.normal(size=(2000, 30))
labels = (rows[:, 0] * rows[:, 1] + rows[:, 2] > 0).astype(int)
joblib.dump(GradientBoostingClassifier(n_estimators=200, max_depth=4).fit(rows, labels), folder / "trees.joblib")
joblib.dump(GaussianNB().fit(rows, labels), folder / "bayes.joblib")
"""
KINDS = {
    "compiled trees": ("trees.joblib", True, 5),
    "ONNX": ("bayes.joblib", True, 140),
    "scikit-learn as it is": ("trees.joblib", False, 250),
}
"""The model, whether it is compiled, and the most that the bundle may take (MB)."""
FASTER, UNCHANGED_S = 5, 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        subprocess.run([sys.executable, "-c", TRAIN, str(folder)], check=True)
        environ = {
            **os.environ,
            "LASTMILE_CACHE": str(folder / "cache"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        write = sys.stdout.write
        write(
            "| bundle | ours, MB | pip, MB | limit, MB | | ours, s | pip and zip, s | ratio | | unchanged, s | |\n"
        )
        write("|---|---|---|---|---|---|---|---|---|---|---|\n")
        for name, (model, is_compiled, limit) in KINDS.items():
            work = folder / model.partition(".")[0] / str(is_compiled)
            write(measure(name, work, folder / model, is_compiled, limit, environ, options.rounds))


def measure(
    name: str, work: Path, model: Path, is_compiled: bool, limit: int, environ: dict[str, str], rounds: int
) -> str:
    """Return a row of the table."""
    work.mkdir(parents=True)
    shutil.copy(model, work)
    requirements = work / "requirements.txt"

    def ours(number: int) -> None:
        spec = {
            "name": "bench",
            "environment": f"e{number}",
            "owner": "bench",
            "cost_center": "bench",
            "versions": [
                {"id": "v1", "artifact": model.name, "framework": "sklearn", "compiled": is_compiled}
            ],
            "bundle": {"python": PYTHON},
            "resources": {"processor": "x86_64"},
        }
        (work / "lastmile.yaml").write_text(json.dumps(spec))
        run([str(LASTMILE), "build", "--target", "aws"], work, environ)

    def pip(number: int) -> None:
        target = work / f"pip-{number}"
        platforms = [word for platform in PLATFORMS for word in ("--platform", platform)]
        options = ["--python-version", PYTHON, "--only-binary", ":all:", *platforms]
        run(
            [
                *(sys.executable, "-m", "pip", "install", "-q"),
                *options,
                "-t",
                str(target),
                "-r",
                str(requirements),
            ],
            work,
            environ,
        )
        shutil.copy(model, target)
        run(["zip", "-q", "-r", str(work / f"pip-{number}.zip"), "."], target, environ)

    requirements.write_text(f"scikit-learn=={version('scikit-learn')}\njoblib=={version('joblib')}\n")
    ours(0)
    pip(0)
    taken: dict[str, list[float]] = {"ours": [], "pip": [], "unchanged": []}
    for number in range(1, rounds + 1):
        taken["ours"].append(seconds(lambda n=number: ours(n)))
        taken["pip"].append(seconds(lambda n=number: pip(n)))
        taken["unchanged"].append(seconds(lambda n=number: ours(n)))
    built = statistics.median(taken["ours"])
    peer, again = statistics.median(taken["pip"]), statistics.median(taken["unchanged"])
    size, theirs = megabytes(work / ".lastmile/e1-aws/bundles/predict"), megabytes(work / "pip-1")
    return (
        f"| {name} | {size:.1f} | {theirs:.1f} | {limit} | {verdict(size <= limit)} | {built:.2f} | {peer:.2f} | "
        f"{peer / built:.1f}x of {FASTER}x | {verdict(peer >= FASTER * built)} | {again:.2f} | "
        f"{verdict(again <= UNCHANGED_S)} |\n"
    )


def run(command: list[str], folder: Path, environ: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")


def seconds(call: Callable[[], None]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def version(package: str) -> str:
    from importlib.metadata import version as version_of

    return version_of(package)


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def verdict(holds: bool) -> str:
    return "**met**" if holds else "**missed**"


if __name__ == "__main__":
    main()
