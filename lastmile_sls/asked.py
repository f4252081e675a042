"""What the user asks for on the command line: which spec, which target."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.document import Target

SPEC_FILE = "lastmile.yaml"


def find_spec(path: Path | None) -> Path:
    """Return the spec file: the one given, or `lastmile.yaml` in the working folder."""
    found = path or Path(SPEC_FILE)
    if found.is_dir():
        found = found / SPEC_FILE
    if not found.exists():
        where = f"{found} is not there." if path else f"there is no {SPEC_FILE} in {Path.cwd()}."
        raise LastmileError(where, "Name one with --spec, or write one: lastmile init MODEL")
    return found


def as_target(name: str) -> Target:
    """Return the target of that name. Raises LastmileError when there is none."""
    if name not in get_args(Target):
        raise LastmileError(f"target is {name!r}, but must be one of {', '.join(get_args(Target))}.")
    return cast("Target", name)
