"""Values of a JSON or CSV document, and the tensor of the datatype and shape that a model declares for them."""

from __future__ import annotations

from lastmile_runtime import tensors
from lastmile_runtime.errors import RequestError
from lastmile_runtime.tensors import INTEGER_RANGES, Tensor

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.manifest import TensorSpec

BINARY = "b64"
"""The only member of an object that stands for bytes, as TensorFlow Serving's REST API has it."""
_MISSING = {"", "NA", "N/A", "<NA>", "NaN", "nan", "null", "NULL", "None"}
"""What pandas reads as no value, where a number or a truth value is expected."""
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
_NOTHING: type = type(None)
_NAN = float("nan")


def to_tensor(name: str, values: Any, spec: TensorSpec | None) -> Tensor:
    """Return nested lists, or one value, as the tensor that is declared, or as the one that fits them.

    Numbers take the declared type. No value (null) is a NaN among numbers and an empty text among texts; bytes are
    `{"b64": "..."}`. A last axis of one is added or left out as declared.
    Raises RequestError (400) naming the input.
    """
    if spec is None:
        _require_text(name, [name])
    shape, flat = _flatten(name, values)
    datatype, data = _typed(name, flat, spec.datatype if spec else None)
    if spec:
        shape = _ranked(shape, spec.shape)
    return Tensor(name, datatype, shape or [1], tensors.check_values(name, datatype, data))


def is_binary(value: Any) -> bool:
    """Tell whether an object stands for bytes."""
    return type(value) is dict and value.keys() == {BINARY}


def read_texts(texts: list[str], datatype: str | None) -> list[Any]:
    """Return fields of CSV as values of a datatype, or, where none is declared, of the one that fits them all.

    A field that is not of it stays a text, which `to_tensor` refuses.
    """
    if datatype == "BYTES":
        return list(texts)
    if datatype == "BOOL":
        return [None if text in _MISSING else _TRUTHS.get(text.lower(), text) for text in texts]
    values = _decimals(texts) or [_number(text) for text in texts]
    if datatype or str not in map(type, values):
        return values
    told = {text.lower() for text in texts if text not in _MISSING}
    return read_texts(texts, "BOOL") if told <= {"true", "false"} else list(texts)


def _flatten(name: str, values: Any) -> tuple[list[int], list[Any]]:
    """Return the shape of nested lists, and their values, flat."""
    shape: list[int] = []
    level = [values]
    while list in map(type, level):
        size = len(level[0]) if type(level[0]) is list else -1
        if any(type(row) is not list or len(row) != size for row in level):
            raise RequestError(
                400, f"input {name!r} is ragged; its lists must have one length at each level."
            )
        shape.append(size)
        level = [value for row in level for value in row]
    return shape, level


def _typed(name: str, flat: list[Any], declared: str | None) -> tuple[str, list[Any]]:
    """Return the datatype, and the values as that takes them."""
    kinds = set(map(type, flat))
    if str in kinds:
        _require_text(name, flat)
    if dict in kinds:
        flat = [_decode(name, value) if type(value) is dict else value for value in flat]
        kinds = (kinds - {dict}) | {str}
    if _NOTHING in kinds and declared != "BOOL":
        text = declared == "BYTES" or (declared is None and str in kinds)
        flat = [("" if text else _NAN) if value is None else value for value in flat]
        kinds = (kinds - {_NOTHING}) | {str if text else float}
    if declared is None:
        return _fitting(name, flat, kinds), flat
    if declared in INTEGER_RANGES and float in kinds:
        return _whole(declared, flat)
    return declared, flat


def _whole(declared: str, flat: list[Any]) -> tuple[str, list[Any]]:
    """Return whole numbers that were sent with a point as integers; what has gaps stays FP64, for the contract."""
    if any(type(value) is float and value != value for value in flat):  # noqa: PLR0124 - only a NaN differs from itself
        return "FP64", flat
    return declared, [int(value) if type(value) is float and value.is_integer() else value for value in flat]


def _fitting(name: str, flat: list[Any], kinds: set[Any]) -> str:
    if kinds == {int}:
        low, high = min(flat), max(flat)
        for datatype in ("INT64", "UINT64"):
            least, most = INTEGER_RANGES[datatype]
            if least <= low and high <= most:
                return datatype
    if kinds <= {int, float}:
        return "FP64"
    if len(kinds) > 1:
        told = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise RequestError(400, f"input {name!r} mixes values of the types {told}.")
    return "BOOL" if kinds == {bool} else "BYTES"


def _ranked(shape: list[int], declared: list[int]) -> list[int]:
    """Return a shape with a last axis of one added or left out, where only that keeps it from the declared rank."""
    if len(shape) + 1 == len(declared) and declared[-1] in (1, -1):
        return [*shape, 1]
    if len(shape) - 1 == len(declared) and shape[-1] == 1:
        return shape[:-1]
    return shape


def _decode(name: str, value: dict[str, Any]) -> str:
    """Return bytes as tensors hold them: as text, with what is not UTF-8 escaped."""
    encoded = value.get(BINARY) if is_binary(value) else None
    if not isinstance(encoded, str):
        raise RequestError(
            400, f'input {name!r} has an object where a value must be; bytes are {{"b64": "..."}}.'
        )
    from binascii import a2b_base64

    try:
        return a2b_base64(encoded, strict_mode=True).decode("utf-8", "surrogateescape")
    except ValueError as error:
        raise RequestError(400, f"input {name!r} has a b64 that is not base64: {error}.") from error


def _require_text(name: str, flat: list[Any]) -> None:
    try:
        "".join(value for value in flat if type(value) is str).encode()
    except UnicodeEncodeError as error:
        raise RequestError(
            400, f"input {name!r} has a text with half of a surrogate pair; send bytes as b64."
        ) from error


def _decimals(texts: list[str]) -> list[float] | None:
    """Return fields as numbers if each is one with a point, as most are, at a fraction of what each by itself takes."""
    joined = "".join(texts)
    if not joined.isascii() or "_" in joined or not all("." in text for text in texts):
        return None
    try:
        return list(map(float, texts))
    except ValueError:
        return None


def _number(text: str) -> Any:
    """Return a field as the number that it is, None when it is empty, else the text."""
    text = text.strip()
    if text in _MISSING:
        return None
    if text.isascii() and "_" not in text:  # Python's own numbers may have those, CSV's may not
        for kind in (float,) if "." in text else (int, float):
            try:
                return kind(text)
            except ValueError:
                continue
    return text
