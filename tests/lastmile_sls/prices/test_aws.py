"""Reads AWS's price list: its pages, tiers and regions, and what of it cannot be taken."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.prices import aws as aws_prices
from lastmile_sls.prices.aws import METERS, document, refresh
from lastmile_sls.prices.book import PriceBook
from tests.lastmile_sls.prices.aws_products import a_region, api, asked, flat, nothing, product

TODAY = date(2026, 11, 30)
HERE = ("eu-central-1", "EUC1-")


@pytest.fixture(autouse=True)
def _made_up_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "made-up")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


def _read(*regions: tuple[str, Mapping[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    """Return the list, and what was told."""
    told: list[str] = []
    with api(*regions) as (aws, _):
        return document(aws, [region for region, _ in regions], TODAY, told.append), told


def test_each_meter_is_found_among_all_products_of_two_regions() -> None:
    found, told = _read((HERE[0], a_region(*HERE)), ("us-east-1", a_region("us-east-1", "")))
    book = PriceBook([found])
    assert told == []
    assert (found["format"], found["cloud"], found["currency"]) == ("lastmile.prices/1", "aws", "USD")
    assert set(found["meters"]) == set(METERS)
    for name, meter in METERS.items():
        for region in (HERE[0], "us-east-1"):
            price = book.price(name, region)
            assert (price.name, price.unit, price.read, price.verified) == (
                meter.name,
                meter.unit,
                TODAY,
                True,
            )
            assert (price.free, len(price.tiers)) == (Decimal(meter.free), 1), name
    here = {name: format(book.price(name, HERE[0]).first, "f") for name in METERS}
    assert here["aws.lambda.duration.arm64"] == "0.0000133334"
    assert here["aws.lambda.duration.x86_64"] == "0.0000166667"
    assert here["aws.lambda.tmp.arm64"] == "0.000000034"
    assert here["aws.httpapi.requests"] == "0.0000012"
    assert here["aws.transfer.out"] == "0.09"
    assert here["aws.sqs.requests"] == "0.0000004"
    assert here["aws.cloudwatch.logs-ingested"] == "0.63"
    assert here["aws.kms.keys"] == "1"
    assert found["meters"]["aws.s3.writes"]["prices"][0] == {
        "regions": ["eu-central-1"],
        "tiers": [["0", "0.0000054"]],
        "source": "https://api.pricing.us-east-1.amazonaws.com (GetProducts, AmazonS3, AmazonS32)",
        "read": "2026-11-30",
        "verified": True,
    }


def test_tiers_are_in_order_and_a_first_one_for_nothing_is_what_is_free() -> None:
    """As AWS has them: Lambda's by duration (two pages), the queue's and the internet's with what is free in front."""
    duration = product(
        "DUR",
        "EUC1-Lambda-GB-Second",
        "Lambda-GB-Second",
        [
            ("0", "6000000000", "0.0000166667"),
            ("6000000000", "15000000000", "0.0000150000"),
            ("15000000000", "Inf", "0.0000133334"),
        ],
    )
    sent = product(
        "OUT",
        "EUC1-DataTransfer-Out-Bytes",
        "GB",
        [
            ("0", "100", "0.0000000000"),
            ("100", "10340", "0.0900000000"),
            ("10340", "Inf", "0.0850000000"),
        ],
        transferType="AWS Outbound",
    )
    free = product("ALL", "EUC1-ApiGatewayHttpRequest", "Requests", [("0", "Inf", "0.0000000000")])
    changed = a_region(*HERE, AWSLambda=[[], [duration]], AWSDataTransfer=[[sent]], AmazonApiGateway=[[free]])
    found, told = _read((HERE[0], changed))
    meters = found["meters"]
    assert meters["aws.lambda.duration.x86_64"]["prices"][0]["tiers"] == [
        ["0", "0.0000166667"],
        ["6000000000", "0.000015"],
        ["15000000000", "0.0000133334"],
    ]
    out = meters["aws.transfer.out"]
    assert (out["free"], out["prices"][0]["tiers"]) == ("100", [["0", "0.09"], ["10240", "0.085"]])
    assert meters["aws.httpapi.requests"]["prices"][0]["tiers"] == [["0", "0"]]
    assert (
        "aws.lambda.requests.arm64 in eu-central-1 is left out: AWS's price list has no such product." in told
    )
    assert len(told) == 13


