"""Exports a scikit-learn model that no reader carries to ONNX, through skl2onnx, which is an optional package.

The graph takes float64 where skl2onnx and ONNX Runtime can compute in it, else float32; its answers have the names,
types and shapes that scikit-learn's have. What a graph answers may still differ, in converters that are wrong as in
float32 that is rounded to the other side of a threshold: compare it with the model before it is served.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lastmile_runtime.predictors.arrays import DTYPES, from_array
from lastmile_runtime.predictors.onnx_mark import INFINITE, MISSING, REFUSES
from lastmile_runtime.predictors.sklearn import METHODS, methods_of
from lastmile_runtime.tensors import Tensor
from lastmile_sls.compile.not_carried import NotCarried
from lastmile_sls.errors import LastmileError

MATRIX = "input"
"""The one input of a model that takes an array."""
OPSETS = {"": 18, "ai.onnx.ml": 3}
"""What ONNX Runtime has had since 1.15."""
_SINGLE = ("TreeEnsemble", "SVM", "Linear", "Normalizer", "Scaler", "Imputer")
"""Operators of ai.onnx.ml that answer in float32 whatever they are given, and whose types no inference knows."""
_EXPORTED = ("predict", "predict_proba", "transform")


def export(estimator: Any, example: Any, destination: Path, outputs: Sequence[str] = ()) -> str:
    """Write a fitted estimator as an ONNX model; return the least exact datatype that it computes in, FP64 or FP32.

    Args:
        estimator: It predicts or transforms.
        example: A row or more that the estimator takes, an array or a DataFrame as it is served with; it says which
            inputs there are (a frame: one per column, of the shape [rows, 1]), and which types the answers have.
        destination: The file.
        outputs: The methods that are asked for; where none is named, predict, and predict_proba if it has it, or
            transform of an estimator that does not predict.

    Raises LastmileError when skl2onnx or onnxruntime is not installed, and CannotCompile for what is not carried.
    """
    skl2onnx = _package("skl2onnx")
    _package("onnxruntime")
    names = list(outputs) or methods_of(estimator)
    for name in names:
        if name not in _EXPORTED:
            raise NotCarried("ONNX output", name if name in METHODS else repr(name))
    expected = [from_array(name, getattr(estimator, name)(example)) for name in names]
    reasons = []
    for number, rows in itertools.product(("DoubleTensorType", "FloatTensorType"), _forms(example)):
        try:
            model = _converted(skl2onnx, estimator, rows, number, expected)
            content = model.SerializeToString()
            answers = _answers(content, rows, names)
        except Exception as error:  # noqa: BLE001 - converters and graphs fail in ways of their own
            reasons.append(
                f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
            )
            continue
        _require_same_form(answers, expected)
        if refused := _refused(estimator, example):
            model.metadata_props.add(key=REFUSES, value=",".join(refused))
            content = model.SerializeToString()
        destination.write_bytes(content)
        return _precision(model)
    raise NotCarried("ONNX converter", f"unable ({'; otherwise: '.join(dict.fromkeys(reasons))})")


def _package(name: str) -> Any:
    try:
        return __import__(name)
    except ImportError as error:
        raise LastmileError(
            f"Exporting a model to ONNX takes {name}, which is not installed.",
            f"Install it: pip install {name}",
        ) from error


def _converted(skl2onnx: Any, estimator: Any, example: Any, number: str, expected: list[Tensor]) -> Any:
    classifies = hasattr(estimator, "classes_")
    model = skl2onnx.convert_sklearn(
        estimator,
        initial_types=_inputs(example, number),
        options={id(estimator): {"zipmap": False}} if classifies else None,
        target_opset=OPSETS,
    )
    _shape_outputs(model.graph, expected)
    return model


def _forms(example: Any) -> list[Any]:
    """Return what the graph may take: a frame's columns, else the matrix they make where all are numbers."""
    if hasattr(example, "columns") and all(dtype.kind in "biuf" for dtype in example.dtypes):
        return [example, example.to_numpy()]
    return [example]


def _refused(estimator: Any, example: Any) -> list[str]:
    """Return which of missing and infinite numbers the estimator takes in none of its columns."""
    import numpy as np

    found = []
    for what, number in ((MISSING, np.nan), (INFINITE, np.inf)):
        rows = example.copy()
        if hasattr(example, "columns"):
            for name in example.columns[[dtype.kind == "f" for dtype in example.dtypes]]:
                rows[name] = number
        else:
            rows[:] = number
        try:
            for name in methods_of(estimator):
                getattr(estimator, name)(rows)
        except ValueError:
            found.append(what)
    return found


def _precision(model: Any) -> str:
    """Return the least exact datatype that a graph computes with."""
    from onnx import TensorProto, shape_inference

    graph = shape_inference.infer_shapes(model).graph
    kinds = {value.type.tensor_type.elem_type for value in (*graph.input, *graph.value_info)}
    single = TensorProto.FLOAT in kinds or any(node.op_type.startswith(_SINGLE) for node in graph.node)
    return "FP32" if single else "FP64"


def _inputs(example: Any, number: str) -> list[tuple[str, Any]]:
    from skl2onnx.common import data_types

    numbers = getattr(data_types, number)
    if not hasattr(example, "columns"):
        return [(MATRIX, numbers([None, example.shape[1]]))]
    return [
        (name, (numbers if example[name].dtype.kind in "biuf" else data_types.StringTensorType)([None, 1]))
        for name in example.columns
    ]


def _shape_outputs(graph: Any, expected: list[Tensor]) -> None:
    """Give the graph the outputs that the model has, in their types and shapes, in place of the converter's."""
    import numpy as np
    from onnx import helper, numpy_helper

    made = {"predict": 0, "transform": 0, "predict_proba": 1}
    found = [graph.output[made[tensor.name]].name for tensor in expected]
    del graph.output[:]
    for source, tensor in zip(found, expected, strict=True):
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(DTYPES[tensor.datatype]))
        shape = f"lastmile_{tensor.name}_shape"
        sizes = np.array([-1, *tensor.shape[1:]], dtype=np.int64)
        graph.initializer.append(numpy_helper.from_array(sizes, shape))
        shaped = f"lastmile_{tensor.name}_shaped"
        is_text = tensor.datatype == "BYTES"
        graph.node.append(helper.make_node("Reshape", [source, shape], [tensor.name if is_text else shaped]))
        if not is_text:
            graph.node.append(helper.make_node("Cast", [shaped], [tensor.name], to=kind))
        graph.output.append(helper.make_tensor_value_info(tensor.name, kind, [None, *tensor.shape[1:]]))


def _answers(content: bytes, example: Any, names: list[str]) -> list[Tensor]:
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    types = {node.name: node.type for node in session.get_inputs()}
    dtypes = {"tensor(double)": np.float64, "tensor(float)": np.float32, "tensor(string)": object}
    if hasattr(example, "columns"):
        feed = {
            name: example[name].to_numpy(dtype=dtypes[kind]).reshape(-1, 1) for name, kind in types.items()
        }
    else:
        feed = {MATRIX: np.asarray(example, dtype=dtypes[types[MATRIX]])}
    values = session.run(names, feed)
    return [from_array(name, value) for name, value in zip(names, values, strict=True)]


def _require_same_form(answers: list[Tensor], expected: list[Tensor]) -> None:
    for found, wanted in zip(answers, expected, strict=True):
        if (found.datatype, found.shape) != (wanted.datatype, wanted.shape):
            raise NotCarried(
                "ONNX graph",
                f"one whose {found.name} is {found.datatype} {found.shape}, not {wanted.datatype} {wanted.shape}",
            )
