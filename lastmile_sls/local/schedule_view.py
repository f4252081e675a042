"""A schedule of this machine, seen from outside."""

from __future__ import annotations

from dataclasses import dataclass

from lastmile_runtime.batch.progress import file_states
from lastmile_runtime.stores import StoreError, open_store
from lastmile_sls.errors import LastmileError
from lastmile_sls.local import records, supervise
from lastmile_sls.local.clock import next_at
from lastmile_sls.local.configs import function_config
from lastmile_sls.local.home import Place
from lastmile_sls.local.queue_view import LocalQueueView
from lastmile_sls.local.records import Record
from lastmile_sls.local.resources.schedule import read_past, told
from lastmile_sls.schedule_view import ScheduleStatus


@dataclass(frozen=True)
class LocalScheduleView:
    """A deployment's schedule in the embedded cloud; it is read whether its host runs or not."""

    place: Place
    name: str

    def status(self) -> ScheduleStatus:
        """Return what it has done and will do. Raises LastmileError."""
        record, batch = self._record(), self._batch()
        past = read_past(self.place, self.name)
        due = next_at(past) if past else None
        try:
            stores = open_store(batch["input"]), open_store(batch["output"])
            files = tuple(file_states(*stores, batch["format"]))
        except StoreError as error:
            raise LastmileError(
                f"the files of {self.name} cannot be looked at: {error}", "Try again."
            ) from error
        return ScheduleStatus(
            schedule=self.name,
            cron=str(record.inputs["cron"]),
            input=batch["input"],
            output=batch["output"],
            format=batch["format"],
            next_at=told(due) if due else None,
            last_at=past.sent_at if past else None,
            files=files,
        )

    def run(self) -> None:
        """Have the host send its message now. Raises LastmileError."""
        self._record()
        answer = supervise.ask(self.place, f"tick {self.name}")
        if answer is None:
            raise LastmileError(
                f"{self.place.deployment} does not run, so nothing would score the files.",
                "Run `lastmile up`, then again.",
            )
        if answer.get("error"):
            raise LastmileError(answer["error"], answer.get("hint") or f"See {self.place.host_log}.")

    def is_idle(self) -> bool:
        """Tell whether nothing waits in the queue, and nobody works on anything of it. Raises LastmileError."""
        held = LocalQueueView(self.place, str(self._record().inputs["queue"])).status()
        return not held.waiting and not held.in_flight

    def _record(self) -> Record:
        record = records.get(self.place, "schedule", self.name)
        if record is None:
            names = ", ".join(found.name for found in records.all_of(self.place, "schedule")) or "none"
            raise LastmileError(
                f"{self.place.deployment} has no schedule {self.name!r}; its schedules are {names}.",
                "schedule in the spec makes one.",
            )
        return record

    def _batch(self) -> dict[str, str]:
        """Return which files are scored, of the function that does it."""
        for record in records.all_of(self.place, "function"):
            batch = function_config(self.place, record).batch
            if batch is not None:
                return dict(batch)
        raise LastmileError(
            f"no function of {self.place.deployment} scores files.", "Run `lastmile up`, which makes one."
        )
