"""FOCUS's versions by their columns, and files that are something else."""

from __future__ import annotations

import pytest

from lastmile_sls.costs.columns import Columns, NotFocusError, aside, columns_of
from tests.lastmile_sls.costs.exports import azure, google, row


def of(*names: str) -> Columns:
    return columns_of("a.csv", [(name, "VARCHAR") for name in names])


def test_a_version_is_the_earliest_that_has_all_columns() -> None:
    first = tuple(row())
    assert of(*first).version == "1.0"
    assert of(*first, "SkuMeter").version == "1.1"
    assert of(*azure()).version == of(*google()).version == "1.2"
    assert of(*first, "ServiceProviderName", "HostProviderName").version == "1.3"
    third = [name for name in first if name not in {"ProviderName", "PublisherName"}]
    assert of(*third, "ServiceProviderName", "HostProviderName").version == "1.3"
    assert of(*third, "ServiceProviderName", "HostProviderName", "InvoiceDetailId").version == "1.4"


def test_case_does_not_matter() -> None:
    columns = of(*(name.upper() for name in row()))
    assert columns.names["billedcost"] == "BILLEDCOST"
    assert columns.types["billedcost"] == "VARCHAR"


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (
            ["line_item_unblended_cost", "line_item_usage_start_date"],
            (
                "a.csv is AWS's Cost and Usage Report, not FOCUS: BilledCost, EffectiveCost, BillingCurrency, "
                "ChargePeriodStart, ChargeCategory, ServiceName, ProviderName (or ServiceProviderName) are missing.\n"
                "Export the table FOCUS_1_2_AWS instead: "
                "https://docs.aws.amazon.com/cur/latest/userguide/dataexports-create.html"
            ),
        ),
        (
            ["CostInBillingCurrency", "MeterCategory"],
            "a.csv is Azure's actual or amortized cost, not FOCUS: ",
        ),
        (
            ["billing_account_id", "usage_start_time", "cost"],
            "a.csv is Google Cloud's standard or detailed usage cost, ",
        ),
        (["ChargeType", "AmortizedCost", "Provider"], "a.csv is FOCUS before 1.0, not FOCUS: "),
        (["a", "b", "c", "d", "e", "f", "g"], "are missing. It has a, b, c, d, e and 2 more."),
        (
            [name for name in row() if name != "BilledCost"],
            "a.csv is not FOCUS: BilledCost is missing. It has ",
        ),
    ],
)
def test_another_file_is_told_what_it_is(names: list[str], told: str) -> None:
    with pytest.raises(NotFocusError) as error:
        of(*names)
    assert told in str(error.value)


def test_other_datasets_have_no_charges() -> None:
    described = [(name, "VARCHAR") for name in ("ContractCommitmentId", "BilledCost")]
    assert aside(described) == "contract commitments"
    assert aside([(name, "VARCHAR") for name in (*row(), "InvoiceDetailId")]) is None
    assert aside([("a", "VARCHAR")]) is None
