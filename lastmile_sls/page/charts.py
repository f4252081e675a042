"""Charts as inline SVG: drawn for a broad page and for a narrow one, named for the ear, with their values in a table.

Ours, where matplotlib would do: that takes 2.2 s of CPU to import and 0.1 s for each drawing (measured on 2 cores,
2026-11-30), and its colours, names and widths would have to be rewritten for a page that is dark, read out or narrow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from lastmile_sls.page.drawing import BROAD, NARROW, Frame, bars, grid, lines, names_of, shell
from lastmile_sls.page.markup import Markup, element, together
from lastmile_sls.page.scales import Scale, Show, Value, compact, dates, linear, logarithmic, number, thinned
from lastmile_sls.page.skeleton import folded
from lastmile_sls.page.tables import Column, table

COLOURS = 8
"""So many series can be told apart; add the others up before."""


@dataclass(frozen=True)
class Series:
    """What is drawn in one colour."""

    name: str
    points: Sequence[tuple[Value | str, Value]]
    """From left to right; of a bar chart x is what stands below the bar, the same in all series."""


@dataclass(frozen=True)
class Axis:
    """What an axis shows."""

    label: str
    log: bool = False
    show: Show = str
    """How a value reads in full."""
    tick: Show = compact
    """How a value reads beside the axis, where there is little room."""


@dataclass(frozen=True)
class Mark:
    """A point that is numbered in a line chart, and explained below it."""

    x: Value
    y: Value
    text: str


def line_chart(
    title: str, description: str, series: Sequence[Series], x: Axis, y: Axis, *, marks: Sequence[Mark] = ()
) -> Markup:
    """Return lines over numbers or days. Raises ValueError for no points, or more series than colours."""
    _check(series)

    def draw(frame: Frame) -> Markup:
        across = _scale([p[0] for s in series for p in s.points], x, frame.left, frame.right, frame.columns)
        up = _scale([p[1] for s in series for p in s.points], y, frame.bottom, frame.top, frame.rows)
        told = [
            [
                (across[0].at(_value(a)), up[0].at(b), f"{s.name}, {_shown(a, x)}: {y.show(b)}")
                for a, b in s.points
            ]
            for s in series
        ]
        below = [(across[0].at(tick), x.tick(tick)) for tick in across[1]]
        beside = [(up[0].at(tick), y.tick(tick)) for tick in up[1]]
        numbered = [(across[0].at(mark.x), up[0].at(mark.y), mark.text) for mark in marks]
        return together(grid(frame, below, beside, x.label, y.label), lines(frame, told, numbered))

    return _figure(title, description, series, x, y, draw, is_line=True, marks=marks)


def bar_chart(title: str, description: str, series: Sequence[Series], x: Axis, y: Axis) -> Markup:
    """Return upright bars, a series on top of the other; what is negative hangs below the line.

    Every series has the same x's in the same order. Raises ValueError when they differ, for no points, for a
    logarithmic axis (a bar begins at 0), or for more series than colours.
    """
    _check(series)
    places = [place for place, _ in series[0].points]
    if any([place for place, _ in s.points] != places for s in series):
        raise ValueError("the series of a bar chart have different x")
    if y.log:
        raise ValueError("a bar begins at 0, which a logarithmic axis does not have")
    values = [[number(value) for _, value in s.points] for s in series]
    sums = [
        sum(v for v in column if v * sign > 0) for column in zip(*values, strict=True) for sign in (1, -1)
    ]

    def draw(frame: Frame) -> Markup:
        up, ticks = linear(sums, frame.bottom, frame.top, frame.rows)
        width = (frame.right - frame.left) / len(places)
        middles = [frame.left + width * (n + 0.5) for n in range(len(places))]
        names = names_of([_tick(place, x) for place in places], frame)
        below = [(middles[n], names[n]) for n in thinned(len(places), frame.names(names))]
        told = [
            [f"{s.name}, {_shown(place, x)}: {y.show(value)}" for place, value in s.points] for s in series
        ]
        return together(
            grid(frame, below, [(up.at(tick), y.tick(tick)) for tick in ticks], x.label, y.label),
            bars(frame, middles, width, values, told, up),
        )

    return _figure(title, description, series, x, y, draw, is_line=False)


def sparkline(values: Sequence[Value], name: str) -> Markup:
    """Return a small line without axes, for a table's cell; `name` says in words what it shows."""
    found = [number(value) for value in values] or [0.0]
    high, low = max(*found, 0.0), min(*found, 0.0)
    across = Scale(0, max(len(found) - 1, 1), 1, 109)
    up = Scale(low, high if high > low else low + 1, 20, 2)
    points = " ".join(f"{across.at(n):.1f},{up.at(v):.1f}" for n, v in enumerate(found))
    line = element("polyline", points=points, class_="line l0")
    return element("svg", line, class_="spark", viewBox="0 0 110 22", role="img", aria_label=name)


