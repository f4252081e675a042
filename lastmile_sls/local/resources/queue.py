"""A queue: one SQLite file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lastmile_sls.files import make_private_folder
from lastmile_sls.local.home import Place
from lastmile_sls.local.queue import Queue as Messages
from lastmile_sls.local.records import Record
from lastmile_sls.local.resources.kind import Kind, too_small

_AT_LEAST = {"maxAttempts": 1, "visibilityTimeoutS": 1, "retentionS": 1}


class Queue(Kind):
    """Outputs: `path`."""

    def check(self, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Attempts and times must be positive."""
        return too_small(inputs, _AT_LEAST)

    def make(self, place: Place, record: Record) -> dict[str, Any]:
        """Make the file, or keep the one that is there with its messages."""
        make_private_folder(queue_file(place, record.name).parent)
        open_queue(place, record).close()
        return {"path": str(queue_file(place, record.name))}

    def drifted(self, place: Place, record: Record) -> list[str]:
        """Return `path` when the file is gone."""
        return [] if queue_file(place, record.name).exists() else ["path"]

    def remove(self, place: Place, record: Record) -> None:
        """Delete the file and its messages."""
        path = queue_file(place, record.name)
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()


def queue_file(place: Place, name: str) -> Path:
    """Return where a queue is kept."""
    return place.root / "queues" / f"{name}.sqlite"


def open_queue(place: Place, record: Record) -> Messages:
    """Open a queue as its record describes it. Raises LastmileError when its file cannot be used."""
    inputs = record.inputs
    return Messages(
        queue_file(place, record.name),
        int(inputs["maxAttempts"]),
        inputs["visibilityTimeoutS"],
        inputs.get("retentionS"),
    )


KIND = Queue()
