"""The folder that the checking providers share: what was asked of them, and what stands."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clouds.wire import Record

VARIABLE = "LASTMILE_TEST_CLOUDS"


@dataclass(frozen=True)
class Call:
    """One thing that an engine asked of a provider."""

    verb: str
    """check, create, update, delete, configure or invoke."""
    type: str
    name: str
    urn: str
    inputs: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.verb} {self.type} {self.name}"


@dataclass(frozen=True)
class World:
    """What the providers of one test have made, in their own processes or in this one."""

    folder: Path

    @classmethod
    def of_environment(cls) -> World:
        return cls(Path(os.environ[VARIABLE]))

    @property
    def _log(self) -> Path:
        return self.folder / "calls.jsonl"

    def note(self, call: Call) -> None:
        """Write a call down, in one write, for several processes do so at once."""
        line = json.dumps([call.verb, call.type, call.name, call.urn, call.inputs]) + "\n"
        log = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(log, line.encode())
        finally:
            os.close(log)

    def calls(self, *verbs: str) -> list[Call]:
        """Return what was asked since the last `forget`, all of it or only the verbs named."""
        lines = self._log.read_text(encoding="utf-8").splitlines() if self._log.exists() else []
        calls = [Call(*json.loads(line)) for line in lines]
        return [call for call in calls if not verbs or call.verb in verbs]

    def forget(self) -> None:
        """Forget the calls; what was made stands."""
        self._log.unlink(missing_ok=True)

    def records(self) -> list[Record]:
        """Return each resource that was checked since the last `forget`, as it was last, by type and name."""
        last = {call.urn: call for call in self.calls("check", "configure")}
        records = [Record(c.type, c.name, c.inputs, parent_types(c.urn)) for c in last.values()]
        return sorted(records, key=lambda record: (record.type, record.name, record.parent))

    def standing(self) -> list[tuple[str, str]]:
        """Return type and id of everything that is there."""
        return sorted((made["type"], made["id"]) for made in self._made())

    def read(self, type_: str, id_: str) -> dict[str, Any] | None:
        """Return what was kept of a resource; None when it is not there."""
        path = self._path(type_, id_)
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def keep(self, type_: str, id_: str, inputs: dict[str, Any], generation: int) -> None:
        made = {"type": type_, "id": id_, "inputs": inputs, "generation": generation}
        self._path(type_, id_).write_text(json.dumps(made), encoding="utf-8")

    def drop(self, type_: str, id_: str) -> None:
        self._path(type_, id_).unlink(missing_ok=True)

    def drop_below(self, id_: str) -> None:
        """Drop what goes with a resource because its id is below that: in Azure's resource manager."""
        for made in list(self._made()):
            if made["id"].startswith(f"{id_}/"):
                self.drop(made["type"], made["id"])

    def _made(self) -> Iterator[dict[str, Any]]:
        for path in self.folder.glob("made-*.json"):
            with contextlib.suppress(FileNotFoundError):  # another call drops it meanwhile
                yield json.loads(path.read_text(encoding="utf-8"))

    def _path(self, type_: str, id_: str) -> Path:
        return self.folder / f"made-{hashlib.sha256(f'{type_} {id_}'.encode()).hexdigest()[:24]}.json"


def name_of(urn: str) -> str:
    return urn.split("::", 3)[3]


def type_of(urn: str) -> str:
    return urn.split("::", 3)[2].rsplit("$", 1)[-1]


def parent_types(urn: str) -> str:
    """Return the types of the components around a resource, outermost first, joined with `$`."""
    return urn.split("::", 3)[2].rpartition("$")[0]
