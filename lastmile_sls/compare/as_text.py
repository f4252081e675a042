"""A comparison as lines for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from lastmile_sls.certification.first_answer import FirstAnswer
from lastmile_sls.compare.document import Candidate, Column, Comparison, Here
from lastmile_sls.compare.money import count, each, figure, money

_HEADINGS = ("memory", "processors", "a request", "at rest", "a month", "per 1 000")
_GAP = "  "
_NAME = 7
"""As wide as the longest target and the sign before it."""


def lines_of(found: Comparison, width: int) -> Iterator[str]:
    """Yield the lines, none longer than `width` where its words allow that."""
    yield f"{found.deployment}: {count(found.requests)} requests a month"
    yield ""
    first, *others = found.advice
    yield from _wrapped(first, width)
    for sentence in others:
        yield from _wrapped(sentence, width, "· ")
    yield ""
    yield from _sizes(found, width)
    if found.crossings:
        yield ""
        yield "where prices cross:"
        for one in found.crossings:
            where = f"{count(one.requests)} requests a month, {money(one.monthly, found.currency)}"
            yield from _wrapped(f"{where}: {one.before} below, {one.after} from there on", width, "  ")
    if found.here.answers:
        yield ""
        yield from _first_answers(found.here, width)
    for column in found.columns:
        yield from _own_ways(column, width)
    yield ""
    for note in found.notes:
        yield from _wrapped(note, width, "· ")


def _sizes(found: Comparison, width: int) -> Iterator[str]:
    shown = [column for column in found.columns if column.best]
    cells = [_cells(candidate) for column in shown for candidate in column.candidates]
    widths = [max(len(line[n]) for line in (_HEADINGS, *cells)) for n in range(len(_HEADINGS))]
    if shown:
        yield f"in {found.currency}; → what to take there, * the spec's own size"
        yield _row("", _HEADINGS, widths)
    for column in found.columns:
        if column.best is None:
            yield from _wrapped(
                f"{column.target:<{_NAME - 2}}{_GAP}{column.why}", width, "✗ ", " " * (_NAME + 2)
            )
            continue
        for n, candidate in enumerate(column.candidates):
            sign = "→" if candidate is column.best else " " if candidate.estimate else "✗"
            name = column.target if n == 0 else ""
            yield _row(f"{sign} {name}", _cells(candidate), widths)
            if candidate.why:
                yield from _wrapped(candidate.why, width, " " * (_NAME + 2))


def _row(name: str, cells: Sequence[str], widths: Sequence[int]) -> str:
    told = [f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)]
    return f"{name:<{_NAME}}{_GAP}{_GAP.join(told)}".rstrip()


def _cells(candidate: Candidate) -> Sequence[str]:
    size, estimate = candidate.size, candidate.estimate
    cells = [f"{size.memory_mb} MB{'*' if size.is_specs else ' '}"]
    if estimate is None:
        return [*cells, *[""] * (len(_HEADINGS) - 1)]
    return [
        *cells,
        "" if size.processors is None else f"{size.processors:.2f}",
        "" if candidate.duration_ms is None else f"{candidate.duration_ms:.3g} ms",
        figure(estimate.baseline),
        figure(estimate.monthly),
        each(estimate.per_1000),
    ]


def _first_answers(here: Here, width: int) -> Iterator[str]:
    yield from _wrapped(f"first answer of a new process, on {here.machine}:", width)
    for id_, answer in here.answers.items():
        told = (
            f"{answer.seconds * 1000:.0f} ms, {answer.memory_bytes / (1 << 20):.0f} MB"
            if isinstance(answer, FirstAnswer)
            else f"not measured: {answer}"
        )
        yield from _wrapped(f"{id_}: {told}", width, "  ")


def _own_ways(column: Column, width: int) -> Iterator[str]:
    fit = column.offer.fit
    if not fit.fits or not fit.notes:
        return
    yield ""
    yield f"{column.target} does in its own way:"
    for note in fit.notes:
        yield from _wrapped(str(note), width, "  · ")


def _wrapped(text: str, width: int, begin: str = "", then: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=begin,
        subsequent_indent=" " * len(begin) if then is None else then,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]
