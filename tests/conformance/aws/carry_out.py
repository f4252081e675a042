"""Runs a Pulumi program on the embedded engine with moto in AWS's place."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from lastmile_sls.delivery.image import Image
from lastmile_sls.engine.embedded.engine import EmbeddedEngine
from lastmile_sls.engine.embedded.providers import ProviderFactory
from lastmile_sls.engine.interface import Event, Program, Result
from lastmile_sls.provider.resource import ResourceType, State, Values
from lastmile_sls.provider.service import LastmileProvider
from tests.conformance.aws.account import Account
from tests.conformance.aws.moto_provider import Record


class World:
    """A program, an account, and the engine between them."""

    def __init__(
        self,
        account: Account,
        program: Program,
        stacks: Path,
        others: Mapping[str, ProviderFactory] | None = None,
    ) -> None:
        """Make nothing yet; `others` are the providers of the packages that the program uses beside `aws`."""
        self.record = Record(account, program.folder)
        self.program = program
        self.events: list[Event] = []
        self._engine = EmbeddedEngine(stacks, {"aws": self.record.provider, **(others or {})})

    def preview(self) -> Result:
        """Say what would be done."""
        return self._run(self._engine.preview)

    def up(self) -> Result:
        """Make what the program says, on moto."""
        return self._run(self._engine.up)

    def destroy(self) -> Result:
        """Remove it."""
        return self._run(self._engine.destroy)

    def state(self) -> dict[str, Any]:
        """Return the stack in Pulumi's deployment format, as `pulumi stack export` would."""
        return self._engine.export_state(self.program)

    def done(self) -> list[str]:
        """Return the steps of the last run that changed something, each as `operation type name`."""
        return [
            f"{event.operation} {event.type} {event.name}"
            for event in self.events
            if event.kind in ("done", "planned") and event.operation != "same"
        ]

    def _run(self, verb: Callable[[Program, Callable[[Event], Any]], Result]) -> Result:
        self.events = []
        return verb(self.program, self.events.append)


class _Sent(ResourceType):
    """An image that a registry would have now: moto has none that takes images."""

    schema = Image.schema

    def create(self, urn: str, inputs: Values) -> tuple[str, Values]:
        digest = f"sha256:{hashlib.sha256(str(inputs['digest']).encode()).hexdigest()}"
        made = {"reference": f"{inputs['repository']}@{digest}", "tag": digest[7:19], "image": digest}
        return made["reference"], {**inputs, **made}

    def update(self, urn: str, state: State, inputs: Values) -> Values:
        return self.create(urn, inputs)[1]

    def delete(self, state: State) -> None:
        """Leave it to its repository."""


class Delivery(LastmileProvider):
    """lastmile's own provider, whose documents go to moto; images go nowhere."""

    def __init__(self, account: Account, home: Path) -> None:
        super().__init__("embedded", home, account.environment())
        self._types |= {Image.schema.token: _Sent()}


def write_project(folder: Path, source: Path, config: Mapping[str, str], secrets: frozenset[str]) -> Program:
    """Make a project of a program's source; return it as engines take it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, folder / "__main__.py")
    runtime = {"name": "python", "options": {"virtualenv": sys.prefix}}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "sample", "runtime": runtime}))
    return Program(folder, "sample", "test", config, secrets)