def test_what_cannot_be_taken_is_told_and_left_out() -> None:
    """Two prices; another unit; a gap between tiers; another currency; no price on demand. The rest is there."""
    twice = [
        flat(f"SQS{n}", "EUC1-Requests-RBP", "Requests", price, queueType="Standard")
        for n, price in ((1, "0.0000004"), (2, "0.0000005"))
    ]
    same = [flat(f"ECR{n}", "EUC1-TimedStorage-ByteHrs", "GB-Mo", "0.1") for n in (2, 1)]
    gap = product(
        "API",
        "EUC1-ApiGatewayHttpRequest",
        "Requests",
        [("0", "300000000", "0.0000012"), ("400000000", "Inf", "0.000001")],
    )
    changed = a_region(
        *HERE,
        AWSQueueService=[twice],
        AmazonECR=[same],
        AmazonApiGateway=[[gap]],
        AWSEvents=[[flat("EVE", "EUC1-ScheduledInvocation", "Invocations", "1").replace('"USD"', '"CNY"')]],
        AWSSecretsManager=[
            [
                flat("SEC", "EUC1-AWSSecretsManager-Secrets", "Secret-Hours", "0.0005"),
                flat("ASK", "EUC1-AWSSecretsManagerAPIRequest", "API Requests", "0.1").replace(
                    "OnDemand", "Reserved"
                ),
            ]
        ],
    )
    found, told = _read((HERE[0], changed))
    assert told == [
        "aws.httpapi.requests in eu-central-1 is left out: its tiers do not follow one another from 0 to the end.",
        (
            "aws.sqs.requests in eu-central-1 is left out: "
            "AWS's price list has several (SQS1 for 0.0000004, SQS2 for 0.0000005)."
        ),
        "aws.scheduler.invocations in eu-central-1 is left out: it has no price in USD.",
        "aws.secretsmanager.secrets in eu-central-1 is left out: it is counted in 'Secret-Hours', not in Secrets.",
        "aws.secretsmanager.requests in eu-central-1 is left out: it has no price on demand.",
    ]
    assert set(METERS) - set(found["meters"]) == {line.partition(" ")[0] for line in told}
    assert found["meters"]["aws.ecr.storage"]["prices"][0]["tiers"] == [["0", "0.1"]]


def test_a_region_that_aws_does_not_have_is_refused() -> None:
    with pytest.raises(LastmileError) as caught:
        _read(("europe-west1", nothing()))
    assert caught.value.message == "AWS's price list has no price in 'europe-west1'."
    assert caught.value.hint == "Name a region as AWS does, such as eu-west-1."


@pytest.mark.parametrize(
    ("code", "message", "hint"),
    [
        (
            "ExpiredTokenException",
            "AWS does not take your credentials for the price list (us-east-1): no (ExpiredTokenException).",
            "Log in again: aws sso login. Or renew",
        ),
        (
            "ThrottlingException",
            (
                "AWS was asked for the products of AWSLambda of the price list (us-east-1) again and again, and refused "
                "because there are too many requests: no (ThrottlingException)."
            ),
            "Wait a minute, then run it again",
        ),
        (
            "AccessDeniedException",
            (
                "AWS does not let you see the products of AWSLambda of the price list (us-east-1): "
                "no (AccessDeniedException)."
            ),
            "Are these the right credentials?",
        ),
    ],
)
def test_what_the_api_refuses_is_told(code: str, message: str, hint: str) -> None:
    with api() as (aws, stub):
        stub.add_client_error("get_products", code, "no", expected_params=asked("AWSLambda", HERE[0]))
        with pytest.raises(LastmileError) as caught:
            document(aws, [HERE[0]], TODAY, print)
    assert caught.value.message == message
    assert caught.value.hint.startswith(hint)


def test_the_nearest_of_the_places_that_answer_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[str | None] = []

    def taken(aws: Any, regions: Any, today: Any, tell: Any) -> dict[str, Any]:
        places.append(aws.region)
        return {"regions": regions, "today": today}

    monkeypatch.setattr(aws_prices, "document", taken)
    for environ in (
        {},
        {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-west-2"},
        {"AWS_DEFAULT_REGION": "ap-northeast-1"},
        {"AWS_REGION": "ca-central-1"},
    ):
        assert refresh(["eu-west-1"], environ, TODAY, print) == {"regions": ["eu-west-1"], "today": TODAY}
    assert places == ["us-east-1", "eu-central-1", "ap-south-1", "us-east-1"]
