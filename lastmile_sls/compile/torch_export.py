"""Exports a PyTorch model, TorchScript or an exported program, to ONNX with the user's own torch.

torch runs in a process of its own, of the Python that has it (`torch_worker.py`), and is never imported here. What comes
out must answer as the model did to random inputs of two batch sizes.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import lastmile_sls.compile
from lastmile_runtime.predictors.arrays import DTYPES
from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ColumnFacts

Kind = Literal["torchscript", "program"]
TIMEOUT_S = 900
TOLERANCE = 1e-3
"""How far answers may differ, relative to the greatest of them; kernels add up in other orders."""
_WORKER = Path(lastmile_sls.compile.__file__).with_name("torch_worker.py")
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
"""The environment's variables that the process gets; none of them is a secret."""
_SAVE = (
    "Save it as TorchScript: torch.jit.script(model).save('model.pt'), or as a program: "
    "torch.export.save(torch.export.export(model, example), 'model.pt2')"
)
_TORCHABLE = ("BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "FP16", "FP32", "FP64")


def export(
    path: Path,
    destination: Path,
    inputs: Sequence[ColumnFacts] = (),
    outputs: Sequence[str] = (),
    *,
    python: str = sys.executable,
) -> str:
    """Write a model as ONNX; return the version of the torch that did it.

    Args:
        path: TorchScript (torch.jit.save), or a program (torch.export.save).
        destination: The ONNX file.
        inputs: Names, datatypes and shapes (-1: any size), in the order of the model's arguments; TorchScript does not
            say them. A program knows its own, and takes the names alone from here.
        outputs: Their names; by default `predict`, or output_0, output_1 and so on where there are several.
        python: The interpreter that has torch.

    Raises LastmileError for a file of another kind, a torch that is not there or cannot export the model, and for a
    graph that answers otherwise.
    """
    kind = kind_of(path)
    if kind == "torchscript" and not inputs:
        raise LastmileError(
            f"{path.name} is TorchScript, which does not say what its inputs are.",
            "Name them, with datatype and shape, under contract.inputs.",
        )
    for column in inputs:
        if column.datatype not in _TORCHABLE:
            known = ", ".join(_TORCHABLE)
            raise LastmileError(
                f"contract.inputs: {column.name} has the datatype {column.datatype}, but torch takes {known}.",
                "Name the datatype that the model takes.",
            )
    with tempfile.TemporaryDirectory(dir=destination.parent) as folder:
        made, checks = Path(folder) / "model.onnx", Path(folder) / "checks.json"
        request = {
            "kind": kind,
            "model": str(path.resolve()),
            "inputs": [{"name": c.name, "datatype": c.datatype, "shape": list(c.shape)} for c in inputs],
            "outputs": list(outputs),
            "onnx": str(made),
            "checks": str(checks),
        }
        _run(path, python, request, Path(folder))
        told = json.loads(checks.read_text(encoding="utf-8"))
        for check in told["checks"]:
            _compare(path, made, check)
        made.replace(destination)
    version: str = told["torch"]
    return version


def kind_of(path: Path) -> Kind:
    """Tell what a file of torch is by the names in it. Raises LastmileError for what holds no graph."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.partition("/")[2] or name for name in archive.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error) as error:
        raise LastmileError(f"{path.name} is neither TorchScript nor an exported program.", _SAVE) from error
    if "serialized_exported_program.json" in names or {"archive_format", "models/model.json"} & names:
        return "program"
    if "constants.pkl" in names:
        return "torchscript"
    if "data.pkl" in names:
        raise LastmileError(f"{path.name} is a pickle of torch.save, which holds no graph.", _SAVE)
    raise LastmileError(f"{path.name} is neither TorchScript nor an exported program.", _SAVE)


def _run(path: Path, python: str, request: dict[str, Any], folder: Path) -> None:
    (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
    environ = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # The program as text: run as a file, its folder would stand first where Python looks for modules.
    command = [python, "-c", _WORKER.read_text(encoding="utf-8"), str(folder / "request.json")]
    try:
        run = subprocess.run(
            command, cwd=folder, env=environ, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise LastmileError(f"Exporting {path.name} took longer than {TIMEOUT_S} s.") from error
    except OSError as error:
        raise LastmileError(
            f"{python} cannot be run: {error.strerror}.", "Name the Python that has torch."
        ) from error
    if run.returncode == 0:
        return
    lines = run.stderr.strip().splitlines()
    reason = lines[-1] if lines else f"it ended with {run.returncode} and said nothing"
    if reason.startswith("ModuleNotFoundError"):
        missing = reason.rpartition("'")[0].rpartition("'")[2] or "torch"
        raise LastmileError(
            f"Exporting {path.name} takes {missing}, which {python} does not have.",
            f"Install it: pip install {missing}",
        )
    raise LastmileError(f"torch cannot export {path.name}: {reason}", _SAVE)


def _compare(path: Path, graph: Path, check: dict[str, Any]) -> None:
    """Raise LastmileError unless ONNX Runtime answers as torch did."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    kinds = {
        "tensor(float)": "FP32",
        "tensor(double)": "FP64",
        "tensor(float16)": "FP16",
        "tensor(bool)": "BOOL",
    }
    try:
        session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        feed = {}
        for node in session.get_inputs():
            given = check["inputs"][node.name]
            datatype = kinds.get(node.type) or node.type.removeprefix("tensor(").rstrip(")").upper()
            feed[node.name] = np.array(given["data"], DTYPES[datatype]).reshape(given["shape"])
        names = list(check["outputs"])
        found = session.run(names, feed)
    except Exception as error:  # ONNX Runtime's errors have no class of their own
        raise LastmileError(f"{path.name} as ONNX cannot be run: {error}", _SAVE) from error
    for name, value in zip(names, found, strict=True):
        told = check["outputs"][name]
        wanted = np.array(told["data"]).reshape(told["shape"])
        if list(value.shape) != told["shape"]:
            raise LastmileError(
                f"{path.name} as ONNX answers {name} of the shape {list(value.shape)}, but torch {told['shape']}.",
                _SAVE,
            )
        limit = TOLERANCE * max(float(np.abs(wanted).max(initial=0)), 1e-6)
        difference = np.abs(value.astype(np.float64) - wanted)
        if not np.all(difference <= limit):
            raise LastmileError(
                f"{path.name} as ONNX answers {name} differently: by {difference.max():g}.", _SAVE
            )
