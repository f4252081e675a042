"""The SVG of a chart's parts: its frame with the names beside it, bars, lines and marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lastmile_sls.page.markup import Markup, element, together
from lastmile_sls.page.scales import Scale, widest

_MOST_DOTS = 70
_LETTERS = 18


@dataclass(frozen=True)
class Frame:
    """Where a chart is drawn, in pixels."""

    width: int
    height: int
    left: int
    columns: int
    """About so many values stand below it."""
    rows: int
    """About so many values stand beside it."""
    font: int

    @property
    def right(self) -> int:
        """Where the drawing ends; the last name below may reach beyond."""
        return self.width - 24

    @property
    def top(self) -> int:
        """Below the name of the upright axis."""
        return 30

    @property
    def bottom(self) -> int:
        """Above the names."""
        return self.height - 48

    def names(self, names: Sequence[str]) -> int:
        """Return how many of these names have room beside each other."""
        return int((self.right - self.left) / (widest(names, self.font) + 10))


BROAD = Frame(1000, 340, left=68, columns=10, rows=5, font=13)
NARROW = Frame(360, 260, left=52, columns=4, rows=4, font=12)


def shell(drawing: Markup, frame: Frame, name: str, kind: str, title: str, description: str) -> Markup:
    """Return the drawing as an image that says its title and description to the ear."""
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", description, id=f"{name}-desc"),
        drawing,
        class_=f"chart {kind}",
        viewBox=f"0 0 {frame.width} {frame.height}",
        font_size=frame.font,
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )


def names_of(names: Sequence[str], frame: Frame) -> list[str]:
    """Return names cut to what has room below a bar."""
    most = _LETTERS if frame is BROAD else _LETTERS // 2
    return [name if len(name) <= most else f"{name[: most - 1]}…" for name in names]


def grid(
    frame: Frame,
    below: Sequence[tuple[float, str]],
    beside: Sequence[tuple[float, str]],
    x_label: str,
    y_label: str,
) -> Markup:
    """Return the lines behind a drawing, and what is written around it."""
    parts: list[Markup] = []
    for y, name in beside:
        parts.extend(
            (
                element("line", x1=frame.left, x2=frame.right, y1=y, y2=y, class_="grid"),
                element("text", name, x=frame.left - 8, y=y + 4, text_anchor="end"),
            )
        )
    for x, name in below:
        parts.extend(
            (
                element("line", x1=x, x2=x, y1=frame.bottom, y2=frame.bottom + 5, class_="axis"),
                element("text", name, x=x, y=frame.bottom + 20, text_anchor="middle"),
            )
        )
    parts.extend(
        (
            element("line", x1=frame.left, x2=frame.right, y1=frame.bottom, y2=frame.bottom, class_="axis"),
            element("text", x_label, x=frame.right, y=frame.height - 8, text_anchor="end"),
            element("text", y_label, x=4, y=14),
        )
    )
    return element("g", *parts)


def bars(
    frame: Frame,
    middles: Sequence[float],
    width: float,
    values: Sequence[Sequence[float]],
    told: Sequence[Sequence[str]],
    up: Scale,
) -> Markup:
    """Return bars on top of each other; each says what it is when it is pointed at."""
    drawn: list[Markup] = []
    thick = min(width * 0.78, 64)
    for place, middle in enumerate(middles):
        reached = {True: 0.0, False: 0.0}
        for n, series in enumerate(values):
            value = series[place]
            if not value:
                continue
            start = reached[value > 0]
            reached[value > 0] += value
            edges = sorted((up.at(start), up.at(start + value)))
            drawn.append(
                element(
                    "rect",
                    element("title", told[n][place]),
                    x=middle - thick / 2,
                    y=edges[0],
                    width=thick,
                    height=max(edges[1] - edges[0], 0.5),
                    class_=f"f{n}",
                )
            )
    zero = element("line", x1=frame.left, x2=frame.right, y1=up.at(0), y2=up.at(0), class_="axis")
    return element("g", *drawn, zero)


def lines(
    frame: Frame,
    told: Sequence[Sequence[tuple[float, float, str]]],
    marks: Sequence[tuple[float, float, str]],
) -> Markup:
    """Return lines through points, of which each says what it is when it is pointed at, and numbered marks."""
    parts: list[Markup] = []
    for n, points in enumerate(told):
        path = " ".join(f"{'L' if k else 'M'}{x:.1f} {y:.1f}" for k, (x, y, _) in enumerate(points))
        parts.append(element("path", d=path, class_=f"line l{n}"))
    for n, points in enumerate(told):
        radius = 2.5 if len(points) * frame.width <= _MOST_DOTS * 1000 and len(points) <= _MOST_DOTS else 0
        for x, y, text in points:
            dot = element("circle", cx=x, cy=y, r=radius, class_=f"dot f{n}") if radius else Markup("")
            hit = element("circle", cx=x, cy=y, r=8, class_="hit")
            parts.append(element("g", element("title", text), dot, hit))
    for n, (x, y, text) in enumerate(marks, 1):
        parts.append(
            element(
                "g",
                element("title", text),
                element("circle", cx=x, cy=y, r=9, class_="mark"),
                element("text", str(n), x=x, y=y + 4, text_anchor="middle", class_="mark-name"),
            )
        )
    return together(*parts)
