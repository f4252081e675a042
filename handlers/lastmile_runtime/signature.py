"""A version's signature: which inputs a request must give it, checked before its model is touched."""

from __future__ import annotations

from lastmile_runtime import table
from lastmile_runtime.errors import RequestError
from lastmile_runtime.tensors import FLOAT_LIMITS, INTEGER_RANGES, Tensor, check_values

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lastmile_runtime.manifest import TensorSpec, Version


def check_inputs(tensors: list[Tensor], version: Version) -> None:
    """Raise RequestError (400), naming the tensor, unless a version takes these inputs.

    A plain class that declares no inputs takes any.
    """
    if version.columns:
        _check_table(tensors, version)
    elif version.inputs:
        _check_tensors(tensors, version.inputs)


def check_outputs(wanted: Sequence[str], version: Version) -> None:
    """Raise RequestError (400) for an output that a version does not have, as far as it declares them."""
    if not wanted:
        return
    known = [spec.name for spec in version.outputs]
    for name in wanted:
        if known and name not in known:
            raise RequestError(400, f"output {name!r} is unknown; the outputs are {', '.join(known)}.")


def _check_table(tensors: list[Tensor], version: Version) -> None:
    if len(version.inputs) == 1 and len(version.inputs[0].shape) == 2 and not version.frame:
        matrix = table.matrix_of(tensors, version.columns)
        if matrix is not None and matrix.datatype != "BYTES":
            return
    declared = {spec.name: spec for spec in version.inputs}
    for name, column in table.columns_of(tensors, version.columns).items():
        if name in declared:
            _check_kind(column, declared[name])
        elif not version.frame and column.datatype == "BYTES":
            raise RequestError(
                400, f"input {tensors[0].name!r} has the datatype BYTES, but the model takes numbers."
            )


def _check_tensors(tensors: list[Tensor], declared: list[TensorSpec]) -> None:
    if len(tensors) == len(declared) == 1 and tensors[0].name == declared[0].name:
        _check_shape(tensors[0], declared[0])
        _check_kind(tensors[0], declared[0])
        return
    given = {tensor.name: tensor for tensor in tensors}
    known = [spec.name for spec in declared]
    for name in given:
        if name not in known:
            raise RequestError(400, f"input {name!r} is unknown; the inputs are {', '.join(known)}.")
    for spec in declared:
        if spec.name not in given:
            raise RequestError(400, f"input {spec.name!r} is missing; the inputs are {', '.join(known)}.")
        _check_shape(given[spec.name], spec)
        _check_kind(given[spec.name], spec)


def _check_shape(tensor: Tensor, spec: TensorSpec) -> None:
    shape, declared = tensor.shape, spec.shape
    fits = len(shape) == len(declared)
    if fits:
        for given, size in zip(shape, declared, strict=True):
            if size not in (-1, given):
                fits = False
    if not fits:
        raise RequestError(
            400,
            f"input {tensor.name!r} has the shape {tensor.shape}, but must have {spec.shape} (-1: any size).",
        )


def _check_kind(tensor: Tensor, spec: TensorSpec) -> None:
    """Numbers may be sent in a narrower or wider type than the model's, as long as each value fits it."""
    if tensor.datatype == spec.datatype:
        return
    if _kind(tensor.datatype) > _kind(spec.datatype) or "BYTES" in (tensor.datatype, spec.datatype):
        raise RequestError(
            400, f"input {tensor.name!r} has the datatype {tensor.datatype}, but must have {spec.datatype}."
        )
    if tensor.datatype != "BOOL":
        check_values(tensor.name, spec.datatype, tensor.data)


def _kind(datatype: str) -> int:
    """Return a datatype's place among those that may stand for the next: booleans, integers, floats, then text."""
    if datatype in FLOAT_LIMITS:
        return 2
    return {"BOOL": 0, "BYTES": 3}.get(datatype, 1 if datatype in INTEGER_RANGES else 3)
