"""The embedded cloud's control plane: creates, updates and deletes resources, each with an owner.

Ids are deterministic, and every operation can be repeated: what a killed run left is found and finished.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lastmile_sls.errors import LastmileError
from lastmile_sls.local import records
from lastmile_sls.local.home import NAME, Place, check_name
from lastmile_sls.local.records import Owner, Record
from lastmile_sls.local.resources import bucket, document, function, key, queue, route, schedule
from lastmile_sls.local.resources.kind import Kind

KINDS: dict[str, Kind] = {
    "bucket": bucket.KIND,
    "document": document.KIND,
    "function": function.KIND,
    "key": key.KIND,
    "queue": queue.KIND,
    "route": route.KIND,
    "schedule": schedule.KIND,
}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Cloud:
    """The cloud below one home folder, used by one engine."""

    home: Path
    engine: str
    clock: Callable[[], datetime] = _now

    def check(self, kind: str, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return what is wrong with a resource's inputs, as (property, reason); unknown inputs are not looked at."""
        wrong = [
            (name, f"{name} is {inputs[name]!r}, but must match {NAME.pattern}.")
            for name in ("deployment", "name")
            if name in inputs and not NAME.fullmatch(str(inputs[name]))
        ]
        return wrong + KINDS[kind].check(inputs)

    def apply(self, kind: str, urn: str, inputs: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """Make a resource what its inputs say, whether it is there or not; return its id and outputs.

        Raises LastmileError when it belongs to another stack, or cannot be made; what was there before then stands.
        """
        place = Place.of(self.home, inputs["deployment"])
        name = inputs["name"]
        check_name("name", name)
        found = records.get(place, kind, name)
        owner = self._owner(kind, place, found, urn)
        created_at = found.created_at if found else self.clock().isoformat(timespec="seconds")
        record = Record(kind, name, dict(inputs), found.outputs if found else {}, owner, created_at)
        try:
            record = _make(place, record)
        except LastmileError:
            with contextlib.suppress(LastmileError):  # the first error is the one to tell
                _undo(place, record, found)
            raise
        return f"{place.deployment}/{kind}/{name}", record.outputs

    def read(self, id_: str) -> Record | None:
        """Return a resource by its id; None when it is gone."""
        deployment, kind, name = _parse(id_)
        return records.get(Place.of(self.home, deployment), kind, name)

    def drifted(self, id_: str) -> list[str]:
        """Return the properties in which the resource is not what its record says; `resource` when it is gone."""
        deployment, kind, name = _parse(id_)
        place = Place.of(self.home, deployment)
        record = records.get(place, kind, name)
        return KINDS[kind].drifted(place, record) if record else ["resource"]

    def delete(self, id_: str) -> None:
        """Delete a resource, if it is there."""
        deployment, kind, name = _parse(id_)
        place = Place.of(self.home, deployment)
        record = records.get(place, kind, name)
        if record:
            records.delete(place, kind, name)
            KINDS[kind].remove(place, record)

    def _owner(self, kind: str, place: Place, found: Record | None, urn: str) -> Owner:
        mine = Owner(urn, self.engine)
        if found is None or found.owner == mine:
            return mine
        if found.owner.urn != urn:
            raise LastmileError(
                f"the {kind} {found.name} of {place.deployment} belongs to another stack ({found.owner.urn}).",
                "Destroy it there first, or give this deployment another name or environment.",
            )
        raise LastmileError(
            f"the {kind} {found.name} of {place.deployment} was made by the {found.owner.engine} engine.",
            f"Let the {self.engine} engine take the stack over, as it stands: "
            f"lastmile up --engine {self.engine} --take-over",
        )


def _make(place: Place, record: Record) -> Record:
    # The record comes first: a run that is killed from here on leaves something that the next one finds.
    records.put(place, record)
    record = replace(record, outputs=KINDS[record.kind].make(place, record))
    records.put(place, record)
    KINDS[record.kind].activate(place, record)
    return record


def _undo(place: Place, record: Record, found: Record | None) -> None:
    if found is not None:
        records.put(place, found)
        KINDS[record.kind].restore(place, found)
        return
    records.delete(place, record.kind, record.name)
    KINDS[record.kind].remove(place, record)


def _parse(id_: str) -> tuple[str, str, str]:
    parts = id_.split("/")
    if len(parts) != 3 or parts[1] not in KINDS or not NAME.fullmatch(parts[2]):
        raise LastmileError(
            f"the id is {id_!r}, but must be DEPLOYMENT/KIND/NAME, with a kind of {', '.join(KINDS)}.",
            "Use the id that the stack's state holds.",
        )
    return parts[0], parts[1], parts[2]
