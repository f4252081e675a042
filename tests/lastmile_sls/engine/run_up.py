"""Runs `up` in a process of its own, to be killed: `python -m ... KIND HOME PROJECT`."""

from __future__ import annotations

import sys
from pathlib import Path

from lastmile_sls.engine.interface import Event, Program
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.engine.conftest import make_engine


def main(kind: str, home: str, project: str) -> int:
    def show(event: Event) -> None:
        print(event.kind, event.operation, event.name, event.message, flush=True)

    try:
        make_engine(kind, Path(home)).up(Program(Path(project), "world", "test"), show)
    except LastmileError as error:
        print(f"error: {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
