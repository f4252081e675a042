from __future__ import annotations

import pytest

from lastmile_sls.bootstrap.document import Cloud
from lastmile_sls.bootstrap.text import about, afterwards
from tests.lastmile_sls.bootstrap.plans import EVERYTHING, bootstrap_plan


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("target", ["aws", "gcp", "azure"])
def test_no_line_is_wider_than_the_terminal_but_addresses_and_commands(target: Cloud, columns: int) -> None:
    plan = bootstrap_plan(target, **EVERYTHING[target])
    text = about(plan, columns)
    wide = [line for line in text.splitlines() if len(line) > columns]
    assert all("https://" in line or line.startswith("      a") for line in wide)
    assert {"what it will not do:", f"  all of it, while nobody uses it: {_sum(target)} a month"} <= set(
        text.splitlines()
    )
    assert afterwards(plan, columns).startswith(
        "what comes next:\n  Keep every deployment's state there:\n    export "
    )


def _sum(target: Cloud) -> str:
    return {"aws": "$1.00", "gcp": "$0.06", "azure": "$5.08"}[target]


def test_a_part_is_told_with_its_price_and_its_page() -> None:
    lines = about(bootstrap_plan("aws"), 80).splitlines()
    assert lines[:4] == [
        "what it makes, and what that costs (list prices of us-east-1 in USD):",
        "  state           lastmile-state-123456789012-eu-west-1",
        "                  $0.023 per GB-month, $0.005 per 1000 writes",
        "                  https://aws.amazon.com/s3/pricing/ (unverified)",
    ]
    at = lines.index("      aws ce start-cost-allocation-tag-backfill --backfill-from YYYY-MM-01T00:00:00Z")
    assert lines[at - 1].endswith("12 months back it goes with:")
