"""Runs the `lastmile` command as a user does, in a folder and a home of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from tests.ports import free_port

PLACES: dict[str, Any] = {
    "aws": {"region": "eu-west-1"},
    "gcp": {"project": "acme-models", "region": "europe-west1"},
    "azure": {"location": "westeurope"},
}
"""What each cloud must know of a spec."""

LASTMILE = Path(sys.executable).with_name("lastmile")
DOUBLER = """
class Doubler:
    def predict(self, inputs):
        return {"doubled": [[2 * value for value in row] for row in inputs["x"]]}
"""
TRIPLER = DOUBLER.replace("2 *", "3 *")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    document: Any


@dataclass(frozen=True)
class Workspace:
    """A spec's folder, and a home in which its deployments live."""

    folder: Path
    home: Path
    port: int
    """Its own, because tests run beside each other."""

    def environ(self) -> dict[str, str]:
        # A user's own Pulumi settings must not reach the tests.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "LASTMILE_"))}
        return {
            **inherited,
            "LASTMILE_HOME": str(self.home),
            "LASTMILE_CACHE": str(self.home.with_name("cache")),
        }

    def run(
        self, *words: str, check: bool = True, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        run = subprocess.run(
            [str(LASTMILE), *words],
            cwd=self.folder,
            env={**self.environ(), **(environ or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or run.returncode == 0, run.stdout + run.stderr
        return run

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json").stdout)

    def fails(self, *words: str) -> str:
        """Run a command that must fail as a user's mistake does; return what it told."""
        run = self.run(*words, check=False)
        assert run.returncode == 1, run.stdout + run.stderr
        assert "Traceback" not in run.stderr
        return run.stderr

    def write_spec(self, **changes: Any) -> None:
        spec: dict[str, Any] = {
            "name": "doubler",
            "owner": "test-team",
            "cost_center": "cc-1",
            "versions": [
                {"id": "v1", "artifact": "doubler.py", "framework": "python", "entry": "Doubler"},
                {"id": "v2", "artifact": "tripler.py", "framework": "python", "entry": "Doubler"},
            ],
            "traffic": {"champion": "v1"},
            "targets": {"local": {"port": self.port}},
        }
        spec |= changes
        given = spec["targets"] or {}
        places = {name: {**place, **given.get(name, {})} for name, place in PLACES.items()}
        spec["targets"] = {**given, **places}
        text = yaml.safe_dump({k: v for k, v in spec.items() if v is not None}, sort_keys=False)
        (self.folder / "lastmile.yaml").write_text(text)

    def predict(self, headers: Mapping[str, str] | None = None, path: str = "infer") -> Answer:
        """Ask the deployment to double 1 and 2.5, with its key."""
        url, key = self.run("url").stdout.strip(), self.run("key").stdout.strip()
        return ask(f"{url}/v2/models/doubler/{path}", {"x-api-key": key, **(headers or {})}, INFERENCE)

    def host_pid(self) -> int:
        return int(self.json("status")["host_pid"])

    def clean_up(self) -> None:
        """End every process that the test left."""
        for process in psutil.process_iter(["cmdline"]):
            with contextlib.suppress(psutil.Error):
                if any(str(self.home) in word for word in process.info["cmdline"] or ()):
                    process.kill()


INFERENCE = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2.5]}]}


def ask(url: str, headers: Mapping[str, str], document: Any) -> Answer:
    data = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(url, data=data, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return Answer(response.status, dict(response.headers), json.load(response))
    except urllib.error.HTTPError as error:
        return Answer(error.code, dict(error.headers), json.load(error))


@contextlib.contextmanager
def workspace(root: Path) -> Iterator[Workspace]:
    made = Workspace(root / "work", root / "home", free_port())
    made.folder.mkdir()
    (made.folder / "doubler.py").write_text(DOUBLER)
    (made.folder / "tripler.py").write_text(TRIPLER)
    made.write_spec()
    try:
        yield made
    finally:
        made.clean_up()
