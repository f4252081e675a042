"""Import time over a bare interpreter, and size on disk, of every dependency: `python bench/imports.py`.

Medians of 15 runs, interleaved with the bare interpreter's. The figures in docs/dependencies.md are its output.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from importlib.metadata import files
from pathlib import Path

MODULES = {
    "click": "click",
    "fastapi": "fastapi",
    "packaging": "packaging.requirements",
    "prometheus-client": "prometheus_client",
    "psutil": "psutil",
    "pulumi": "pulumi",
    "obstore": "obstore.store",
    "pydantic": "pydantic",
    "pyjwt": "jwt",
    "pyyaml": "yaml",
    "uvicorn": "uvicorn",
    "duckdb": "duckdb",
}
RUNS = 15


def main() -> None:
    times: dict[str, list[float]] = {name: [] for name in ("", *MODULES)}
    for _ in range(RUNS):
        for name, seconds in times.items():
            seconds.append(measure(MODULES.get(name, "")))
    bare = statistics.median(times[""])
    print("| package | import over a bare interpreter, ms | on disk, MB |\n|---|---|---|")
    for name in MODULES:
        extra = (statistics.median(times[name]) - bare) * 1000
        print(f"| {name} | {extra:.0f} | {size_mb(name):.1f} |")


def measure(module: str) -> float:
    code = f"import {module}" if module else "pass"
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started


def size_mb(distribution: str) -> float:
    paths = [Path(str(file.locate())) for file in files(distribution) or ()]
    return sum(path.stat().st_size for path in paths if path.exists()) / 1e6


if __name__ == "__main__":
    main()
