"""An ONNX model in ONNX Runtime."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

# numpy would start a thread per processor for its matrix products, which ONNX Runtime does not use: that takes 80 ms.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import onnxruntime

from lastmile_runtime import table
from lastmile_runtime.errors import RequestError
from lastmile_runtime.predictors.arrays import DTYPES, from_array, to_array, to_matrix
from lastmile_runtime.predictors.onnx_mark import INFINITE, MISSING, REFUSES, is_optimized
from lastmile_runtime.tensors import Tensor

if TYPE_CHECKING:
    from lastmile_runtime.manifest import Version
    from lastmile_runtime.predictors import Predict

_DATATYPES = {
    "tensor(bool)": "BOOL",
    "tensor(float16)": "FP16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
    **{f"tensor({name.lower()})": name for name in DTYPES if "INT" in name},
}
_NOTHING_BUT_CRASHES = 4
"""Errors are raised as well, with the same words."""


def load(path: str, version: Version) -> Predict:
    """Make a session with one thread per request, since requests run beside each other.

    A model that was optimised when it was bundled is run as it is.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _NOTHING_BUT_CRASHES
    if is_optimized(path):
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]
    feed = _feeder(session.get_inputs(), version)
    refuses = session.get_modelmeta().custom_metadata_map.get(REFUSES, "").split(",")

    def predict(inputs: list[Tensor]) -> list[Tensor]:
        fed = feed(inputs)
        if refuses != [""]:
            _check(fed, refuses, version)
        values = session.run(outputs, fed)
        return [from_array(name, _unmapped(value)) for name, value in zip(outputs, values, strict=True)]

    return predict


def _check(fed: dict[str, Any], refuses: list[str], version: Version) -> None:
    """Raise RequestError for the first number that the model was not trained to take."""
    for name, array in fed.items():
        if array.dtype.kind != "f" or np.isfinite(array).all():
            continue
        told, wrong = "missing (NaN)", np.isnan(array) if MISSING in refuses else np.zeros_like(array, bool)
        if INFINITE in refuses and not wrong.any():
            told, wrong = "infinite", np.isinf(array)
        if wrong.any():
            row, *places = (int(place) for place in np.argwhere(wrong)[0])
            is_matrix = len(fed) == 1 and len(places) == 1 and version.columns
            column = version.columns[places[0]] if is_matrix else name
            raise RequestError(400, f"row {row}: column {column!r} is {told}, but the model takes none.")


def _feeder(wanted: list[Any], version: Version) -> Any:
    """Return a function from a request's tensors to arrays of the types and ranks that the model takes."""
    dtypes = {node.name: DTYPES[_DATATYPES[node.type]] for node in wanted}
    first = wanted[0].name

    def matrix(inputs: list[Tensor]) -> dict[str, Any]:
        return {first: to_matrix(inputs, version, dtypes[first])}

    def columns(inputs: list[Tensor]) -> dict[str, Any]:
        given = table.columns_of(inputs, version.columns)
        return {
            node.name: to_array(given[node.name], dtypes[node.name]).reshape((-1, 1)[: len(node.shape)])
            for node in wanted
        }

    def tensors(inputs: list[Tensor]) -> dict[str, Any]:
        return {tensor.name: to_array(tensor, dtypes[tensor.name]) for tensor in inputs}

    if version.columns:
        return matrix if len(wanted) == 1 else columns
    return tensors


def _unmapped(value: Any) -> Any:
    """Return an output as an array; a ZipMap's list of dictionaries as a matrix, classes ascending."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return np.array([list(row.values()) for row in value], dtype=np.float32)
    return value
