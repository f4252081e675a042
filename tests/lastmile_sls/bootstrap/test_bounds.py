from __future__ import annotations

from lastmile_sls.bootstrap.bounds import Told, by_hand, kept, will_not
from tests.lastmile_sls.bootstrap.plans import EVERYTHING, bootstrap_plan


def begins(told: list[Told]) -> list[str]:
    return [one.text.partition(":")[0].partition(".")[0] for one in told]


def test_aws() -> None:
    first = bootstrap_plan("aws", notify=["me@example.com"])
    assert begins(will_not(first)) == [
        "Activate the cost tags yet",
        "Activate tags in a member account of an organization",
        "Change past bills",
        "Fill the billing bucket at once",
        "Watch for anomalies before the tags are activated",
        "Delete data",
        "Make a key for the state's secrets",
    ]
    second = bootstrap_plan("aws", **EVERYTHING["aws"])
    assert begins(will_not(second)) == [
        "Activate tags in a member account of an organization",
        "Change past bills",
        "Fill the billing bucket at once",
        "Delete data",
    ]
    assert by_hand(second) == []
    assert will_not(second)[-1].text == (
        "Delete data: --destroy keeps the state, the billing data, the registry and its images, the key of the state's "
        "secrets and the activated tags."
    )


def test_google_has_no_api_for_its_export() -> None:
    plan = bootstrap_plan("gcp", "asia-east1", kms=True)
    assert begins(will_not(plan)) == [
        "Start the billing export",
        "Fill in past costs",
        "Turn APIs off when it is destroyed",
        "Delete data",
    ]
    assert by_hand(plan) == [
        Told(
            "After: as a Billing Account Administrator, open",
            "https://console.cloud.google.com/billing/export?project=a-project",
        ),
        Told("On the tab BigQuery export, at Detailed usage cost, click Edit settings."),
        Told("Choose the project a-project and the dataset lastmile_billing. Click Save."),
    ]
    without = bootstrap_plan("gcp", billing=False)
    assert by_hand(without) == []
    assert "Start the billing export" not in begins(will_not(without))
    assert "Fill in past costs" not in begins(will_not(bootstrap_plan("gcp")))


def test_azure_says_what_was_not_proven_and_what_stays() -> None:
    plan = bootstrap_plan("azure")
    assert begins(will_not(plan)) == [
        "Export in FOCUS columns from a pay-as-you-go subscription",
        "Prove the export",
        "Delete the export with --destroy",
        "Change past charges",
        "Make a container registry, which costs while nobody uses it",
        "Delete data",
        "Make a key for the state's secrets",
    ]
    (before,) = by_hand(plan)
    assert before.command == (
        "az provider register --namespace Microsoft.CostManagementExports "
        f"--subscription {plan['account']} --wait"
    )
    bare = bootstrap_plan("azure", billing=False, inherit_tags=False)
    assert by_hand(bare) == []
    assert kept(bare) == ["the state"]
