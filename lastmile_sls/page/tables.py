"""Tables that are read by eye and by ear: a caption, a scope on each heading, numbers flush right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lastmile_sls.page.markup import Markup, element


@dataclass(frozen=True)
class Column:
    """A table's column."""

    heading: str
    number: bool = False
    """Whether it holds numbers, which stand flush right."""
    hidden: bool = False
    """Whether its heading is for the ear alone, as of a column of small pictures."""


def table(
    caption: str,
    columns: Sequence[Column | str],
    rows: Sequence[Sequence[str]],
    *,
    total: Sequence[Sequence[str]] = (),
    caption_hidden: bool = False,
) -> Markup:
    """Return a table; each row's first cell names the row.

    Args:
        caption: What it shows.
        columns: A plain string is a column of text.
        rows: As many cells each as there are columns.
        total: Rows below a line, such as the sum.
        caption_hidden: Whether the caption is for the ear alone, since a heading says the same.

    Raises ValueError for a row of another length.
    """
    told = [column if isinstance(column, Column) else Column(column) for column in columns]
    parts = [
        element("caption", caption, class_="unseen" if caption_hidden else None),
        element("thead", element("tr", *(_heading(column) for column in told))),
        element("tbody", *(_row(told, row) for row in rows)),
    ]
    if total:
        parts.append(element("tfoot", *(_row(told, row) for row in total)))
    # A table wider than the page is moved by keys too, so it can have the focus.
    return element(
        "div", element("table", *parts), class_="wide", role="region", aria_label=caption, tabindex="0"
    )


def _heading(column: Column) -> Markup:
    name = element("span", column.heading, class_="unseen") if column.hidden else column.heading
    return element("th", name, scope="col", class_="number" if column.number else None)


def _row(columns: Sequence[Column], cells: Sequence[str]) -> Markup:
    if len(cells) != len(columns):
        raise ValueError(f"a row has {len(cells)} cells in a table of {len(columns)} columns")
    first, *others = cells
    return element(
        "tr",
        element("th", first, scope="row", class_="number" if columns[0].number else None),
        *(
            element("td", cell, class_="number" if column.number else None)
            for column, cell in zip(columns[1:], others, strict=True)
        ),
    )
