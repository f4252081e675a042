"""A linear model or scikit-learn pipeline, compiled to steps: evaluated in Python, with nothing imported for it.

It answers what scikit-learn's model does. Numbers are float64 throughout, except that what is sent as FP32 or FP16
to a model that takes a data frame is rounded to it first, as the frame would.
"""

# pathlib would cost 10 ms of each cold start:
# ruff: noqa: PTH118, PTH120, PTH123

from __future__ import annotations

import os
from _operator import mul
from math import exp, isfinite

from lastmile_runtime import jsons, pipeline_steps, table
from lastmile_runtime.errors import BundleError, RequestError
from lastmile_runtime.forest import open_forest
from lastmile_runtime.pipeline_encoders import Unfit
from lastmile_runtime.predictors import trees
from lastmile_runtime.tensors import Tensor

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lastmile_runtime.manifest import Version
    from lastmile_runtime.predictors import Predict

    Row = list[Any]
    Rows = Callable[[list[Row]], tuple[list[float], list[float]]]
    """From rows to margins and values, each flat."""

FORMAT = "lastmile.pipeline/1"
_HALF = {"FP16": "e", "FP32": "f"}
_INFINITY = float("inf")
_MAX_COLUMNS = 100_000


def load(path: str, version: Version) -> Predict:
    """Read the document and the forest beside it. The answers are those of it that the manifest names; else all.

    Raises BundleError for a file that is not one, or lacks a named answer.
    """
    with open(path, "rb") as file:
        content = file.read()
    try:
        document = jsons.loads(content)
        if document["format"] != FORMAT:
            raise BundleError(f"{version.artifact} has the format {document['format']!r}, not {FORMAT!r}.")
        columns = document["columns"]
        names = version.columns or _numbered(columns)
        evaluate, widths, entries = _evaluator(document, path, names)
        answers = [trees.answer_of(entry, widths) for entry in trees.wanted_answers(entries, version)]
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        OSError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise BundleError(f"{version.artifact} cannot be read: {type(error).__name__}: {error}.") from error

    def predict(inputs: list[Tensor]) -> list[Tensor]:
        rows = _rows(inputs, version, columns)
        try:
            margins, values = evaluate(rows)
        except Unfit as error:
            raise RequestError(400, _told(evaluate, rows, error)) from error
        return [answer(margins, values) for answer in answers]

    return predict


def _numbered(columns: int) -> list[str]:
    if columns > _MAX_COLUMNS:
        raise ValueError(f"columns is {columns}, but at most {_MAX_COLUMNS} are read")
    return [str(index) for index in range(columns)]


def _evaluator(document: dict[str, Any], path: str, names: list[str]) -> tuple[Rows, dict[str, int], Any]:
    """Return what evaluates rows, how wide its margins and values are, and the answers that there are."""
    entries, final = document["steps"], document.get("final")
    margins, values = document["widths"]
    widths = {"margins": margins, "values": values}
    if final is None:
        return _transform(pipeline_steps.steps(entries, names)), widths, document["answers"]
    if final["kind"] == "linear":
        return _linear(final, entries, names), widths, document["answers"]
    if final["kind"] != "forest" or "/" in final["file"]:
        raise ValueError(f"its final step is {final['kind']!r} in the file {final.get('file')!r}")
    forest = open_forest(os.path.join(os.path.dirname(path), final["file"]))
    widths = {"margins": forest.outputs, "values": forest.columns}
    steps = pipeline_steps.steps(entries, names) or list

    def run(rows: list[Row]) -> tuple[list[float], list[float]]:
        made = [steps(row) for row in rows]
        try:
            return forest.evaluate(made)
        except (TypeError, ValueError) as error:
            raise RequestError(400, f"{error}.") from error

    return run, widths, jsons.loads(forest.metadata)["answers"]


def _transform(steps: Callable[[Row], Row] | None) -> Rows:
    def run(rows: list[Row]) -> tuple[list[float], list[float]]:
        flat = [float(value) for row in rows for value in (steps(row) if steps else row)]
        return flat, flat

    return run


