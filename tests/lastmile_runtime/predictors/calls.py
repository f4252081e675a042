"""Calls a predictor and shows its outputs as plain values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lastmile_runtime.tensors import Tensor, product


def ask(
    predict: Callable[[list[Tensor]], list[Tensor]], *inputs: Tensor
) -> dict[str, tuple[str, list[int], list[Any]]]:
    """Datatype, shape and data by output name."""
    return {output.name: (output.datatype, output.shape, output.data) for output in predict(list(inputs))}


def matrix(rows: list[list[Any]], name: str = "input", datatype: str = "FP64") -> Tensor:
    shape = [len(rows), len(rows[0])]
    tensor = Tensor(name, datatype, shape, [value for row in rows for value in row])
    assert len(tensor.data) == product(shape)
    return tensor
