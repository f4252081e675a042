"""What of a month was billed for one deployment: from the cube that `lastmile_sls.costs` makes of FOCUS files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from lastmile_sls.budget.document import NOTHING
from lastmile_sls.budget.period import Period
from lastmile_sls.errors import LastmileError

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Deployed:
    """Whose costs are meant."""

    model: str
    environment: str
    cloud: str | None
    """None takes every cloud's: a deployment on this machine has no bill of its own."""


@dataclass(frozen=True)
class Billed:
    """What was billed."""

    amount: Decimal
    through: date | None
    """The last day of which anything was; None when nothing was."""
    warnings: tuple[str, ...] = ()


def billed(connection: duckdb.DuckDBPyConnection, whose: Deployed, period: Period, currency: str) -> Billed:
    """Return what of a month was billed: FOCUS's BilledCost of every charge, credits and taxes too.

    Raises LastmileError when it was billed in another currency than the budget's.
    """
    found = connection.execute(
        "SELECT currency, sum(billed), max(day) FROM cube WHERE model = ? AND environment = ? AND day >= ? AND day < ? "
        "AND coalesce(cloud = ?, true) GROUP BY currency ORDER BY currency",
        [whose.model, whose.environment, period.start, period.end, whose.cloud],
    ).fetchall()
    others = [row[0] for row in found if row[0] != currency]
    if others:
        raise LastmileError(
            f"the files bill {whose.model} ({whose.environment}) in {' and '.join(others)}, but budget.currency is "
            f"{currency}.",
            "Set budget.currency to the account's own, and monthly_limit in it: nothing is converted.",
        )
    if found:
        return Billed(Decimal(found[0][1]), found[0][2])
    return Billed(NOTHING, None, (_why_nothing(connection, whose, period),))


def _why_nothing(connection: duckdb.DuckDBPyConnection, whose: Deployed, period: Period) -> str:
    """Return in words why nothing of a month was billed."""
    row = connection.execute("SELECT min(day), max(day) FROM cube").fetchone()
    first, last = row or (None, None)
    name = f"{whose.model} ({whose.environment})"
    if last is None:
        return f"the files have no row that can be summed, so nothing of {period} is billed yet"
    if last < period.start:
        return f"the files end on {last}, so nothing of {period} is billed yet"
    if first >= period.end:
        return f"the files begin on {first}, after {period}"
    seen = connection.execute(
        "SELECT DISTINCT model || ' (' || coalesce(environment, 'no environment') || ')' AS name FROM cube "
        "WHERE model IS NOT NULL AND day >= ? AND day < ? ORDER BY name LIMIT 6",
        [period.start, period.end],
    ).fetchall()
    has = f"they have {', '.join(one for (one,) in seen)}" if seen else "none of their rows names a model"
    return (
        f"no row of {period} in the files is of {name}: {has}. Are the tags model and environment active cost tags "
        "(lastmile tags check), and are these the right account's files?"
    )
