"""Between tensors and numpy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from lastmile_runtime.tensors import Tensor

DATATYPES = {
    "BOOL": np.bool_,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
    "BYTES": np.object_,
}
_NAMES = {np.dtype(kind): name for name, kind in DATATYPES.items()}


def to_array(tensor: Tensor) -> Any:
    """Return the tensor as an array of its datatype and shape; BYTES become strings."""
    return np.array(tensor.data, dtype=DATATYPES[tensor.datatype]).reshape(tensor.shape)


def from_array(name: str, values: Any) -> Tensor:
    """Return an array, or what makes one (a sparse matrix, a list), as a tensor."""
    array = np.asarray(values.toarray() if hasattr(values, "toarray") else values)
    datatype = _NAMES.get(array.dtype)
    if datatype is None or datatype == "BYTES":
        return Tensor(name, "BYTES", list(array.shape), [str(value) for value in array.ravel()])
    return Tensor(name, datatype, list(array.shape), array.ravel().tolist())
