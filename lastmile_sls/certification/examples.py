"""What a model as it was trained answers to some rows: what a built bundle is asked again.

Run as a module it answers the request on its standard input: a model that crashes does not take whoever builds with it.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lastmile_runtime.manifest import TensorSpec, Version
from lastmile_runtime.tensors import Tensor, read
from lastmile_sls.certification.compare import tensors_of
from lastmile_sls.certification.rows import Row

MOST = 5
"""How many rows are asked."""
TIMEOUT_S = 120
Predict = Callable[[list[Tensor]], list[Tensor]]
Json = dict[str, Any]


@dataclass(frozen=True)
class Example:
    """A row, and what the model answers to it, both as tensors of the Open Inference Protocol."""

    inputs: list[Json]
    outputs: list[Json]


def examples_of(predict: Predict, version: Version, rows: Sequence[Row]) -> list[Example]:
    """Return what a loaded model answers to the first rows; what it refuses is no example."""
    found = []
    for row in rows[:MOST]:
        inputs = tensors_of([row], version)
        try:
            outputs = predict(inputs)
        except Exception:  # noqa: BLE001, S112 - a model may refuse by any
            continue
        found.append(
            Example([_written(tensor) for tensor in inputs], [_written(tensor) for tensor in outputs])
        )
    return found


def examples_apart(version: Version, artifact: Path, rows: Sequence[Row]) -> list[Example]:
    """Return the same, asked in a process of its own; none where the model cannot be loaded, crashes or hangs."""
    asked = [[_written(tensor) for tensor in tensors_of([row], version)] for row in rows[:MOST]]
    request = {"version": version.to_json(), "artifact": str(artifact.resolve()), "asked": asked}
    command = [sys.executable, "-m", __name__]
    try:
        done = subprocess.run(
            command, input=json.dumps(request), capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return []
    try:
        answers = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return []
    return [
        Example(inputs, outputs)
        for inputs, outputs in zip(asked, answers, strict=True)
        if outputs is not None
    ]


def answer(request: Json) -> list[list[Json] | None]:
    """Return what a model answers to each of the questions; None where it refuses."""
    from lastmile_runtime import predictors

    described = request["version"]
    specs = {key: [TensorSpec(**spec) for spec in described[key]] for key in ("inputs", "outputs")}
    predict = predictors.load(request["artifact"], Version(**{**described, **specs}))
    found: list[list[Json] | None] = []
    for inputs in request["asked"]:
        try:
            found.append([_written(tensor) for tensor in predict([read(tensor) for tensor in inputs])])
        except Exception:  # noqa: BLE001 - a model may refuse by any
            found.append(None)
    return found


def _written(tensor: Tensor) -> Json:
    """Return a tensor as requests have it, with the words for what JSON has no number for."""
    return {**tensor.to_json(), "data": [_sendable(value) for value in tensor.data]}


def _sendable(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(json.load(sys.stdin))) + "\n")
