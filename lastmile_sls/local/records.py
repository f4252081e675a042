"""The embedded cloud's memory: one JSON record per resource, each with its owner."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lastmile_sls.errors import LastmileError
from lastmile_sls.files import write_private
from lastmile_sls.local.home import Place

KINDS = ("bucket", "document", "function", "key", "queue", "route", "schedule")


@dataclass(frozen=True)
class Owner:
    """The stack that a resource belongs to."""

    urn: str
    engine: str
    """`embedded` or `pulumi`."""


@dataclass(frozen=True)
class Record:
    """A resource as it was last asked for, and what came of it."""

    kind: str
    name: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    owner: Owner
    created_at: str
    """When it was first made, UTC, ISO 8601."""


def put(place: Place, record: Record) -> None:
    """Write a record. Raises LastmileError when the disk is full; the record before then stands."""
    write_private(
        _path(place, record.kind, record.name), (json.dumps(asdict(record), indent=1) + "\n").encode()
    )


def get(place: Place, kind: str, name: str) -> Record | None:
    """Return a record; None when there is none. Raises LastmileError when it cannot be read."""
    path = _path(place, kind, name)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _parse(content, kind, name)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LastmileError(
            f"{path} is not a resource record: {error}.",
            "Move the file away and run `lastmile up`: what is missing is made again.",
        ) from error


def delete(place: Place, kind: str, name: str) -> None:
    """Forget a record, if there is one."""
    _path(place, kind, name).unlink(missing_ok=True)


def all_of(place: Place, kind: str) -> list[Record]:
    """Return the deployment's records of a kind, by name."""
    names = sorted(path.stem for path in (place.records / kind).glob("*.json"))
    found = [get(place, kind, name) for name in names]
    return [record for record in found if record is not None]


def set_engine(place: Place, urn_prefix: str, engine: str) -> None:
    """Note that another engine has taken over the stack whose URNs begin so."""
    for kind in KINDS:
        for record in all_of(place, kind):
            if record.owner.urn.startswith(urn_prefix):
                put(place, replace(record, owner=replace(record.owner, engine=engine)))


def _parse(content: Any, kind: str, name: str) -> Record:
    record = Record(**{**content, "owner": Owner(**content["owner"])})
    if (record.kind, record.name) != (kind, name):
        raise ValueError(f"it says that it is the {record.kind} {record.name}")
    return record


def _path(place: Place, kind: str, name: str) -> Path:
    return place.records / kind / f"{name}.json"
