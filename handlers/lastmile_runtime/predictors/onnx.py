"""An ONNX model in ONNX Runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from lastmile_runtime.predictors.arrays import from_array, to_array
from lastmile_runtime.tensors import Tensor, as_rows

if TYPE_CHECKING:
    from lastmile_runtime.manifest import Version
    from lastmile_runtime.predictors import Predict


def load(path: str, version: Version) -> Predict:
    """Make a session with one thread per request, since requests run beside each other."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    wanted = session.get_inputs()

    def predict(inputs: list[Tensor]) -> list[Tensor]:
        if version.columns and len(wanted) == 1:
            feed = {wanted[0].name: _matrix(inputs, version, wanted[0].type)}
        else:
            feed = {tensor.name: to_array(tensor) for tensor in inputs}
        return [_tensor(name, value) for name, value in zip(names, session.run(names, feed), strict=True)]

    return predict


def _matrix(inputs: list[Tensor], version: Version, kind: str) -> Any:
    datatype = np.float64 if kind == "tensor(double)" else np.float32
    rows = as_rows(inputs, version.columns)
    return np.array(rows, dtype=datatype).reshape(len(rows), len(version.columns))


def _tensor(name: str, value: Any) -> Tensor:
    """Convert an output; a list of dictionaries (a ZipMap's) becomes a matrix in the order of the first one's keys."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        keys = list(value[0])
        value = np.array([[row[key] for key in keys] for row in value])
    return from_array(name, value)
