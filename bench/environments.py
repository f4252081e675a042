"""Virtual environments of the things that are compared, each with its own pinned packages, kept between runs."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
REQUIREMENTS = BENCH / "requirements"


class EnvironmentFailure(Exception):
    """Something that an entry needs and that could not be made; the message says why."""


def names() -> list[str]:
    """Return the names of all environments."""
    return sorted(path.stem for path in REQUIREMENTS.glob("*.txt"))


class Environments:
    """The environments below a folder, made on first use and again when their requirements change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "environments"
        self._folder.mkdir(parents=True, exist_ok=True)
        (folder / ".gitignore").write_text("*\n")
        self._failures: dict[str, str] = {}

    def python(self, name: str) -> Path:
        """Return an environment's interpreter. Raises EnvironmentFailure when it cannot be installed."""
        if name in self._failures:
            raise EnvironmentFailure(self._failures[name])
        requirements = REQUIREMENTS / f"{name}.txt"
        environment = self._folder / name
        stamp = hashlib.sha256(f"{sys.version}\n{requirements.read_text()}".encode()).hexdigest()
        marker = environment / ".stamp"
        if not marker.is_file() or marker.read_text() != stamp:
            print(f"==> installing the environment {name}", file=sys.stderr, flush=True)
            shutil.rmtree(environment, ignore_errors=True)
            try:
                self._install(environment, requirements)
            except EnvironmentFailure as failure:
                self._failures[name] = str(failure)
                raise
            marker.write_text(stamp)
        return environment / "bin/python"

    def _install(self, environment: Path, requirements: Path) -> None:
        _run([_uv(), "venv", "--quiet", "--python", sys.executable, str(environment)])
        # Nothing compiles bytecode while a clock runs: whoever ships a container or a zip has done so.
        install = [_uv(), "pip", "install", "--quiet", "--compile-bytecode", "--python", str(environment)]
        _run([*install, "-r", str(requirements)])


def site_packages(python: Path) -> Path:
    """Return where an environment's packages lie."""
    major, minor = sys.version_info[:2]
    return python.parents[1] / f"lib/python{major}.{minor}/site-packages"


def _uv() -> str:
    beside = Path(sys.executable).parent / "uv"
    return str(beside) if beside.is_file() else "uv"


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    except FileNotFoundError:
        raise EnvironmentFailure(
            "uv is not there. Run `make test` once, which installs it into .venv."
        ) from None
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise EnvironmentFailure(" ".join(lines[-3:]) or f"{command[0]} ended with {done.returncode}.")
