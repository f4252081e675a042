"""A prediction's outputs row by row, as the protocols of rows answer them, in JSON and in CSV."""

from __future__ import annotations

from lastmile_runtime import tensors
from lastmile_runtime.http import Response, json_response
from lastmile_runtime.protocols.cells import BINARY

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.service import Prediction

_ESTIMATORS = {"predict", "predict_proba", "decision_function", "score_samples"}
"""The outputs of an estimator beside what it predicts, which these protocols' own servers leave out."""


def rows_of(prediction: Prediction) -> list[Any]:
    """Return an answer row by row.

    Of a scikit-learn estimator it is what `predict` gives, as MLflow's and KServe's own servers answer (the Open
    Inference Protocol has the probabilities as well); of another model with one output its rows; of one with several
    an object for each row, values by output. Text that is no UTF-8 stays as it is; `respond` puts it right.
    """
    outputs = {tensor.name: tensor for tensor in prediction.outputs}
    if "predict" in outputs and outputs.keys() <= _ESTIMATORS:
        outputs = {"predict": outputs["predict"]}
    nested = {name: tensor.nested() for name, tensor in outputs.items()}
    rows = {name: value if isinstance(value, list) else [value] for name, value in nested.items()}
    if len(rows) == 1:
        return next(iter(rows.values()))
    count = max(map(len, rows.values()), default=0)
    return [
        {name: values[index] for name, values in rows.items() if index < len(values)}
        for index in range(count)
    ]


def respond(value: Any, prediction: Prediction, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON answer with its receipt.

    What JSON does not have becomes what `tensors.finite` says; bytes that are no text become `{"b64": "..."}`.
    """
    headers = {**prediction.headers, **(headers or {})}
    try:
        return json_response(value, headers=headers, facts=prediction.facts)
    except ValueError:  # a NaN, an infinity, or text that is no UTF-8
        return json_response(encodable(tensors.finite(value)), headers=headers, facts=prediction.facts)


def respond_csv(prediction: Prediction, headers: dict[str, str] | None = None) -> Response:
    """Return an answer as CSV with its receipt: a line for each row, the values of its outputs one after another."""
    import csv
    import io

    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    for row in rows_of(prediction):
        writer.writerow(_flat(list(row.values()) if isinstance(row, dict) else row))
    body = output.getvalue().encode("utf-8", "surrogateescape")
    headers = {"content-type": "text/csv; charset=utf-8", **prediction.headers, **(headers or {})}
    return Response(200, headers, body, prediction.facts)


def _flat(value: Any) -> list[Any]:
    return [inner for entry in value for inner in _flat(entry)] if isinstance(value, list) else [value]


def encodable(value: Any) -> Any:
    """Return what JSON can hold: text that is no UTF-8 becomes `{"b64": "..."}`."""
    match value:
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                from binascii import b2a_base64

                content = value.encode("utf-8", "surrogateescape")
                return {BINARY: b2a_base64(content, newline=False).decode()}
        case list():
            return [encodable(entry) for entry in value]
        case dict():
            return {name: encodable(entry) for name, entry in value.items()}
    return value
