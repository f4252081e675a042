"""A check of tags as lines for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from lastmile_sls.estimate.figures import amount
from lastmile_sls.tags.document import Checked, Finding, Judged, Money
from lastmile_sls.tags.money import by_key

_NARROWEST, _WIDEST = 60, 120


def lines_of(checked: Checked, width: int) -> Iterator[str]:
    """Yield what is wrong by resource, then what it costs and what to do; only sentences may be longer than `width`."""
    width = max(_NARROWEST, min(width, _WIDEST))
    account = f"account {checked.account}" if checked.account else None
    yield ", ".join(filter(None, (f"{checked.deployment} on {checked.target}", checked.region, account)))
    for one in checked.judged:
        if not one.is_well:
            yield from _resource(one, width)
    yield f"  {_summary(checked)}"
    yield from _costs(checked)
    advice = dict.fromkeys(finding.advice for one in checked.wrong for finding in one.findings)
    if advice:
        yield ""
        yield "what to do:"
        yield from (f"  {text}" for text in advice)


def told(money: Money) -> str:
    """Return amounts for people: `12.30 USD and 2.00 EUR`."""
    return " and ".join(f"{amount(value)} {currency}" for currency, value in money.items())


def said(finding: Finding) -> str:
    """Return what is wrong, without what it costs: `owner: is x, should be y`."""
    of_part = f" of {finding.part}" if finding.part else ""
    match finding.kind:
        case "missing":
            return f"{finding.key}{of_part}: should be {finding.wanted}"
        case "wrong":
            return f"{finding.key}{of_part}: is {finding.found}, should be {finding.wanted}"
        case "gone":
            return "the stack has it, the cloud does not"
        case other:
            raise ValueError(f"{other} is no kind of finding")


def _resource(one: Judged, width: int) -> Iterator[str]:
    yield _short(f"  {one.resource}", width)
    if one.presence == "not looked at":
        yield f"    not looked at: {one.why}"
    for finding in one.findings:
        cost = told(finding.cost)
        line = _short(f"    {finding.kind:<8} {said(finding)}", width - len(cost) - 2 * bool(cost))
        yield f"{line}  {cost:>{width - len(line) - 2}}" if cost else line


def _summary(checked: Checked) -> str:
    gone = sum(one.presence == "gone" for one in checked.judged)
    counts = (
        (sum(one.is_well for one in checked.judged), "well"),
        (len(checked.wrong) - gone, "with missing or wrong ones"),
        (gone, "gone"),
        (len(checked.not_looked_at), "not looked at"),
    )
    words = ", ".join(f"{count} {word}" for count, word in counts if count)
    taking = "1 resource takes" if len(checked.judged) == 1 else f"{len(checked.judged)} resources take"
    return f"{taking} tags: {words}"


def _costs(checked: Checked) -> Iterator[str]:
    """Yield what missing and wrong tags cost, and where the amounts are from."""
    if not checked.wrong:
        return
    costs = by_key(checked.judged)
    for key in (key for key in checked.wanted if key in costs):
        yield f"  without {key}: {told(costs[key])}"
    if checked.cost:
        yield f"  in all: {told(checked.cost)}, {checked.basis.told}"
    elif checked.basis.source == "unknown":
        yield f"  what that costs is not known: {checked.basis.told}"
    else:
        yield f"  what that costs: nothing, {checked.basis.told}"


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
