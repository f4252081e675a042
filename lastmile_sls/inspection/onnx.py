"""What an ONNX model says about itself, asked of ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ColumnFacts, ModelFacts

NAME = "onnx"
LABEL = "ONNX (.onnx)"

_DATATYPES = {
    "tensor(bool)": "BOOL",
    "tensor(double)": "FP64",
    "tensor(float)": "FP32",
    "tensor(float16)": "FP16",
    "tensor(int8)": "INT8",
    "tensor(int16)": "INT16",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
    "tensor(string)": "BYTES",
    "tensor(uint8)": "UINT8",
    "tensor(uint16)": "UINT16",
    "tensor(uint32)": "UINT32",
    "tensor(uint64)": "UINT64",
}


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether a file is an ONNX model: its first field is the IR version, a small number."""
    return path.suffix == ".onnx" or (
        len(head) > 2 and head[0] == 0x08 and head[1] < 0x20 and head[2] in (0x12, 0x3A)
    )


def read(path: Path, *, trust: bool = False) -> ModelFacts:
    """Return the model's inputs and outputs. Raises LastmileError when it cannot be read, or has data outside its file."""
    try:
        import onnxruntime
    except ImportError as error:
        raise LastmileError(
            f"{path.name} is an ONNX model, and reading it takes onnxruntime, which is not installed.",
            "Install it: pip install 'lastmile-sls[onnx]'",
        ) from error
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        # From memory, so that weights in other files, wherever they point, are not read.
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise LastmileError(
            f"{path.name} cannot be read as ONNX: {_first_line(error)}",
            "A model with external data must be saved as one file: onnx.save(model, path)",
        ) from error
    return ModelFacts(
        framework=NAME,
        requirements=(f"onnxruntime=={onnxruntime.__version__}",),
        inputs=tuple(_column(path, tensor) for tensor in session.get_inputs()),
        outputs=tuple(_column(path, tensor) for tensor in session.get_outputs()),
    )


def _column(path: Path, tensor: Any) -> ColumnFacts:
    if tensor.type.startswith("seq(map("):  # a ZipMap's probabilities, which the runtime turns into a matrix
        return ColumnFacts(tensor.name, "FP32", (-1, -1))
    if tensor.type not in _DATATYPES:
        raise LastmileError(
            f"{path.name} has {tensor.name} of the type {tensor.type}, which no protocol carries.",
            f"Export the model with tensors of: {', '.join(_DATATYPES)}",
        )
    shape = tuple(size if isinstance(size, int) else -1 for size in tensor.shape) or (-1,)
    return ColumnFacts(tensor.name, _DATATYPES[tensor.type], shape)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
