"""What changes, as Markdown for a pull request's comment, which a bot finds again by its first line. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date

from lastmile_sls.estimate.diff import ComponentChange, Diff, LineChange
from lastmile_sls.estimate.document import Estimate
from lastmile_sls.estimate.figures import amount, change, fine, percent, quantity, unit_price
from lastmile_sls.estimate.notes import price_dates, warnings

_SIGNS = {"added": "+", "removed": "-", "changed": "±", "same": ""}
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~@:&])")


def marker(deployment: str, target: str) -> str:
    """Return the comment's first line, by which a bot finds the one that it wrote before."""
    return f"<!-- lastmile estimate: {_plain(deployment)} on {_plain(target)} -->"


def to_markdown(diffs: Mapping[str, Diff], today: date) -> str:
    """Return the comment.

    Args:
        diffs: Before and after, by the name of the traffic's shape; before may be None.
        today: To which the age of prices is told.
    """
    first = next(iter(diffs.values())).after
    lines = [marker(first.deployment, first.target), f"### What {escaped(first.deployment)} costs"]
    lines += ["", *_overview(diffs)]
    for shape, diff in diffs.items():
        lines += ["", *_changes(shape, diff)]
        lines += ["", *_details(shape, diff.after)]
    lines += ["", *_footer(first, today)]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return a text so that Markdown shows it as it is, and no HTML, link, mention or table is made of it."""
    return (
        _SPECIAL.sub(r"\\\1", " ".join(text.split()))
        .replace("\\<", "&lt;")
        .replace("\\>", "&gt;")
        .replace("\\@", "@\u200b")
    )


def _overview(diffs: Mapping[str, Diff]) -> Iterator[str]:
    named = len(diffs) > 1 or "" not in diffs
    currency = next(iter(diffs.values())).after.currency
    yield f"| {'traffic | ' if named else ''}requests a month | before | after | change | 1 000 predictions |"
    yield f"|{'---|' if named else ''}--:|--:|--:|--:|--:|"
    for shape, diff in diffs.items():
        after, before = diff.after, diff.before
        cells = [escaped(shape)] if named else []
        cells.append(quantity(after.traffic.requests))
        cells.append("-" if before is None else amount(before.monthly))
        cells.append(f"**{amount(after.monthly)} {currency}**")
        share = "" if diff.percent is None else f" ({change(diff.percent)} %)"
        cells.append("new" if before is None else f"{change(diff.delta)}{share}")
        cells.append(_per_1000(diff))
        yield f"| {' | '.join(cells)} |"


def _per_1000(diff: Diff) -> str:
    after = diff.after.per_1000
    before = diff.before.per_1000 if diff.before else None
    if after is None:
        return "-"
    return fine(after) if before is None or before == after else f"{fine(before)} → {fine(after)}"


def _changes(shape: str, diff: Diff) -> Iterator[str]:
    """Yield a table of what changes, the largest change first."""
    changed = [line for line in diff.of("added", "removed", "changed") if line.components]
    quiet = [line for line in diff.of("added", "removed") if not line.components]
    if shape:
        yield f"**{escaped(shape)}**"
        yield ""
    if changed:
        yield "| | resource | before | after | change |"
        yield "|---|---|--:|--:|--:|"
        for line in sorted(changed, key=lambda one: (-abs(one.delta), one.any.name)):
            yield _row(line)
    elif diff.before is not None:
        yield "Nothing changes in what a month costs."
    if quiet:
        told = ", ".join(f"{_SIGNS[line.fate]} {_name(line)}" for line in quiet)
        yield ""
        yield f"Free by themselves: {told}."


def _row(line: LineChange) -> str:
    before = amount(line.before.cost) if line.before else "-"
    after = amount(line.after.cost) if line.after else "-"
    why = "; ".join(_told(one) for one in line.components if one.is_one)
    named = f"{_name(line)}{f'<br>{why}' if why and line.fate == 'changed' else ''}"
    return f"| {_SIGNS[line.fate]} | {named} | {before} | {after} | {change(line.delta)} |"


def _told(one: ComponentChange) -> str:
    """Return what of a component changes, `Duration 40 000 → 80 000 GB-second`."""
    before = quantity(one.before.quantity) if one.before else "0"
    after = quantity(one.after.quantity) if one.after else "0"
    return f"{escaped(one.any.name)} {before} → {after} {escaped(one.any.price.unit)}"


def _name(line: LineChange) -> str:
    return f"{escaped(line.any.type.rpartition(':')[2])} {escaped(line.any.name)}"


def _details(shape: str, estimate: Estimate) -> Iterator[str]:
    """Yield every meter, hidden until somebody opens it: blank lines around the table let Markdown be read there."""
    named = f", {escaped(shape)}" if shape else ""
    yield "<details>"
    yield f"<summary>Every meter after the change{named}</summary>"
    yield ""
    yield f"| resource | meter | quantity | unit | a unit | a month, {escaped(estimate.currency)} |"
    yield "|---|---|--:|---|--:|--:|"
    for line in sorted(estimate.lines, key=lambda one: (-one.cost, one.name)):
        for one in line.components:
            star = "\\* " if one.usage_based else ""
            yield (
                f"| {escaped(line.name)} | {star}{escaped(one.name)} | {quantity(one.quantity)} | "
                f"{escaped(one.price.unit)} | {unit_price(one)} | {amount(one.cost)} |"
            )
    yield ""
    yield f"At rest {amount(estimate.baseline)}; \\* by the traffic {amount(estimate.usage)}."
    yield from _versions(estimate)
    tags = next((line.tags for line in estimate.lines if line.tags), {})
    if tags:
        told = ", ".join(f"{escaped(name)}: {escaped(value)}" for name, value in tags.items())
        yield ""
        yield f"Tags: {told}."
    yield ""
    yield "</details>"


def _versions(estimate: Estimate) -> Iterator[str]:
    found = estimate.by_version()
    if len(found) < 2:
        return
    yield ""
    yield "| version | share | its own | shared | a month | 1 000 predictions |"
    yield "|---|--:|--:|--:|--:|--:|"
    for one in found:
        per_1000 = "-" if one.per_1000 is None else fine(one.per_1000)
        yield (
            f"| {escaped(one.version)} | {percent(one.share)} | {amount(one.own)} | {amount(one.shared)} | "
            f"{amount(one.monthly)} | {per_1000} |"
        )


def _footer(estimate: Estimate, today: date) -> Iterator[str]:
    for warning in warnings(estimate, today):
        yield f"> {escaped(warning)}"
    if dates := price_dates(estimate):
        read = str(dates[0]) if dates[0] == dates[1] else f"{dates[0]} to {dates[1]}"
        yield ""
        yield (
            f"<sub>{escaped(estimate.target)}, {escaped(estimate.region)}; list prices read {read}, "
            f"{'less what an account has free' if estimate.free_tier else 'nothing taken off for free units'}.</sub>"
        )


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]|--", "", text)
