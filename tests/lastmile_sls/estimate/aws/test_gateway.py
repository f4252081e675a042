"""What is in front of the function: AWS's own worked examples."""

from __future__ import annotations

import pytest

from lastmile_sls.estimate.aws.gateway import function_url, http_api
from tests.lastmile_infra.plans import two_versions
from tests.lastmile_sls.estimate.aws.months import D, costs, month, quantities
from tests.lastmile_sls.policy.judged import made

API = made("aws:apigatewayv2/api:Api")
URL = made("aws:lambda/functionUrl:FunctionUrl", invokeMode="BUFFERED")


def test_the_pages_http_api() -> None:
    """aws.amazon.com/api-gateway/pricing, quoted 2025-05-19: 216 million requests are 216 USD."""
    found = http_api(API, month(216_000_000, request_kb="0.5", response_kb="0.5"))
    assert found[0].name == "Requests"
    assert found[0].cost == 216


def test_the_pages_data_out() -> None:
    """The same page's other example: five million answers of 3 KB are 14.3 GB, at 0.09 USD 1.29."""
    (sent,) = function_url(URL, month(5_000_000, response_kb=3))
    assert (sent.name, sent.quantity.quantize(D("0.1"))) == ("Data transfer out", D("14.3"))
    assert sent.cost.quantize(D("0.01")) == D("1.29")


@pytest.mark.parametrize(("request_kb", "each"), [("511", 1), ("512", 2), ("1023", 2), ("1024", 3)])
def test_a_call_is_billed_by_started_512_kb(request_kb: str, each: int) -> None:
    """The page: "HTTP APIs are metered in 512 KB increments"; here with an answer of 1 KB."""
    assert http_api(API, month(100, request_kb=request_kb))[0].quantity == 100 * each


def test_above_300_million_a_call_has_the_next_price() -> None:
    """The page (2026-09-21): 1.00 USD for each of the first 300 million, 0.90 above."""
    assert http_api(API, month(400_000_000))[0].cost == 300 + 90


def test_an_answer_that_comes_later_is_fetched_by_another_call_and_sent_once() -> None:
    here = month(1000, spec={"queue": {}}, later_share="0.25", response_kb=1024)
    assert quantities(http_api(API, here)) == {"Requests": 1250 * 3, "Data transfer out": D(1000) / 1024}


def test_the_pages_streams() -> None:
    """aws.amazon.com/lambda/pricing (2026-09-20): a million answers of 7 MB, 6 MB of each free: 7.81 USD."""
    streams = made("aws:lambda/functionUrl:FunctionUrl", invokeMode="RESPONSE_STREAM")
    spec = {"resources": {"processor": "x86_64"}}
    found = function_url(streams, month(1_000_000, spec=spec, response_kb=7 * 1024))
    assert found[1].quantity.quantize(D("0.01")) == D("976.56")
    assert costs(found)["Streamed"] == D("7.81")
    assert found[1].price.meter == "aws.lambda.streaming.x86_64"
    assert len(function_url(URL, month(1_000_000, response_kb=7 * 1024))) == 1


def test_each_version_s_part_is_what_it_answers() -> None:
    for one in http_api(API, month(1000, spec=two_versions())):
        parts = {
            version: (part / one.cost).quantize(D("0.000001")) for version, part in one.by_version.items()
        }
        assert parts == {"v1": D("0.9"), "v2": D("0.1")}
        assert one.usage_based


def test_nobody_calls() -> None:
    assert http_api(API, month(0)) == function_url(URL, month(0)) == []
