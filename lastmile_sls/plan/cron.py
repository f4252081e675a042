"""How each target writes what cron's five fields mean. Pure."""

from __future__ import annotations

from lastmile_sls.plan.document import Target
from lastmile_sls.spec.cron import WEEKDAYS, Cron


def expression(target: Target, cron: Cron) -> str:
    """Return how a target writes it.

    aws: EventBridge Scheduler's cron(), whose sixth field is the year, and where one of the two days is `?`
    (docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html, read 2026-11-29). azure: NCRONTAB, whose first
    field is the second (learn.microsoft.com/azure/azure-functions/functions-bindings-timer, read 2026-11-29). gcp, local:
    the five fields (cloud.google.com/scheduler/docs/configuring/cron-job-schedules, read 2026-11-29).

    Raises ValueError for both days restricted on aws and azure, which `lastmile_sls.targets` refuses before.
    """
    minutes, hours, days, months = (
        _join(values) for values in (cron.minutes, cron.hours, cron.days, cron.months)
    )
    if target in ("aws", "azure") and cron.days is not None and cron.weekdays is not None:
        raise ValueError(f"{target} takes a day of the month or a day of the week, not both.")
    if target == "aws":
        weekdays = ",".join(WEEKDAYS[day] for day in cron.weekdays) if cron.weekdays is not None else "?"
        day = "?" if cron.weekdays is not None else days
        return f"cron({minutes} {hours} {day} {months} {weekdays} *)"
    five = f"{minutes} {hours} {days} {months} {_join(cron.weekdays)}"
    return f"0 {five}" if target == "azure" else five


def _join(values: tuple[int, ...] | None) -> str:
    return "*" if values is None else ",".join(map(str, values))
