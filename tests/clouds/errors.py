"""Mistakes that a program of ours could make, planted into what a right one said: one of each kind, at the top and below."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clouds.stacks import GOLDEN, read_golden
from tests.clouds.wire import Record

REMOVED = object()
"""The value that takes an input away."""


@dataclass(frozen=True)
class Planted:
    """One mistake: in which resource of which golden file, where, and what stands there instead."""

    cloud: str
    kind: str
    """wrong key, wrong type, missing, enum, range or pattern."""
    type: str
    path: tuple[str | int, ...]
    value: Any
    sdk: tuple[str, ...] = ()
    """What the SDK's types say of it."""
    api: tuple[str, ...] = ()
    """What the cloud's API model says of it."""

    @property
    def label(self) -> str:
        return f"{self.cloud}-{self.kind}-{'nested' if len(self.path) > 1 else 'top'}".replace(" ", "-")

    def record(self) -> Record:
        """Return the golden file's record with the mistake in it."""
        found = first(read_golden(golden_file(self.cloud)), self.type)
        inputs = copy.deepcopy(found.inputs)
        holder: Any = inputs
        for part in self.path[:-1]:
            holder = holder[part]
        if self.value is REMOVED:
            del holder[self.path[-1]]
        else:
            holder[self.path[-1]] = self.value
        return Record(found.type, found.name, inputs)


def golden_file(cloud: str) -> Path:
    return GOLDEN / f"every-type-{cloud}.json"


def first(records: Iterable[Record], type_: str) -> Record:
    return next(record for record in records if record.type == type_)


def _read(entry: dict[str, Any]) -> Planted:
    return Planted(
        entry["cloud"],
        entry["kind"],
        entry["type"],
        tuple(entry["path"]),
        REMOVED if entry.get("removed") else entry["value"],
        tuple(entry["sdk"]),
        tuple(entry["api"]),
    )


PLANTED = tuple(map(_read, json.loads(Path(__file__).with_name("planted.json").read_text(encoding="utf-8"))))
