"""An estimate in a terminal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from lastmile_sls.estimate.as_text import changes_of, lines_of
from lastmile_sls.estimate.diff import diff
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions
from tests.lastmile_sls.estimate.priced import estimated, traffic

TODAY = date(2026, 11, 30)


def shown(width: int = 80) -> list[str]:
    month = traffic(measured="given", cold_share=Decimal("0.01"), init_ms={"predict": Decimal(1312)})
    return [line.replace("\u00a0", " ") for line in lines_of(estimated(month), "busy", width, TODAY)]


def test_everything_is_on_one_page() -> None:
    assert "\n".join(shown()) == (
        "churn-dev on aws, eu-west-1, busy: 1 000 000 requests a month\n"
        "  a request takes v1 10 ms, v2 20 ms; given; cold starts: 1 % of the requests,\n"
        "  1 312 ms\n"
        "\n"
        "             quantity  unit         a unit  a month\n"
        "Function churn-dev-predict\n"
        "* Requests  1 000 000  request    0.000001     1.00\n"
        "* Time         11 000  second   ø 0.000955    10.50\n"
        "Bucket churn-dev-state\n"
        "  Keeping           1  month             2     2.00\n"
        "\n"
        "at rest              2.00\n"
        "* by the traffic    11.50\n"
        "a month, USD        13.50\n"
        "1 000 predictions  0.0135\n"
        "\n"
        "version  share  requests  its own  shared  a month  per 1 000\n"
        "v1        90 %   900 000     8.59    2.70    11.29     0.0125\n"
        "v2        10 %   100 000     1.91    0.30     2.21     0.0221\n"
        "  its own: what a version alone causes, by its billed duration; shared: the\n"
        "  rest, by its share of the requests\n"
        "\n"
        "free, 1 resource: Role\n"
        "list prices, read 2026-11-01; taxes and agreements of yours are not in them\n"
        "what an account has free each month would take off 1.00, if this were its only\n"
        "use: --free-tier\n"
        "! nobody could read the price of Keeping in eu-west-1 at its source\n"
        "  (https://prices.example)"
    )


def test_no_line_is_longer_than_the_terminal() -> None:
    for width in (64, 80, 200):
        assert max(map(len, shown(width))) <= width


def test_one_version_has_no_table_and_free_units_are_taken_off() -> None:
    alone = plan_of(spec_of(), "aws")
    lines = list(lines_of(estimated(traffic(), alone, free_tier=True), "", 80, TODAY))
    assert lines[0].startswith("churn-dev on aws, eu-west-1: ")
    assert not any(line.startswith("version") for line in lines)
    assert "the account's free units have taken off 1.00" in lines


def test_changes_are_told_the_largest_first() -> None:
    apart = estimated(traffic(), plan_of(spec_of(**two_versions(apart=True)), "aws"))
    assert [line.replace("\u00a0", " ") for line in changes_of(diff(estimated(), apart), 80)] == [
        "now 13.50, then 14.60 USD a month: +1.10, +8.15 %",
        "  + Function churn-dev-predict-v2  +1.87",
        "  ~ Function churn-dev-predict  -0.77",
        "      Time  -0.77",
    ]
    assert list(changes_of(diff(None, estimated()), 80)) == [
        "nothing is deployed: all 13.50 USD a month are new"
    ]
    before = estimated()
    fewer = replace(before, lines=before.lines[1:])
    assert list(changes_of(diff(before, fewer), 80)) == [
        "now 13.50, then 13.50 USD a month: 0.00, 0.00 %",
        "  and one that costs nothing by itself",
    ]