def share_bar(share: Decimal) -> Markup:
    """Return a bar of a share from 0 to 1, for a table's cell beside the number; it says nothing to the ear."""
    width = float(min(max(share, Decimal(0)), Decimal(1))) * 120
    return element(
        "svg",
        element("rect", width="120", height="10", rx="3", class_="rest"),
        element("rect", width=width, height="10", rx="3", class_="f0"),
        class_="share",
        viewBox="0 0 120 10",
        aria_hidden="true",
    )


def _check(series: Sequence[Series]) -> None:
    if not any(s.points for s in series):
        raise ValueError("a chart has no points")
    if len(series) > COLOURS:
        raise ValueError(f"a chart has {len(series)} series, and {COLOURS} colours can be told apart")


def _scale(
    values: Sequence[Value | str], axis: Axis, start: float, end: float, count: int
) -> tuple[Scale, Sequence[Value]]:
    days = [value for value in values if isinstance(value, date)]
    if days:
        return dates(days, start, end, count)
    return (logarithmic if axis.log else linear)([_value(value) for value in values], start, end, count)


def _value(value: Value | str) -> Value:
    if isinstance(value, str):
        raise TypeError(f"{value!r} is no number or day, so it has no place on a line chart's axis")
    return value


def _shown(place: Value | str, axis: Axis) -> str:
    return place if isinstance(place, str) else axis.show(place)


def _tick(place: Value | str, axis: Axis) -> str:
    return place if isinstance(place, str) else axis.tick(place)


def _figure(
    title: str,
    description: str,
    series: Sequence[Series],
    x: Axis,
    y: Axis,
    draw: Callable[[Frame], Markup],
    *,
    is_line: bool,
    marks: Sequence[Mark] = (),
) -> Markup:
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    drawings = [
        shell(draw(frame), frame, f"{name}-{kind}", kind, title, description)
        for frame, kind in ((BROAD, "broad"), (NARROW, "narrow"))
    ]
    return element(
        "figure",
        element("figcaption", title, element("span", description)),
        *([_legend(series, is_line=is_line)] if len(series) > 1 else []),
        *drawings,
        *([element("ol", *(element("li", mark.text) for mark in marks), class_="marks")] if marks else []),
        folded("The values as a table", _values(title, series, x, y)),
    )


def _legend(series: Sequence[Series], *, is_line: bool) -> Markup:
    def swatch(n: int) -> Markup:
        shape = (
            element("line", x1=0, x2=22, y1=6, y2=6, class_=f"line l{n}")
            if is_line
            else element("rect", width=14, height=12, rx=2, class_=f"f{n}")
        )
        return element("svg", shape, viewBox="0 0 22 12", aria_hidden="true")

    return element("ul", *(element("li", swatch(n), s.name) for n, s in enumerate(series)), class_="legend")


def _values(title: str, series: Sequence[Series], x: Axis, y: Axis) -> Markup:
    found = [dict(s.points) for s in series]
    places = list(dict.fromkeys(place for points in found for place in points))
    rows = [
        [_shown(place, x), *(y.show(points[place]) if place in points else "" for points in found)]
        for place in places
    ]
    columns = [Column(x.label), *(Column(s.name, number=True) for s in series)]
    return table(f"{title}: {y.label}", columns, rows)