def _linear(final: dict[str, Any], entries: list[dict[str, Any]], names: list[str]) -> Rows:
    """Return what adds up. The last check is left until a sum is not finite: then a value of the row is not either."""
    check = None
    if entries and entries[-1]["kind"] == "check":
        check, entries = pipeline_steps.check(entries[-1], names), entries[:-1]
    steps = pipeline_steps.steps(entries, names)
    weights = list(zip(final["coefficients"], final["intercepts"], strict=True))
    width = len(weights)
    values_of = _values_of(final, width)
    first, intercept = weights[0]

    def run(rows: list[Row]) -> tuple[list[float], list[float]]:
        margins: list[float] = []
        for given in rows:
            row = steps(given) if steps else given
            try:
                margin = sum(map(mul, row, first)) + intercept
            except TypeError:
                margin = _INFINITY
            if check and not isfinite(margin):
                check(row)
            margins.append(margin)
            if width > 1:
                margins += [sum(map(mul, row, others)) + start for others, start in weights[1:]]
        return margins, values_of(margins)

    return run


def _values_of(final: dict[str, Any], width: int) -> Callable[[list[float]], list[float]]:
    """Return the link, as a function from the margins of any number of rows to their values."""
    name, offset = final["link"], final["offset"]
    if name == "identity":
        return lambda margins: margins
    if name == "scores":
        return lambda margins: [value for margin in margins for value in (margin, margin + offset)]
    link = _LINKS[name]
    return lambda margins: [
        value for start in range(0, len(margins), width) for value in link(margins[start : start + width])
    ]


def _sigmoid(margin: float) -> float:
    if margin >= 0:
        return 1 / (1 + exp(-margin))
    grown = exp(margin)
    return grown / (1 + grown)


def _exp(margin: float) -> float:
    return exp(margin) if margin < 709 else _large_exp(margin)


def _large_exp(margin: float) -> float:
    try:
        return exp(margin)
    except OverflowError:
        return _INFINITY


def _half(margin: float) -> float:
    return (min(max(margin, -1.0), 1.0) + 1) / 2


def _shares(numbers: list[float]) -> list[float]:
    total = sum(numbers)
    if total == 0:
        return [1 / len(numbers)] * len(numbers)
    return [number / total for number in numbers]


def _softmax(margins: list[float]) -> list[float]:
    greatest = max(margins)
    return _shares([exp(margin - greatest) for margin in margins])


def _pair(share: float) -> list[float]:
    return [1 - share, share]


_LINKS: dict[str, Callable[[list[float]], list[float]]] = {
    "exp": lambda margins: [_exp(margin) for margin in margins],
    "binary_sigmoid": lambda margins: _pair(_sigmoid(margins[0])),
    "binary_softmax": lambda margins: _softmax([-margins[0], margins[0]]),
    "sigmoid_shares": lambda margins: _shares([_sigmoid(margin) for margin in margins]),
    "softmax": _softmax,
    "binary_modified_huber": lambda margins: _pair(_half(margins[0])),
    "modified_huber_shares": lambda margins: _shares([_half(margin) for margin in margins]),
}


def _rows(inputs: list[Tensor], version: Version, columns: int) -> list[Row]:
    if version.columns:
        return table.rows_of(_rounded(inputs) if version.frame else inputs, version.columns)
    (tensor,) = inputs if len(inputs) == 1 else (None,)
    if tensor is None or not tensor.data or tensor.shape[1:] != [columns]:
        shapes = ", ".join(f"{tensor.name!r} with the shape {tensor.shape}" for tensor in inputs)
        raise RequestError(
            400, f"the model takes one input of the shape [rows, {columns}], but was sent {shapes}."
        )
    return [tensor.data[start : start + columns] for start in range(0, len(tensor.data), columns)]


def _rounded(inputs: list[Tensor]) -> list[Tensor]:
    """Return the inputs, those of a narrow float type rounded to it: values keep more digits until here."""
    if not any(tensor.datatype in _HALF for tensor in inputs):
        return inputs
    import struct

    def narrow(tensor: Tensor) -> Tensor:
        layout = f"{len(tensor.data)}{_HALF[tensor.datatype]}"
        data = list(struct.unpack(layout, struct.pack(layout, *tensor.data)))
        return Tensor(tensor.name, tensor.datatype, tensor.shape, data)

    return [narrow(tensor) if tensor.datatype in _HALF else tensor for tensor in inputs]


def _told(evaluate: Rows, rows: list[Row], error: Unfit) -> str:
    """Return the message with the row that it is about, which is found by trying each again."""
    for index, row in enumerate(rows):
        try:
            evaluate([row])
        except Unfit as again:
            return f"row {index}: {again}."
    return f"{error}."
