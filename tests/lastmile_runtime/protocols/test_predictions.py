"""Answers row by row, in JSON and in CSV."""

from __future__ import annotations

import math
from typing import Any

import pytest

from lastmile_runtime.protocols.predictions import respond, respond_csv, rows_of
from lastmile_runtime.service import Prediction
from lastmile_runtime.tensors import Tensor

PREDICT = Tensor("predict", "INT64", [2], [1, 0])
PROBABILITIES = Tensor("predict_proba", "FP64", [2, 2], [0.25, 0.75, 1, 0])
SCORE = Tensor("score", "FP32", [2, 1], [0.5, 2.0])


def prediction(*outputs: Tensor) -> Prediction:
    return Prediction("v1", list(outputs), {"x-model-version": "v1"}, {"route": "rule=only"})


@pytest.mark.parametrize(
    ("outputs", "rows"),
    [
        ([PREDICT], [1, 0]),
        ([PREDICT, PROBABILITIES], [1, 0]),
        ([PROBABILITIES], [[0.25, 0.75], [1, 0]]),
        ([PREDICT, SCORE], [{"predict": 1, "score": [0.5]}, {"predict": 0, "score": [2.0]}]),
        ([PREDICT, Tensor("loss", "FP64", [1], [9])], [{"predict": 1, "loss": 9}, {"predict": 0}]),
        ([Tensor("total", "FP64", [], [7])], [7]),
        ([Tensor("empty", "FP64", [0], [])], []),
    ],
)
def test_an_answer_is_a_list_of_rows(outputs: list[Tensor], rows: list[Any]) -> None:
    assert rows_of(prediction(*outputs)) == rows


def test_an_answer_has_its_receipt_and_its_facts() -> None:
    response = respond({"predictions": [1]}, prediction(PREDICT), {"x-more": "1"})
    headers = {"content-type": "application/json", "x-model-version": "v1", "x-more": "1"}
    assert (response.status, response.headers, response.body) == (200, headers, b'{"predictions":[1]}')
    assert response.facts == {"route": "rule=only"}


def test_what_json_lacks_is_written_as_words_and_base64() -> None:
    value = {"predictions": [math.nan, math.inf, -math.inf, "\udcff", "é"]}
    expected = '{"predictions":[null,"Infinity","-Infinity",{"b64":"/w=="},"é"]}'
    assert respond(value, prediction()).body == expected.encode()


def test_an_answer_in_csv_has_a_line_for_each_row() -> None:
    response = respond_csv(prediction(PREDICT, SCORE, Tensor("t", "BYTES", [2], ['a,"b', "\udcff"])))
    assert response.headers == {"content-type": "text/csv; charset=utf-8", "x-model-version": "v1"}
    assert response.body == b'1,0.5,"a,""b"\n0,2.0,\xff\n'
    assert respond_csv(prediction(PROBABILITIES)).body == b"0.25,0.75\n1,0\n"
