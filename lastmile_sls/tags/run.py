"""A check of tags from end to end: the cloud is asked, what it says is compared, and what is wrong is priced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from lastmile_sls.control.tags import TagReader, read_tags
from lastmile_sls.errors import LastmileError
from lastmile_sls.spec.tags import tag_set
from lastmile_sls.tags import money
from lastmile_sls.tags.as_text import told
from lastmile_sls.tags.compare import Ways, judge
from lastmile_sls.tags.document import Basis, Checked, Judged, Money
from lastmile_sls.tags.stack import Asked, Standing
from lastmile_sls.words import grouped

if TYPE_CHECKING:
    from lastmile_sls.estimate.document import Estimate

Tell = Callable[[str], None]
_MONTH = "a month at list prices, estimated"
_STANDING = f"{_MONTH} while nobody calls; --requests N says how many do, --costs FILE what was billed"


@dataclass(frozen=True)
class Sources:
    """What amounts are read from."""

    costs: tuple[str, ...] = ()
    """FOCUS files, folders, URLs."""
    estimate: Path | None = None
    """From `lastmile estimate --json`."""
    requests: Decimal | None = None
    """In a month, for an estimate that is made now."""


def check(standing: Standing, reader: TagReader, asked: Asked, sources: Sources, tell: Tell) -> Checked:
    """Return what a deployment's resources have of its spec's tags, and what the rest costs. Raises LastmileError."""
    stack, wanted = standing.stack, tag_set(standing.spec)
    found = read_tags(stack, reader, standing.resources, wanted, tell)
    judged = judge(wanted, found, Ways(stack.target, standing.folder))
    notes = [*standing.notes, *reader.notes(wanted)]
    notes += [
        f"{one.resource} has tags beside the spec's: {', '.join(one.extra)}" for one in judged if one.extra
    ]
    checked = Checked(
        *(stack.deployment, stack.target, stack.region, stack.account, wanted, judged),
        basis=Basis("unknown", "nothing is wrong"),
        notes=tuple(notes),
    )
    return _priced(checked, standing, asked, sources, tell)


def _priced(checked: Checked, standing: Standing, asked: Asked, sources: Sources, tell: Tell) -> Checked:
    """Return the check with amounts: billed, where there are exports; else estimated, where anything is wrong."""
    if sources.costs:
        return _with_bill(checked, standing, sources, tell)
    if not checked.wrong:
        return checked
    try:
        estimate, basis = _estimate(checked, standing, asked, sources, tell)
    except LastmileError as error:
        if sources.estimate is not None or sources.requests is not None:
            raise
        return replace(checked, basis=Basis("unknown", error.message.rstrip(".")))
    return replace(checked, judged=money.with_estimate(checked.judged, estimate), basis=basis)


def _with_bill(checked: Checked, standing: Standing, sources: Sources, tell: Tell) -> Checked:
    from lastmile_sls.costs.read import read

    with read(sources.costs, standing.environ, tell=tell) as reading:
        days = money.days(reading.connection, checked.target)
        rows = money.unattributed(reading.connection, checked.target)
        warnings = reading.warnings
    judged, rest = money.with_bill(checked.judged, rows)
    notes = [*checked.notes, *warnings, *([_rest(rest, judged)] if rest else [])]
    return replace(
        checked, judged=judged, basis=money.basis_of_bill(days, checked.target), notes=tuple(notes)
    )


def _rest(rest: Money, judged: Sequence[Judged]) -> str:
    well = sum(one.is_well for one in judged)
    return (
        f"the files have {told(rest)} without tags of the {well} resources that have them now: rows of before they were "
        "tagged, or tags that the bill does not have"
    )


def _estimate(
    checked: Checked, standing: Standing, asked: Asked, sources: Sources, tell: Tell
) -> tuple[Estimate, Basis]:
    """Return the estimate that is given, or one made now, and what it is. Raises LastmileError."""
    from lastmile_sls.estimate.as_json import read_one
    from lastmile_sls.estimate.project import look, months, price
    from lastmile_sls.estimate.traffic_file import EVERY, Shape
    from lastmile_sls.prices.shelf import open_book

    if sources.estimate is not None:
        found = read_one(sources.estimate, checked.deployment)
        return found, Basis("estimated", f"{_MONTH} in {sources.estimate}")
    shape = Shape(sources.requests)
    if not sources.requests:
        shape = Shape(Decimal(0), {EVERY: Decimal(1)}, cold_share=Decimal(0))
    environ = standing.environ
    project = look(asked.spec_path, checked.target, environ, environment=asked.environment, tell=tell)
    traffic, _ = months(project, {"": shape}, asked.spec_path, environ, tell)
    made = price(project, traffic[""], open_book(environ, [checked.target]))
    return made, Basis(
        "estimated", f"{_MONTH} for {grouped(sources.requests)} requests" if sources.requests else _STANDING
    )
