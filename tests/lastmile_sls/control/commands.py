"""Types a command of `lastmile` in this process, so that fakes of clouds can be put under it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.cli import main


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Typist:
    """Whoever types commands, in a folder with a stack's outputs."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]) -> None:
        self._patch = patch
        self._captured = captured
        self.outputs_file = folder / "outputs.json"
        patch.chdir(folder)

    def write_outputs(self, outputs: dict[str, Any]) -> None:
        self.outputs_file.write_text(json.dumps(outputs))

    def run(self, *words: str) -> Ran:
        """Run a command; its exit code, and what it printed without colours."""
        self._patch.setattr(sys, "argv", ["lastmile", *words])
        self._captured.readouterr()
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        told = self._captured.readouterr()
        return Ran(code, _plain(told.out), _plain(told.err))

    def ask(self, command: str, *words: str) -> Ran:
        """Run a command on the deployment of the outputs."""
        return self.run(*command.split(), "--outputs", str(self.outputs_file), *words)


def _plain(text: str) -> str:
    import click

    return click.unstyle(text)
