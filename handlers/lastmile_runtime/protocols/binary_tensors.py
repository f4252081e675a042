"""The Open Inference Protocol's binary tensor data extension: tensors as bytes behind the JSON of a request or answer.

github.com/kserve/open-inference-protocol, extension_binary_data: little-endian, row-major; a BYTES element is its
length (unsigned, 32 bits) and then its bytes.
"""

from __future__ import annotations

import sys
from array import array
from struct import pack, unpack_from

from lastmile_runtime import jsons, tensors
from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request, Response, json_response
from lastmile_runtime.tensors import Tensor, product

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.service import Prediction

LENGTH_HEADER = "inference-header-content-length"
_CODES = {
    "INT8": "b", "INT16": "h", "INT32": "i", "INT64": "q",
    "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q",
    "FP32": "f", "FP64": "d",
}  # fmt: skip
_WIDTHS = {"BOOL": 1, "FP16": 2, **{datatype: array(code).itemsize for datatype, code in _CODES.items()}}
_LENGTH_BYTES = 4
_SWAPPED = sys.byteorder == "big"


def split(request: Request) -> tuple[bytes, bytes]:
    """Return the JSON of a body, and the tensors' bytes behind it. Raises RequestError (400) for a wrong length."""
    value = request.headers[LENGTH_HEADER]
    length = int(value) if value.isascii() and value.isdigit() and len(value) < 12 else -1
    if not 0 <= length <= len(request.body):
        raise RequestError(
            400,
            f"{LENGTH_HEADER} is {value!r}, but must be a number of bytes of the body, which has {len(request.body)}.",
        )
    return request.body[:length], request.body[length:]


def read_all(entries: list[Any], binary: bytes) -> list[Tensor]:
    """Return the inputs of a request, each from its JSON or, in their order, from the bytes behind it.

    Raises RequestError (400) naming the tensor; bytes must neither lack nor be left over.
    """
    inputs, position, view = [], 0, memoryview(binary)
    for entry in entries:
        size = _size(entry)
        if size is None:
            inputs.append(tensors.read(entry))
            continue
        if position + size > len(binary):
            raise RequestError(
                400,
                f"input {entry.get('name')!r} takes {size} bytes, but {len(binary) - position} are left in the body.",
            )
        inputs.append(_read(entry, view[position : position + size]))
        position += size
    if position < len(binary):
        raise RequestError(400, f"the body has {len(binary) - position} bytes that belong to no input.")
    return inputs


def respond(answer: dict[str, Any], prediction: Prediction, document: dict[str, Any]) -> Response:
    """Return an answer whose outputs are binary where the request asks for that; of none, it is all JSON.

    Args:
        answer: The answer's document without its outputs.
        prediction: What was predicted.
        document: The request's document.

    Raises RequestError (400) for an output that JSON cannot hold and that is not asked for as binary.
    """
    everything = (document.get("parameters") or {}).get("binary_data_output") is True
    asked = {entry["name"]: entry.get("parameters") or {} for entry in document.get("outputs") or ()}
    outputs, buffers = [], []
    for tensor in prediction.outputs:
        if asked.get(tensor.name, {}).get("binary_data", everything) is not True:
            require_text(tensor)
            outputs.append(tensor.to_json())
            continue
        buffer = to_bytes(tensor)
        described = {"name": tensor.name, "shape": tensor.shape, "datatype": tensor.datatype}
        outputs.append({**described, "parameters": {"binary_data_size": len(buffer)}})
        buffers.append(buffer)
    value = tensors.finite({**answer, "outputs": outputs})
    if not buffers:
        return json_response(value, headers=prediction.headers, facts=prediction.facts)
    head = jsons.dumps(value).encode()
    headers = {
        "content-type": "application/octet-stream",
        LENGTH_HEADER: str(len(head)),
        **prediction.headers,
    }
    return Response(200, headers, b"".join([head, *buffers]), prediction.facts)


def require_text(tensor: Tensor) -> None:
    """Raise RequestError (400) for an output with bytes that are no UTF-8, which JSON does not have."""
    if tensor.datatype != "BYTES":
        return
    try:
        "".join(tensor.data).encode()
    except UnicodeEncodeError as error:
        told = (
            f"output {tensor.name!r} has bytes that are not UTF-8; ask for it with the parameter binary_data."
        )
        raise RequestError(400, told) from error


def to_bytes(tensor: Tensor) -> bytes:
    """Return a tensor's values as the extension lays them out."""
    match tensor.datatype:
        case "BYTES":
            encoded = [value.encode("utf-8", "surrogateescape") for value in tensor.data]
            return b"".join(part for value in encoded for part in (pack("<I", len(value)), value))
        case "BOOL":
            return bytes(map(bool, tensor.data))
        case "FP16":
            return _halves(tensor.data)
    values = array(_CODES[tensor.datatype], tensor.data)
    if _SWAPPED:
        values.byteswap()
    return values.tobytes()


def _halves(data: list[Any]) -> bytes:
    try:
        return pack(f"<{len(data)}e", *data)
    except OverflowError:  # what lies beyond a type's numbers is infinite in it, as numpy has it
        return b"".join(map(_half, data))


def _half(value: float) -> bytes:
    try:
        return pack("<e", value)
    except OverflowError:
        return pack("<e", float("inf") if value > 0 else float("-inf"))


def _size(entry: Any) -> int | None:
    """Return how many bytes an input has behind the JSON; None when its data is in the JSON."""
    parameters = entry.get("parameters") if isinstance(entry, dict) else None
    if not isinstance(parameters, dict) or "binary_data_size" not in parameters:
        return None
    size = parameters["binary_data_size"]
    if type(size) is not int or size < 0:
        raise RequestError(
            400,
            f"input {entry.get('name')!r} has the binary_data_size {size!r}; it must be a number of bytes.",
        )
    if "data" in entry:
        raise RequestError(400, f"input {entry.get('name')!r} has both data and binary_data_size.")
    return size


def _read(entry: dict[str, Any], content: memoryview) -> Tensor:
    name, datatype, shape = tensors.read_head(entry)
    count = product(shape)
    if datatype == "BYTES":
        return Tensor(name, datatype, shape, _texts(name, content, count))
    if len(content) != count * _WIDTHS[datatype]:
        raise RequestError(
            400,
            f"input {name!r} has {len(content)} bytes, but its shape {shape} of {datatype} takes "
            f"{count * _WIDTHS[datatype]}.",
        )
    return Tensor(name, datatype, shape, _values(name, datatype, content, count))


def _values(name: str, datatype: str, content: memoryview, count: int) -> list[Any]:
    if datatype == "BOOL":
        if set(content) - {0, 1}:
            raise RequestError(400, f"input {name!r} has a byte that is neither 0 nor 1, which is not BOOL.")
        return list(map(bool, content))
    if datatype == "FP16":
        return list(unpack_from(f"<{count}e", content))
    values = array(_CODES[datatype])
    values.frombytes(content)
    if _SWAPPED:
        values.byteswap()
    return values.tolist()


def _texts(name: str, content: memoryview, count: int) -> list[str]:
    found, position = [], 0
    while position < len(content):
        begin = position + _LENGTH_BYTES
        length = int.from_bytes(content[position:begin], "little")
        position = begin + length
        if position > len(content):
            raise RequestError(400, f"input {name!r} ends in the middle of an element.")
        found.append(str(content[begin:position], "utf-8", "surrogateescape"))
    if len(found) != count:
        raise RequestError(400, f"input {name!r} has {len(found)} elements, but its shape takes {count}.")
    return found
