"""What is told, in each cloud's own words; the rest is in tests/conformance, where the clouds' clients refuse."""

from __future__ import annotations

from lastmile_sls.control.refusals import Asked, MissingError, no_sdk


def test_only_the_first_line_of_what_a_cloud_said_is_told() -> None:
    asked = Asked("azure", "churn-dev", "westeurope")
    told = asked.failed("the alerts", f"It broke.\n{'x' * 1000}")
    assert told.message == "Azure did not tell the alerts of churn-dev (westeurope): It broke."
    assert asked.failed("the alerts", "").message.endswith("churn-dev (westeurope): it did not say why.")
    assert len(Asked("gcp", "churn-dev").unreachable("it", "y" * 1000).message) < 400


def test_another_account_is_the_way_out() -> None:
    asked = Asked("aws", "churn-dev", None, "111")
    told = asked.missing("the queue", "gone", "222")
    assert isinstance(told, MissingError)
    assert told.message == (
        "the queue of churn-dev (account 111) is not there: your credentials are those of the account 222."
    )
    assert told.hint == "Use the credentials of the account 111: aws sts get-caller-identity"


def test_a_client_that_is_not_installed() -> None:
    told = no_sdk("aws", "boto3")
    assert (told.message, told.hint) == (
        "boto3 is not installed, with which AWS is asked.",
        "Install it: pip install 'lastmile-sls[aws]'",
    )
