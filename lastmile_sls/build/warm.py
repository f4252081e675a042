"""How many instances a built project keeps warm: as the spec says, unless a budget's override says less."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lastmile_sls.budget.override import Override, with_override
from lastmile_sls.build.record import Record, state_of, write_record
from lastmile_sls.plan.document import Plan, read
from lastmile_sls.program.write import PLAN, write_plan


def keep_warm(place: Path, record: Record, wanted: int, override: Override | None) -> tuple[Plan, Record]:
    """Return a project's plan, and the record of it, with the instances that are to be kept warm.

    The plan in the project is written anew when it says another number; the project stays as current as it was.

    Args:
        place: The project's folder.
        record: Of its build.
        wanted: What the spec says.
        override: What the budget says, if it does.

    Raises LastmileError when the project cannot be written.
    """
    plan = read(place / PLAN)
    found = with_override(plan, wanted, override)
    if found == plan:
        return plan, record
    write_plan(found, place)
    record = replace(record, outputs={**record.outputs, PLAN: state_of(place / PLAN)})
    write_record(place, record)
    return found, record
