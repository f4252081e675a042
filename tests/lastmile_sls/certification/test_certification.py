"""What a certificate finds: each way in which a compiled model can differ."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from typing import Any

import pytest

from lastmile_runtime.errors import RequestError
from lastmile_runtime.manifest import TensorSpec, Version
from lastmile_runtime.tensors import Tensor
from lastmile_sls.certification.compare import Report, certify
from lastmile_sls.certification.rows import generate, near
from lastmile_sls.inspection.facts import ColumnFacts

COLUMNS = (
    ColumnFacts("age", "FP64", minimum=18, maximum=99),
    ColumnFacts("count", "INT32", minimum=0, maximum=5),
    ColumnFacts("plan", "BYTES", categories=("basic", "pro")),
)
VERSION = Version("v1", "sklearn", "m", inputs=[TensorSpec(c.name, c.datatype, [-1]) for c in COLUMNS])
THRESHOLDS = {0: [30.5, 41.0]}


def model(inputs: list[Tensor]) -> list[Tensor]:
    """Refuses missing ages; decides at 30.5 and 41."""
    ages, counts, plans = (tensor.data for tensor in inputs)
    if any(math.isnan(age) for age in ages):
        raise ValueError("Input contains NaN")
    scores = [(age > 30.5) + (age > 41) + count / 7 for age, count in zip(ages, counts, strict=True)]
    classes = [
        "yes" if plan == "pro" and score > 1 else "no" for plan, score in zip(plans, scores, strict=True)
    ]
    return [Tensor("score", "FP64", [len(ages)], scores), Tensor("class", "BYTES", [len(ages)], classes)]


def changed(change: Callable[[list[Tensor], list[Tensor]], Any]) -> Callable[[list[Tensor]], list[Tensor]]:
    def predict(inputs: list[Tensor]) -> list[Tensor]:
        outputs = model(inputs)
        change(inputs, outputs)
        return outputs

    return predict


def report(compiled: Callable[[list[Tensor]], list[Tensor]], **options: Any) -> Report:
    rows = generate(COLUMNS, sample=[[44.0, 2, "pro"]], thresholds=THRESHOLDS)
    return certify(model, compiled, VERSION, rows, **options)


def test_the_same_model_is_certified_on_every_kind_of_row() -> None:
    found = report(model)
    assert (found.passed, found.largest_difference, found.flips, found.row) == (True, 0.0, 0, None)
    assert list(found.by_kind) == [
        "sample",
        "random",
        "thresholds",
        "missing",
        "infinite",
        "unseen",
        "extreme",
    ]
    assert found.rows == sum(found.by_kind.values())
    assert found.refused == 2, (
        "the one row with a missing age, and the one with everything that can be missing"
    )
    assert json.loads(json.dumps(found.to_json()))["passed"] is True


def test_the_same_rows_are_made_each_time() -> None:
    assert repr(generate(COLUMNS, thresholds=THRESHOLDS)) == repr(generate(COLUMNS, thresholds=THRESHOLDS))


def shift(inputs: list[Tensor], outputs: list[Tensor]) -> None:
    outputs[0].data = [score * (1 + 1e-7) for score in outputs[0].data]


def strict(inputs: list[Tensor], outputs: list[Tensor]) -> None:
    """Decides at 41 with >= instead of >: on the threshold alone it differs."""
    outputs[0].data = [
        score + (age == 41.0) for age, score in zip(inputs[0].data, outputs[0].data, strict=True)
    ]


def flip(inputs: list[Tensor], outputs: list[Tensor]) -> None:
    outputs[1].data = [
        "yes" if plan == "" else label for plan, label in zip(inputs[2].data, outputs[1].data, strict=True)
    ]


def retype(inputs: list[Tensor], outputs: list[Tensor]) -> None:
    outputs[0].datatype = "FP32"


def refuse(inputs: list[Tensor], outputs: list[Tensor]) -> None:
    if "" in inputs[2].data:
        raise RequestError(400, "no plan")


@pytest.mark.parametrize(
    ("change", "failure"),
    [
        (shift, "sample row [44.0, 2, 'pro']: score is 2.2857142857142856, compiled 2.2857145"),
        (strict, "thresholds row [41.0, "),
        (flip, "unseen row ["),
        (retype, "sample row [44.0, 2, 'pro']: the original answers [('class', 'BYTES', [1]), ('score', 'FP64', [1])]"),
        (refuse, "unseen row ["),
    ],
)  # fmt: skip
def test_a_difference_is_found_and_told(change: Callable[..., None], failure: str) -> None:
    found = report(changed(change))
    assert not found.passed
    assert found.failure is not None
    assert found.failure.startswith(failure)


def test_a_model_that_answers_what_the_original_refuses_is_not_certified() -> None:
    def lenient(inputs: list[Tensor]) -> list[Tensor]:
        inputs[0].data = [0.0 if math.isnan(age) else age for age in inputs[0].data]
        return model(inputs)

    failure = report(lenient).failure
    assert failure is not None
    assert failure.startswith("missing row ['nan', ")
    assert (
        "the original model refuses it (ValueError: Input contains NaN), the compiled one answers" in failure
    )


def test_flips_are_counted_and_less_exact_models_are_given_more_room() -> None:
    assert report(changed(flip)).flips >= 1
    found = report(changed(shift), at_least=1e-6)
    assert found.passed
    assert 1e-8 < found.largest_difference < 1e-6
    assert found.row is not None


@pytest.mark.parametrize("threshold", [0.1, 1.0, -2.5, 0.0, 3.4028234663852886e38, 1e300, math.inf])
def test_the_neighbours_of_a_threshold(threshold: float) -> None:
    found = near(threshold)
    assert threshold in found
    if math.isfinite(threshold):
        assert math.nextafter(threshold, -math.inf) in found
    if abs(threshold) < 3e38:
        single = struct.unpack("f", struct.pack("f", threshold))[0]
        singles = [value for value in found if struct.unpack("f", struct.pack("f", value))[0] == value]
        assert single in singles
        assert len(singles) >= 3
