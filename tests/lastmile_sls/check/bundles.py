"""Bundles to check, as the builder makes them, and questions to them."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from lastmile_sls.bundle.bytecode import compile_bundle
from lastmile_sls.check.answers import Question
from lastmile_sls.check.run import Run
from tests.lastmile_runtime.adapters.process import copy_runtime
from tests.lastmile_runtime.bundles import DOUBLER, matrix, python_bundle, routing

# Notes its process, and its port, in a file that the environment names.
NOTES = """
import os, pathlib
note = {"pid": os.getpid(), "port": os.environ.get("PORT"), **globals().get("more", {})}
pathlib.Path(os.environ["NOTES"]).write_text(__import__("json").dumps(note))
"""


def make_runtime(folder: Path, interpreter: str = sys.executable) -> Path:
    """Make a folder that has the runtime, compiled, and no model; return it.

    The native evaluator is left out: plain classes do not need it, and every check would compress it.
    """
    copy_runtime(folder)
    shutil.rmtree(folder / "lastmile_runtime" / "native", ignore_errors=True)
    compile_bundle(folder, interpreter)
    return folder


class Bundle:
    """A bundle of plain classes, and how it is run."""

    def __init__(self, folder: Path, runtime: Path, source: str = DOUBLER, *ids: str) -> None:
        self.folder = folder
        self.ids = ids or ("v1",)
        shutil.copytree(runtime, folder)
        self.digest = python_bundle(folder, source, self.ids)
        self.notes = folder.with_name(f"{folder.name}.notes")

    def run(self, target: Any = "local", **changes: Any) -> Run:
        """Return a run of it with the interpreter of the tests; AWS's own client needs to be asked for."""
        if target == "aws":
            changes.setdefault("contracts", ("aws bootstrap",))
        known: dict[str, Any] = {
            "target": target,
            "folder": self.folder,
            "digest": self.digest,
            "interpreter": Path(sys.executable),
            "memory_mb": 512,
            "timeout_s": 20.0,
            "routing": routing(**{id_: 10_000 * (id_ == self.ids[0]) for id_ in self.ids}),
            "environment": {"NOTES": str(self.notes)},
            "startup_s": 20.0,
        }
        return Run(**{**known, **changes})

    def noted(self) -> dict[str, Any]:
        """Return what NOTES wrote."""
        found: dict[str, Any] = json.loads(self.notes.read_text())
        return found


def question(*row: float, version: str = "v1", off: float = 0.0) -> Question:
    """Return a question to DOUBLER, and the right answer plus `off`."""
    doubled = matrix([[2 * value + off for value in row]], "doubled")
    return Question(version, [matrix([[float(value) for value in row]])], [doubled])
