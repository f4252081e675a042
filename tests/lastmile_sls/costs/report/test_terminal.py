"""The report on a terminal of 80 columns, word for word."""

from __future__ import annotations

from datetime import date

from lastmile_sls.costs.report.document import Asked
from lastmile_sls.costs.report.make import make
from lastmile_sls.costs.report.terminal import text
from tests.lastmile_sls.costs.cubes import Row, connection
from tests.lastmile_sls.costs.report.reports import report

WHOLE = """\
Synthetic example: nothing here was ever billed.
What models cost, 1 to 16 October 2026 (2 files of aws, azure, 52 rows)

USD: 246.08 effective, 200.00 billed, 248.00 at list prices, 1 to 16 October
  2026
  October 2026 will cost 478.65 USD, between 443.56 and 513.74 in 80 of 100 such
    months (by weekday means of 16 days).

model                          effective  with shared  billed    list  per 1 000
churn                             190.08       202.08  144.00  192.00      1.251
"><img src=x onerror=alert(1…      32.00        32.00   32.00   32.00
(not attributed)                   24.00         0.00   24.00   24.00
tiny                               <0.01        12.00   <0.01   <0.01
total                             246.08       246.08  200.00  248.00

on the bill, and no usage:
                  effective  billed
  Tax                 14.20   14.20
  Credit             -25.00  -25.00

24.00 USD, 9.8 % of the usage, is attributed to no model.
  Amazon S3 (aws): 24.00, 100.0 % of 24.00; 1 resource without tags

what stands out (1):
  14 October 2026: AWS Lambda (aws) of churn (prod) cost 40.00 USD, where 10.00
    is the median of the 15 other days seen (4.0 times).

EUR: 3.50 effective, 3.50 billed, 3.50 at list prices, 16 October 2026
  No forecast: a forecast needs 14 days, and there are 1.

model             effective  billed  list
heat                   3.50    3.50  3.50
total                  3.50    3.50  3.50

All of the usage is attributed to a model.

2 rows could not be read as they should:
  aws.csv: BilledCost is no number, 2 rows, not counted

warning: two exports overlap on 3 days; the later one counts"""


def test_everything_is_told_within_80_columns() -> None:
    assert text(report("even", synthetic=True), "model") == WHOLE


def test_another_dimension_and_another_width() -> None:
    told = text(report(), "version", 60)
    assert max(len(line) for line in told.splitlines()) <= 60
    assert (
        """
model and version                  effective  billed    list
churn (prod) (all versions)           170.06  126.00  168.00
"><img src=x onerror=alert(1)> (…      32.00   32.00   32.00
(not attributed)                       24.00   24.00   24.00
churn (prod) v1                        15.01   13.50   18.00
churn (prod) v2                         5.00    4.50    6.00
tiny (no environment) (all versi…      <0.01   <0.01   <0.01
total                                 246.08  200.00  248.00
rounding, in the total                  0.01
"""
        in told
    )
    assert "\n2026-10-14" in text(report(), "day")


def test_what_a_terminal_would_obey_is_not_told() -> None:
    rows = [Row(date(2026, 10, 1), "1", "red\x1b[31m\nnews")]
    told = text(make(connection(rows), Asked()), "model")
    assert "red\ufffd[31m\ufffdnews" in told


def test_a_bill_of_other_charges_alone_is_told() -> None:
    (last,) = text(
        make(connection([Row(date(2026, 10, 1), "14.2", None, charge="Tax")]), Asked()), "model"
    ).split("\n\n")[2:3]
    assert last == "model             effective  billed  list\ntotal                  0.00    0.00  0.00"
