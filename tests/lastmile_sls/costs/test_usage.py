"""Counts of requests are read from CSV and JSON lines, and a row that says nothing is refused by its line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from lastmile_sls.costs.usage import Usage, read_usage
from lastmile_sls.errors import LastmileError

HEAD = "day,model,environment,version,requests,duration_ms\n"
HINT = "Write such a file with: lastmile usage -o usage.csv"
DAY = date(2026, 10, 1)


def _file(folder: Path, text: str) -> Path:
    path = folder / "usage"
    path.write_text(text)
    return path


def test_rows_of_both_kinds_are_read_and_added_up(tmp_path: Path) -> None:
    lines = tmp_path / "usage.jsonl"
    lines.write_text(
        '{"day": "2026-10-01", "model": "churn", "environment": "prod", "version": "v1", "requests": 30, '
        '"duration_ms": 4.5}\n\n'
        '{"day": "2026-10-01", "model": "churn", "environment": "prod", "version": "v2", "requests": 5}\n'
    )
    table = tmp_path / "usage.csv"
    table.write_text("\ufeff" + HEAD + "2026-10-01,churn,prod,v1,10,2.5\n2026-10-02,churn,prod,v1,7,\n")
    assert read_usage([lines, table]) == (
        Usage(DAY, "churn", "prod", "v1", 40, Decimal(4)),
        Usage(DAY, "churn", "prod", "v2", 5, None),
        Usage(date(2026, 10, 2), "churn", "prod", "v1", 7, None),
    )
    assert read_usage([lines, table])[0].work_ms == 160


def test_a_sum_of_what_nobody_measured_has_no_duration(tmp_path: Path) -> None:
    rows = "2026-10-01,churn,prod,v1,10,2.5\n2026-10-01,churn,prod,v1,7,\n2026-10-02,churn,prod,v1,0,\n"
    assert [row.duration_ms for row in read_usage([_file(tmp_path, HEAD + rows)])] == [None, None]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("day,model,requests\n", "{path} has no column environment, version; it has day, model, requests."),
        ("", "{path} has no column day, model, environment, version, requests; it has none."),
        (
            HEAD + "1 October,churn,prod,v1,1,\n",
            "{path}, line 2: day is '1 October', but a day is written 2026-10-31.",
        ),
        (
            HEAD + "2026-10-01,churn,prod,v1,1.5,\n",
            "{path}, line 2: requests is '1.5', but requests are counted in whole numbers.",
        ),
        (
            HEAD + "2026-10-01,churn,prod,v1,-1,\n",
            "{path}, line 2: requests is '-1', but it is a number of 0 or more.",
        ),
        (
            HEAD + "2026-10-01,churn,prod,v1,1,NaN\n",
            "{path}, line 2: duration_ms is 'NaN', but it is a number of 0 or more.",
        ),
        (HEAD + "2026-10-01,,prod,v1,1,\n", "{path}, line 2 has no model."),
        (
            '{"day": "2026-10-01"',
            "{path}, line 1 is no JSON: Expecting ',' delimiter: line 1 column 21 (char 20).",
        ),
        ('{"day": "2026-10-01"}\n[1]', "{path}, line 1 has no model."),
        (
            '{"day": "2026-10-01", "model": "a", "environment": "b", "version": "c", "requests": true}',
            "{path}, line 1: requests is True, but it is a number of 0 or more.",
        ),
    ],
)
def test_a_row_without_its_form_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = _file(tmp_path, text)
    with pytest.raises(LastmileError) as refused:
        read_usage([path])
    assert refused.value.message == told.format(path=path)
    assert refused.value.hint == HINT


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LastmileError, match="absent cannot be read: No such file or directory"):
        read_usage([tmp_path / "absent"])
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LastmileError, match="binary cannot be read: it is no text in UTF-8"):
        read_usage([tmp_path / "binary"])
