"""How each target writes a cron expression."""

from __future__ import annotations

import pytest

from lastmile_sls.plan.cron import expression
from lastmile_sls.plan.document import Target
from lastmile_sls.spec.cron import parse


@pytest.mark.parametrize(
    ("cron", "aws", "gcp", "azure"),
    [
        ("0 6 * * *", "cron(0 6 * * ? *)", "0 6 * * *", "0 0 6 * * *"),
        ("*/30 * * * *", "cron(0,30 * * * ? *)", "0,30 * * * *", "0 0,30 * * * *"),
        ("5 4 1 */6 *", "cron(5 4 1 1,7 ? *)", "5 4 1 1,7 *", "0 5 4 1 1,7 *"),
        ("0 6 * * 6-7", "cron(0 6 ? * SUN,SAT *)", "0 6 * * 0,6", "0 0 6 * * 0,6"),
    ],
)
def test_as_each_cloud_writes_it(cron: str, aws: str, gcp: str, azure: str) -> None:
    targets: dict[Target, str] = {"aws": aws, "gcp": gcp, "azure": azure, "local": gcp}
    assert {target: expression(target, parse(cron)) for target in targets} == targets


def test_either_day_is_not_everywhere() -> None:
    both = parse("0 6 1 * 1")
    assert expression("gcp", both) == "0 6 1 * 1"
    for target in ("aws", "azure"):
        with pytest.raises(
            ValueError, match=f"{target} takes a day of the month or a day of the week, not both"
        ):
            expression(target, both)
