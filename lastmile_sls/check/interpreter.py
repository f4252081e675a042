"""The interpreter that a bundle is to run on: what it is, and one like it that has the standard library alone."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lastmile_sls.errors import LastmileError

_TIMEOUT_S = 60.0
_PACKAGES = "site-packages"
_PROBE = """
import _imp, json, os, sys, sysconfig
facts = {
    "version": list(sys.version_info[:3]),
    "cache_tag": sys.implementation.cache_tag,
    "base": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
    "library": os.path.dirname(os.path.realpath(os.__file__)),
    "packages": sysconfig.get_path("purelib"),
    "extension_suffixes": _imp.extension_suffixes(),
    "standard_library": sorted(sys.stdlib_module_names | set(sys.builtin_module_names)),
}
print(json.dumps(facts))
"""


@dataclass(frozen=True)
class Interpreter:
    """An interpreter, and what it told of itself."""

    path: Path
    """The interpreter itself, behind any virtual environment."""
    version: tuple[int, int, int]
    cache_tag: str
    """What its bytecode files are named by, such as `cpython-313`."""
    extension_suffixes: tuple[str, ...]
    """How the extension modules end that it loads."""
    standard_library: frozenset[str]
    """The top-level modules of the standard library."""
    library: Path
    """Where the standard library is."""
    packages: Path
    """Where its own packages are, which functions of the local target find, and of the clouds do not."""

    @property
    def minor(self) -> str:
        """Its version without the patch, such as `3.13`."""
        return f"{self.version[0]}.{self.version[1]}"


@cache
def probe(path: Path) -> Interpreter:
    """Ask an interpreter what it is, once. Raises LastmileError when it cannot be run, or is no CPython from 3.11 on."""
    try:
        done = subprocess.run(
            [str(path), "-I", "-c", _PROBE], capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = error.strerror if isinstance(error, OSError) else f"no answer within {_TIMEOUT_S:g} s"
        raise LastmileError(
            f"{path} cannot be run: {why}.", "Name a Python interpreter of the function's version."
        ) from error
    try:
        facts = json.loads(done.stdout)
        version = tuple(facts["version"])
    except (ValueError, LookupError, TypeError):
        told = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        raise LastmileError(
            f"{path} is no Python interpreter that functions run on: {told}.",
            "Name a CPython from 3.11 on.",
        ) from None
    if version < (3, 11):
        found = ".".join(map(str, version))
        raise LastmileError(f"{path} is Python {found}, but functions run on 3.11 or newer.", "Name another.")
    return Interpreter(
        path=Path(facts["base"]),
        version=version,
        cache_tag=facts["cache_tag"],
        extension_suffixes=tuple(facts["extension_suffixes"]),
        standard_library=frozenset(facts["standard_library"]),
        library=Path(facts["library"]),
        packages=Path(facts["packages"]),
    )


def isolate(interpreter: Interpreter, folder: Path) -> Path:
    """Make an interpreter in a folder that finds the standard library alone, as a function's does; return its path.

    What a developer has installed would hide what a bundle lacks, and cost time that a function does not spend. The
    folder is its home, with links to the standard library: behind a virtual environment, `python -S` would still have
    the packages of the interpreter that it was made from in `sys.prefix`.
    """
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(interpreter.path)
    library = folder / "lib" / f"python{interpreter.minor}"
    (library / _PACKAGES).mkdir(parents=True)
    for path in interpreter.library.iterdir():
        if path.name not in (_PACKAGES, "dist-packages"):
            (library / path.name).symlink_to(path)
    (folder / "pyvenv.cfg").write_text(
        f"home = {python.parent}\ninclude-system-site-packages = false\n"
        f"version = {'.'.join(map(str, interpreter.version))}\n"
    )
    return python
