"""How many instances a built project keeps warm: written into its plan, without building anything anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

from lastmile_sls.build.record import Record, state_of, write_record
from lastmile_sls.plan.document import FunctionPlan, Plan, read
from lastmile_sls.program.write import PLAN, write_plan


def keep_warm(place: Path, record: Record, instances: int) -> tuple[Plan, Record]:
    """Return a project's plan, and the record of it, with so many instances of each function kept warm.

    The plan in the project is written anew when it says another number; the project stays as current as it was.

    Args:
        place: The project's folder.
        record: Of its build.
        instances: Kept warm.

    Raises LastmileError when the project cannot be written.
    """
    plan = read(place / PLAN)
    functions = [cast("FunctionPlan", {**one, "min_instances": instances}) for one in plan["functions"]]
    if functions == plan["functions"]:
        return plan, record
    plan = cast("Plan", {**plan, "functions": functions})
    write_plan(plan, place)
    record = replace(record, outputs={**record.outputs, PLAN: state_of(place / PLAN)})
    write_record(place, record)
    return plan, record
