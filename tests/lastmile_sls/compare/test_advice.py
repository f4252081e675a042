"""What to take, and why, in sentences that anybody can check against the table."""

from __future__ import annotations

from dataclasses import replace

from lastmile_sls.compare.compare import compare
from lastmile_sls.compare.document import Comparison
from lastmile_sls.estimate.traffic_file import Shape
from tests.lastmile_sls.compare import priced

SPEC = priced.spec()


def compared(shape: Shape, **changes: object) -> Comparison:
    question = replace(priced.question(SPEC, shape), **changes)  # type: ignore[arg-type]  # fields of Question's
    return compare(priced.offers(SPEC), question, ())


def plain(sentences: tuple[str, ...]) -> list[str]:
    return [sentence.replace("\u00a0", " ") for sentence in sentences]


def test_the_recommendation_and_its_reasons() -> None:
    assert plain(compared(priced.shape()).advice) == [
        "Take gcp with 256 MB: 1 000 000 requests a month cost 4.50 USD, which is 0.0045 USD per 1 000 predictions.",
        (
            "aws with 512 MB costs 5.50 USD, 22 % more. On gcp while nobody calls it costs 1.00 USD, aws 4.00 USD "
            "(most of it: aws's Rest)."
        ),
        (
            "azure with 512 MB costs 11.50 USD, 2.6 times as much. On gcp 1 000 predictions add 0.0035 USD, on azure "
            "0.0115 USD (most of it: azure's Requests)."
        ),
        (
            "Up to 124 999 requests a month azure is the cheapest: while nobody calls it costs nothing, gcp 1.00 USD "
            "(most of it: gcp's Rest)."
        ),
        (
            "From 125 000 to 1 333 333 requests a month gcp is the cheapest: while nobody calls it costs 1.00 USD, aws "
            "4.00 USD (most of it: aws's Rest)."
        ),
        (
            "From 1 333 334 requests a month aws is the cheapest: 1 000 predictions add 0.00125 USD, on gcp 0.0035 USD "
            "(most of it: gcp's Requests)."
        ),
    ]


def test_one_target_alone_and_a_quicker_size_for_about_as_much() -> None:
    question = priced.question(SPEC, priced.shape(duration={}))
    found = compare(priced.offers(SPEC)[:1], question, ())
    assert plain(found.advice) == [
        "Take aws with 2048 MB: 1 000 000 requests a month cost 7.00 USD, which is 0.007 USD per 1 000 predictions.",
        "2048 MB rather than 1024 MB, which costs 6.73 USD: a request takes 100 ms instead of 173 ms.",
        "aws is the cheapest at every volume from 1 000 to 10 000 000 000 requests a month.",
    ]


def test_what_the_numbers_rest_on() -> None:
    given = plain(compared(priced.shape()).notes)
    assert given == [
        (
            "List prices, without tax and discounts; nothing is taken off for what an account has free each month "
            "(--free-tier)."
        ),
        "The durations that you gave are taken to be the same on every target and size.",
        (
            "First answers are measured on a machine, and not on a cloud. What a cloud adds, finding room and fetching the "
            "code, is not known."
        ),
        "As the traffic grows, its shape is kept: payloads, shares, and the peak in proportion.",
    ]
    measured = plain(compared(priced.shape(duration={}), free_tier=True).notes)
    assert measured[0].endswith("is taken off, as if this were its only deployment.")
    assert measured[1].startswith("Durations: measured for v1 and v2 on this machine (x86_64, Python 3.13; ")
    assert "keep one processor busy: with less than one it takes so much longer" in measured[2]
    assert measured[3].startswith(
        "Lambda has one processor with 1769 MB, and in proportion (docs.aws.amazon.com/"
    )
    assert measured[4].startswith(
        "Azure Functions has 0.25 with 512, 1 with 2048, 2 with 4096 MB (learn.microsoft"
    )
