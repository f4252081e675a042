"""Exports a PyTorch model to ONNX; run as a program of its own by the Python that has the user's torch, 3.9 or later.

It reads a request (JSON) from the file that its first argument names, writes the ONNX file, and beside it what the model
answers to random inputs of two batch sizes, so that the graph can be compared. It imports nothing of lastmile.
"""

from __future__ import annotations

import inspect
import json
import sys
from importlib import import_module
from typing import Any

OPSET = 16
"""ONNX Runtime has had it since 1.12, torch since 1.12."""
BATCHES = (2, 3)
_DTYPES = {
    "BOOL": "bool",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "UINT8": "uint8",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
}


def main(path: str) -> None:
    """Carry out the request: `kind`, `model`, `inputs` (name, datatype, shape), `outputs`, `onnx`, `checks`."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as short as can be
        request = json.load(file)
    torch = import_module("torch")
    torch.manual_seed(0)
    export = _export_script if request["kind"] == "torchscript" else _export_program
    checks = export(torch, request)
    with open(request["checks"], "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump({"torch": torch.__version__, "checks": checks}, file)


def _export_script(torch: Any, request: dict[str, Any]) -> list[Any]:
    model = torch.jit.load(request["model"], map_location="cpu").eval()
    inputs = request["inputs"]
    examples = [tuple(_random(torch, entry, batch) for entry in inputs) for batch in BATCHES]
    with torch.no_grad():
        answers = [_flat(model(*example)) for example in examples]
    names = request["outputs"] or _names(len(answers[0]))
    dynamic = {
        entry["name"]: {
            axis: f"{entry['name']}_{axis}" for axis, size in enumerate(entry["shape"]) if size < 0
        }
        for entry in inputs
    }
    for name, answer, other in zip(names, answers[0], answers[1]):  # noqa: B905 - Python 3.9
        grown = [axis for axis, size in enumerate(answer.shape) if size != other.shape[axis]]
        dynamic[name] = {axis: f"{name}_{axis}" for axis in grown}
    options: dict[str, Any] = {
        "input_names": [entry["name"] for entry in inputs],
        "output_names": names,
        "dynamic_axes": dynamic,
        "opset_version": OPSET,
    }
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        options["dynamo"] = False
    torch.onnx.export(model, examples[0], request["onnx"], **options)
    pairs = zip(examples, answers)  # noqa: B905 - Python 3.9
    return [_check(options["input_names"], example, names, answer) for example, answer in pairs]


def _export_program(torch: Any, request: dict[str, Any]) -> list[Any]:
    program = torch.export.load(request["model"])
    example, keywords = program.example_inputs
    if keywords:
        raise ValueError("it was exported with keyword arguments, which a request has no place for")
    inputs = [entry["name"] for entry in request["inputs"]] or list(program.graph_signature.user_inputs)
    with torch.no_grad():
        answer = _flat(program.module()(*example))
    names = request["outputs"] or _names(len(answer))
    made = torch.onnx.export(program, input_names=inputs, output_names=names, dynamo=True)
    made.save(request["onnx"], external_data=False)
    return [_check(inputs, example, names, answer)]


def _random(torch: Any, entry: dict[str, Any], batch: int) -> Any:
    shape = [batch if size < 0 else size for size in entry["shape"]]
    dtype = getattr(torch, _DTYPES[entry["datatype"]])
    if dtype.is_floating_point:
        return torch.rand(shape).to(dtype)
    return torch.randint(0, 2, shape).to(dtype)


def _names(count: int) -> list[str]:
    return ["predict"] if count == 1 else [f"output_{index}" for index in range(count)]


def _flat(answer: Any) -> list[Any]:
    """Return a model's answer, a tensor or a tuple of them, as a list."""
    found = list(answer) if isinstance(answer, (list, tuple)) else [answer]
    for tensor in found:
        if not hasattr(tensor, "numpy"):
            raise TypeError(
                f"it answers with a {type(tensor).__name__}; it must be a tensor, or a tuple of tensors"
            )
    return found


def _check(inputs: list[str], example: Any, outputs: list[str], answer: Any) -> dict[str, Any]:
    def plain(names: list[str], tensors: Any) -> dict[str, Any]:
        return {
            name: {"shape": list(tensor.shape), "data": tensor.detach().reshape(-1).tolist()}
            for name, tensor in zip(names, tensors)  # noqa: B905 - Python 3.9
        }

    return {"inputs": plain(inputs, example), "outputs": plain(outputs, answer)}


if __name__ == "__main__":
    main(sys.argv[1])
