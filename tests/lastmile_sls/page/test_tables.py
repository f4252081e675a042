"""A table has a caption, a scope on each heading, and cells of its columns' number."""

from __future__ import annotations

import pytest

from lastmile_sls import page


def test_a_table_names_its_rows_and_columns() -> None:
    made = page.table(
        "Cost",
        ["Model", page.Column("USD", number=True), page.Column("trend", hidden=True)],
        [["<b>", "1.20", page.element("i")]],
        total=[["Total", "1.20", ""]],
    )
    assert made == (
        '<div class="wide" role="region" aria-label="Cost" tabindex="0"><table><caption>Cost</caption>'
        '<thead><tr><th scope="col">Model</th><th scope="col" class="number">USD</th>'
        '<th scope="col"><span class="unseen">trend</span></th></tr></thead>'
        '<tbody><tr><th scope="row">&lt;b&gt;</th><td class="number">1.20</td><td><i></i></td></tr></tbody>'
        '<tfoot><tr><th scope="row">Total</th><td class="number">1.20</td><td></td></tr></tfoot></table></div>'
    )


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="a row has 1 cells in a table of 2 columns"):
        page.table("Cost", ["Model", "USD"], [["a"]])
