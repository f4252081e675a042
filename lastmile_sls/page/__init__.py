"""One HTML file that asks nobody for anything: its skeleton, tables and charts, for every report.

    from lastmile_sls import page

    page.document("Costs", page.section("By model", page.table("Cost by model", columns, rows)))

Text is escaped where an element is made (`markup.element`) and nowhere else: a plain `str` is text, a `Markup` is HTML.
"""

from lastmile_sls.page.charts import Axis, Mark, Series, bar_chart, line_chart, share_bar, sparkline
from lastmile_sls.page.markup import Markup, element, together
from lastmile_sls.page.skeleton import (
    anchor,
    banner,
    contents,
    document,
    facts,
    folded,
    listed,
    paragraph,
    section,
)
from lastmile_sls.page.tables import Column, table

__all__ = [
    "Axis",
    "Column",
    "Mark",
    "Markup",
    "Series",
    "anchor",
    "banner",
    "bar_chart",
    "contents",
    "document",
    "element",
    "facts",
    "folded",
    "line_chart",
    "listed",
    "paragraph",
    "section",
    "share_bar",
    "sparkline",
    "table",
    "together",
]
