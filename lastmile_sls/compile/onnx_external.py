"""Finds the files in which an ONNX model keeps its weights, and refuses those outside of the model's own folder.

The model is read as bytes, without ONNX Runtime: that opens whatever a model names. Fields are those of onnx.proto
(github.com/onnx/onnx/blob/main/onnx/onnx.proto, IR 13).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.protobuf import ProtobufError, fields, messages, text

_HOLDS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
"""Which messages each message holds, by field."""
_MAX_DEPTH = 64
_NAME, _EXTERNAL = 8, 13
_HINT = "Save the model as one file: onnx.save(onnx.load(path), path, save_as_external_data=False)"


def external_files(path: Path) -> list[Path]:
    """Return the files, each once, in which a model keeps tensors: plain files in its folder or below.

    Raises LastmileError naming the tensor and the file for any other, and for a model that is not whole.
    """
    found: dict[Path, None] = {}
    try:
        for tensor in _tensors(memoryview(path.read_bytes()), "model", 0):
            entries = [(text(entry, 1), text(entry, 2)) for entry in messages(tensor, _EXTERNAL)]
            for key, location in entries:
                if key == "location":
                    file = _checked(path, text(tensor, _NAME), location)
                    _check_span(path, text(tensor, _NAME), file, dict(entries))
                    found[file] = None
    except (ProtobufError, UnicodeDecodeError) as error:
        raise LastmileError(f"{path.name} is not a whole ONNX model: {error}.", "Export it anew.") from error
    return list(found)


def total_bytes(path: Path) -> int:
    """Return the size of a model with the files that belong to it. Raises as `external_files` does."""
    return sum(file.stat().st_size for file in (path, *external_files(path)))


def _tensors(message: memoryview, kind: str, depth: int) -> Iterator[memoryview]:
    if depth > _MAX_DEPTH:
        raise ProtobufError(f"it has messages in messages, more than {_MAX_DEPTH} deep")
    if kind == "tensor":
        yield message
        return
    for number, value in fields(message):
        inner = _HOLDS[kind].get(number)
        if inner and isinstance(value, memoryview):
            yield from _tensors(value, inner, depth + 1)


def _checked(model: Path, tensor: str, location: str) -> Path:
    where = f"{model.name} keeps the tensor {tensor!r} in {location!r}"
    parts = location.split("/")
    if not location or "\\" in location or "\0" in location or PureWindowsPath(location).drive:
        raise LastmileError(f"{where}, which is no path relative to the model.", _HINT)
    if location.startswith("/"):
        raise LastmileError(f"{where}, an absolute path; it must lie in the model's own folder.", _HINT)
    if {"", ".", ".."} & set(parts):
        raise LastmileError(f"{where}, which may lead out of the model's own folder.", _HINT)
    file = model.parent
    try:
        for part in parts:
            file /= part
            if file.is_symlink():
                raise LastmileError(
                    f"{where}, which is a link or stands behind one; it must be a file.", _HINT
                )
        found = file.is_file()
    except OSError as error:  # a name that is too long
        raise LastmileError(f"{where}, which cannot be opened: {error.strerror}.", _HINT) from error
    if not found:
        raise LastmileError(f"{where}, but there is no such file.", "Keep it beside the model.")
    return file


def _check_span(model: Path, tensor: str, file: Path, entries: dict[str, str]) -> None:
    size = file.stat().st_size
    try:
        offset, length = (int(entries.get(key) or 0) for key in ("offset", "length"))
    except ValueError as error:
        raise ProtobufError(f"the tensor {tensor!r} has an offset or a length that is no number") from error
    if offset < 0 or length < 0 or offset + length > size:
        raise LastmileError(
            f"{model.name} keeps the tensor {tensor!r} at the bytes {offset} to {offset + length} of {file.name}, "
            f"which has {size}.",
            "Export the model anew.",
        )
