"""How the user can call this very command again, for the lines that we suggest to paste."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path


def invocation(command: str, spec_path: Path | None = None) -> str:
    """Return a shell line that calls `lastmile` from the working folder, on PATH or not.

    Args:
        command: The sub-command.
        spec_path: The spec that the user named, repeated in the line.
    """
    words = [_program(), command]
    if spec_path is not None:
        words += ["-f", str(spec_path)]
    return " ".join(shlex.quote(word) for word in words)


def _program() -> str:
    here = Path(sys.argv[0]).absolute()
    on_path = shutil.which("lastmile")
    if on_path and Path(on_path).resolve() == here.resolve():
        return "lastmile"
    relative = os.path.relpath(here)
    return relative if not relative.startswith("../..") else str(here)
