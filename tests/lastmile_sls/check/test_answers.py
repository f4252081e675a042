"""Answers against what was expected."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from lastmile_sls.check.answers import Compared, Question, compare
from lastmile_sls.check.contract import Answer
from tests.lastmile_runtime.bundles import matrix


def tensor(data: list[Any], name: str = "y", datatype: str = "FP64", shape: list[int] | None = None) -> Any:
    return {"name": name, "datatype": datatype, "shape": shape or [len(data)], "data": data}


def compared(expected: Any, found: Any, status: int = 200, **tolerances: float) -> Compared:
    body = found if isinstance(found, bytes) else json.dumps({"outputs": found}).encode()
    question = Question("v1", [], expected, tolerances)
    return compare(question, Answer(0.0, status, {}, body))


def test_a_question_is_sent_as_the_runtime_reads_it() -> None:
    asked = Question("a b", [matrix([[math.nan, math.inf], [-math.inf, 1.5]])], [])
    assert asked.path("m/1") == "/v2/models/m%2F1/versions/a%20b/infer"
    assert json.loads(asked.body())["inputs"][0]["data"] == [[None, "Infinity"], ["-Infinity", 1.5]]


def test_nested_and_flat_data_are_the_same() -> None:
    nested = tensor([[1.0, 2.0], [3.0, 4.0]], shape=[2, 2])
    assert compared([nested], [tensor([1.0, 2.0, 3.0, 4.0], shape=[2, 2])]) == Compared(None, 0.0)


@pytest.mark.parametrize(
    ("datatype", "off", "is_right"),
    [
        ("FP64", 0.9e-9, True),
        ("FP64", 2e-9, False),
        ("FP32", 1e-6, True),
        ("FP32", 3e-6, False),
        ("FP16", 9e-4, True),
    ],
)
def test_numbers_are_as_near_as_certification_asks(datatype: str, off: float, is_right: bool) -> None:
    found = compared([tensor([1.0], datatype=datatype)], [tensor([1.0 + off], datatype=datatype)])
    assert (found.failure is None) is is_right
    assert found.largest_difference == pytest.approx(off, rel=1e-3)


def test_the_difference_is_relative_to_large_numbers() -> None:
    assert compared([tensor([1e6])], [tensor([1e6 + 1e-4])]).failure is None


def test_what_json_has_no_number_for() -> None:
    for value in (math.nan, math.inf, -math.inf):
        assert compared([tensor([value])], [tensor([value])]) == Compared(None, 0.0)
    assert compared([tensor([math.nan])], [tensor([None])]).failure is None
    found = compared([tensor([1.0])], [tensor([None])])
    assert found == Compared("y[0] is nan, but 1.0 was expected (tolerance 1e-09)", math.inf)


@pytest.mark.parametrize(
    ("expected", "found", "why"),
    [
        (
            tensor(["a"], datatype="BYTES"),
            tensor(["b"], datatype="BYTES"),
            "y[0] is 'b', but 'a' was expected",
        ),
        (tensor([1], datatype="INT64"), tensor([2], datatype="INT64"), "y[0] is 2, but 1 was expected"),
        (
            tensor([1], datatype="INT64"),
            tensor([1], datatype="INT32"),
            "y is INT32 [1], but INT64 [1] was expected",
        ),
        (tensor([1.0]), tensor([1.0, 2.0]), "y is FP64 [2], but FP64 [1] was expected"),
        (tensor([1.0]), tensor([1.0], "z"), "it is answered with the outputs z, but y were expected"),
    ],
)
def test_what_is_not_as_expected_is_named(expected: Any, found: Any, why: str) -> None:
    assert compared([expected], [found]).failure == why


def test_an_error_is_told_in_either_form() -> None:
    expected = [tensor([1.0])]
    for body, why in (
        (b'{"error": "no such input"}', "no such input"),
        (b'{"title": "Unavailable", "detail": "later"}', "later"),
        (b"<html>", "<html>"),
        (b"[1]", "[1]"),
    ):
        assert compared(expected, body, 503).failure == f"it is answered with 503: {why}"


@pytest.mark.parametrize("body", [b"{}", b"no json", b'{"outputs": [{"name": "y"}]}', b'{"outputs": 7}'])
def test_an_answer_of_another_form_is_none(body: bytes) -> None:
    failure = compared([tensor([1.0])], body).failure
    assert failure is not None
    assert failure.startswith("its answer is none of the Open Inference Protocol: ")


def test_a_tolerance_of_ones_own_goes_before() -> None:
    assert compared([tensor([1.0])], [tensor([1.25])], y=0.25) == Compared(None, 0.25)
    assert compared([tensor([1.0])], [tensor([1.1])], z=0.2).failure is not None
