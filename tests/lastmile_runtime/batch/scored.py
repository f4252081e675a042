"""A folder that is scored by an application whose queue is a list, which the test works on."""

from __future__ import annotations

import json
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastmile_runtime.application import Application
from lastmile_runtime.batch.one_file import MOST_PIECE_BYTES
from lastmile_runtime.batch.work import Batch
from lastmile_runtime.manifest import Bundle, TensorSpec, Version
from lastmile_runtime.routing import FixedRouting
from lastmile_runtime.stores.file import FileStore
from lastmile_runtime.telemetry import Log
from tests.lastmile_runtime.bundles import DOUBLER, python_version, routing, write_bundle

if TYPE_CHECKING:
    from lastmile_runtime.stores import Store

SUMS = """
class Model:
    def predict(self, inputs):
        if any(value == 13 for value in inputs["a"]):
            raise ArithmeticError("thirteen")
        return {"sum": [a + b for a, b in zip(inputs["a"], inputs["b"])]}
"""
"""A model of two inputs, a and b, that cannot take a 13."""


def table_version(id_: str = "v1") -> Version:
    return Version(
        id_,
        "python",
        f"models/{id_}/model.py",
        "Model",
        inputs=[TensorSpec("a", "FP64", [-1]), TensorSpec("b", "FP64", [-1])],
    )


class ListQueue:
    """A queue as a list."""

    most_bytes = 1 << 18

    def __init__(self) -> None:
        self.messages: deque[bytes] = deque()

    def send(self, message: bytes, deadline_s: float) -> None:
        self.messages.append(message)


class Scored:
    """An input and an output folder, the application between them, and what it said."""

    def __init__(
        self, folder: Path, format_: str = "csv", source: str = SUMS, *, version: Version | None = None,
        piece_bytes: int = MOST_PIECE_BYTES, contract: dict[str, Any] | None = None, ids: tuple[str, ...] = ("v1",),
        stores: tuple[Store, Store] | None = None,
    ) -> None:  # fmt: skip
        self.input, self.output = folder / "in", folder / "out"
        self.input.mkdir(exist_ok=True)
        self.queue = ListQueue()
        self.events: list[dict[str, Any]] = []
        self.now = 1_800_000_000.0
        versions = [version or table_version(id_) for id_ in ids]
        files: dict[str, bytes | str] = {version.artifact: source for version in versions}
        self.bundle = folder / "bundle"
        self.digest = write_bundle(self.bundle, versions, files, contract)
        self.ids = ids
        self.batch = Batch(
            stores or (FileStore(str(self.input)), FileStore(str(self.output))),
            format_, self.queue, Log("predict", self._hear), 60, lambda: self.now, piece_bytes,
        )  # fmt: skip
        self.application = self.serving(routing(**{ids[0]: 10_000}))

    def serving(self, document: dict[str, Any]) -> Application:
        """The application, with this routing."""
        bundle = Bundle(str(self.bundle), self.digest)
        return Application(bundle, FixedRouting(document, list(self.ids)), batch=self.batch)

    def work(self, most: int | None = None) -> int:
        """Work on what is in the queue, and what comes meanwhile; return how many messages that were."""
        done = 0
        while self.queue.messages and done != most:
            self.application.work(self.queue.messages.popleft())
            done += 1
        return done

    def look(self) -> None:
        """Have the folder looked at, and everything done that follows."""
        self.application.scheduled()
        self.work()

    def told(self, event: str) -> list[dict[str, Any]]:
        """The events of a kind, without what every event has."""
        dropped = ("time", "function", "event")
        return [
            {name: value for name, value in found.items() if name not in dropped}
            for found in self.events
            if found.get("event") == event
        ]

    def parts(self, name: str) -> list[bytes]:
        """The file's parts in order."""
        return [path.read_bytes() for path in sorted((self.output / name).glob("part-*"))]

    def text(self, name: str) -> str:
        """The CSV of all parts, under one header."""
        first, *others = [part.decode() for part in self.parts(name)]
        return first + "".join(other.partition("\n")[2] for other in others)

    def errors(self, name: str) -> list[dict[str, Any]]:
        """The lines of the errors files in order."""
        paths = sorted((self.output / name / "_errors").glob("part-*"))
        return [json.loads(line) for path in paths for line in path.read_bytes().splitlines()]

    def success(self, name: str) -> dict[str, Any] | None:
        """What `_SUCCESS` says, None without it."""
        return self._said(name, "_SUCCESS")

    def failure(self, name: str) -> str | None:
        """The reason in `_FAILED`, None without it."""
        said = self._said(name, "_FAILED")
        return None if said is None else str(said["reason"])

    def _said(self, name: str, marker: str) -> dict[str, Any] | None:
        path = self.output / name / marker
        return json.loads(path.read_bytes()) if path.exists() else None

    def _hear(self, line: str) -> None:
        self.events.append(json.loads(line))


def matrix_scored(folder: Path) -> Scored:
    """A model of one matrix, whose columns the file names as it likes."""
    return Scored(folder, source=DOUBLER, version=python_version())
