"""Finds a Python of the version that a function runs, on this machine: the bundle's bytecode is compiled with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lastmile_sls.bundle.dependencies.uv_process import find_uv, reason, shortened, without_secrets
from lastmile_sls.errors import LastmileError

Tell = Callable[[str], None]
TIMEOUT_S = 20
"""How long an interpreter may take to say what it is; a shim that hangs is none."""
_ASK = "import sys; v = sys.version_info; print(sys.implementation.name, '%d.%d' % v[:2], v[3])"


@dataclass(frozen=True)
class _Looked:
    """A place where an interpreter may be."""

    place: str
    path: Path | None
    why: str = "nothing there"
    """Why it is not used."""


def find_interpreter(
    version: str,
    *,
    download: bool = False,
    tell: Tell = lambda _: None,
    environ: Mapping[str, str] | None = None,
) -> Path:
    """Return the path of a CPython of a version such as `3.13`, which has been run and says that it is that.

    The one that runs this comes first, then what uv finds, what pyenv has behind its shims, and what is on PATH.

    Args:
        version: Two numbers.
        download: Whether uv may fetch one where none is found.
        tell: Told what is being done.
        environ: The environment's variables; by default this process's.

    Raises LastmileError when there is none; it lists where it was looked for.
    """
    environ = os.environ if environ is None else environ
    looked = []
    for candidate in _candidates(version, environ):
        refused = _refused(candidate, version, environ)
        if refused is None:
            assert candidate.path is not None
            return candidate.path
        looked.append(f"{candidate.place}: {refused}")
    if download:
        tell(f"fetching Python {version}")
        found, refused = _download(version, environ)
        if found:
            return found
        looked.append(f"uv python install {version}: {refused}")
    told = "".join(f"\n  {line}" for line in looked)
    raise LastmileError(
        f"No Python {version} was found, and the bundle's bytecode is compiled with one. Looked at:{told}",
        f"Install one (uv python install {version}, or pyenv install {version}), or write bytecode: none in the spec: "
        "then the function compiles its modules itself, at each cold start.",
    )


def _candidates(version: str, environ: Mapping[str, str]) -> Iterator[_Looked]:
    yield _Looked("the running Python", Path(sys.executable))
    path, why = _uv_python(["find", "--no-project", "--no-python-downloads", version], environ)
    yield _Looked("uv python find", path, why)
    root = _pyenv_root(environ)
    versions = sorted(root.glob(f"versions/{version}.*/bin/python{version}"), key=_patch, reverse=True)
    yield from (_Looked(f"pyenv ({found})", found) for found in versions)
    if not versions:
        yield _Looked(f"pyenv ({root})", None)
    name = f"python{version}"
    on_path = shutil.which(name, path=environ.get("PATH", os.defpath))
    yield _Looked(f"PATH ({on_path or name})", Path(on_path) if on_path else None)


def _patch(path: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", path.parents[1].name))


def _pyenv_root(environ: Mapping[str, str]) -> Path:
    if named := environ.get("PYENV_ROOT"):
        return Path(named)
    if pyenv := shutil.which("pyenv", path=environ.get("PATH", os.defpath)):
        run = _run([pyenv, "root"], environ)
        if run and run.returncode == 0 and run.stdout.strip():
            return Path(run.stdout.strip())
    return Path(environ.get("HOME") or Path.home()) / ".pyenv"


def _download(version: str, environ: Mapping[str, str]) -> tuple[Path | None, str]:
    """Let uv fetch an interpreter; return its path, or None and why there is none."""
    run = _run([find_uv(), "python", "install", "--no-bin", version], environ, timeout_s=None)
    if run is None or run.returncode:
        return None, shortened(reason(without_secrets(run.stderr))) if run else "uv cannot be run"
    path, why = _uv_python(["find", "--no-project", "--managed-python", version], environ)
    refused = _refused(_Looked("", path, why), version, environ)
    return (None, refused) if refused else (path, "")


def _uv_python(arguments: list[str], environ: Mapping[str, str]) -> tuple[Path | None, str]:
    run = _run([find_uv(), "python", *arguments], environ)
    if run is None:
        return None, "uv cannot be run"
    if run.returncode:
        return None, reason(run.stderr).partition(":")[0]
    return Path(run.stdout.strip()), ""


def _refused(looked: _Looked, version: str, environ: Mapping[str, str]) -> str | None:
    """Run an interpreter, and return why it cannot be used; None when it can."""
    if looked.path is None:
        return looked.why
    run = _run([str(looked.path), "-I", "-S", "-c", _ASK], environ)
    if run is None:
        return "it cannot be run"
    if run.returncode:
        return f"it ended with {run.returncode}: {_first_line(run.stderr)}"
    if run.stdout.split() != ["cpython", version, "final"]:
        return f"it is {run.stdout.strip() or 'silent'}"
    return None


def _run(
    command: list[str], environ: Mapping[str, str], timeout_s: float | None = TIMEOUT_S
) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(
            command,
            env={**environ, "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def _first_line(told: str) -> str:
    return next((line.strip() for line in told.splitlines() if line.strip()), "it said nothing")
