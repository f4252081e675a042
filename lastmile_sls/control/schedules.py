"""When a clock runs next, where its cloud does not say it: read off what the cloud keeps of it."""

from __future__ import annotations

from datetime import UTC, datetime

from lastmile_sls.control.times import told
from lastmile_sls.spec.cron import CronError, next_after, parse


def next_run(expression: str | None, now: datetime) -> str | None:
    """Return when an expression of EventBridge Scheduler's, or one of NCRONTAB, is due next in UTC; None when it is neither.

    Both are what `lastmile_sls.plan.cron` wrote: cron's five fields, with the year or the second beside them.
    """
    fields = (expression or "").removeprefix("cron(").removesuffix(")").split()
    if len(fields) != 6:
        return None
    five = fields[:5] if (expression or "").startswith("cron(") else fields[1:]
    try:
        return told(next_after(parse(" ".join(five).replace("?", "*")), now.astimezone(UTC)))
    except CronError:
        return None
