"""The table for a spreadsheet: exact, and no cell of it is a formula that somebody wrote in a tag."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

from lastmile_sls.costs.report.csv_file import FIELDS, write
from lastmile_sls.costs.report.document import Asked
from lastmile_sls.costs.report.make import make
from tests.lastmile_sls.costs.report.reports import bills, report


def test_rows_are_exact_and_formulas_are_text(tmp_path: Path) -> None:
    made = bills()
    make(made, Asked())
    write(made, tmp_path / "it's.csv")
    rows = list(csv.DictReader((tmp_path / "it's.csv").open(newline="")))
    assert tuple(rows[0]) == FIELDS
    usd = [row for row in rows if row["currency"] == "USD" and row["charge"] == "Usage"]
    assert sum(Decimal(row["effective"]) for row in usd) == report().currencies[0].usage.effective
    evil = next(row for row in usd if row["cloud"] == "gcp")
    assert (evil["environment"], evil["service"], evil["owner"], evil["cost_center"]) == (
        *("prod", "'=cmd()", "'@SUM(A1)", "'+1"),
    )
    credit = next(row for row in rows if row["charge"] == "Credit")
    assert (credit["effective"], credit["model"]) == ("-25", "")


def test_a_filter_and_the_label_of_made_up_rows(tmp_path: Path) -> None:
    made = bills()
    make(made, Asked(models=("tiny",)))
    write(made, tmp_path / "table.csv", synthetic=True)
    assert (tmp_path / "table.csv").read_text().splitlines() == [
        ",".join((*FIELDS, "synthetic")),
        "2026-10-16,USD,aws,AWS Lambda,Compute,Usage,tiny,,,,,tag,0.004,0.004,0.004,0.004,1,true",
    ]
