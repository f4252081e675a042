"""Reads the document in an XGBoost model file, JSON or UBJSON (xgboost.readthedocs.io, Introduction to Model IO)."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from lastmile_sls.inspection import ubjson


def read_document(path: Path) -> Any:
    """Return what the file holds. Raises ValueError for bytes that are neither JSON nor UBJSON."""
    content = path.read_bytes()
    return json.loads(content) if content.lstrip()[:2] in (b'{"', b"{\n", b"{ ") else _decode(content)


def _decode(content: bytes) -> Any:
    reader = _Reader(content)
    try:
        return reader.value(reader.marker(), 0)
    except (struct.error, UnicodeDecodeError) as error:
        raise ubjson.UbjsonError(f"it is cut short or garbled near byte {reader.position}") from error


class _Reader(ubjson._Reader):
    """Keeps the long arrays of numbers, which inspecting a model skips."""

    def _array(self, depth: int) -> Any:
        begin = self.position
        kind, count = self._header()
        if kind not in ubjson._NUMBERS or count is None:
            self.position = begin
            return super()._array(depth)
        first = self.position
        self._skip(count * struct.calcsize(ubjson._NUMBERS[kind]))
        return list(struct.unpack_from(f">{count}{ubjson._NUMBERS[kind]}", self.content, first))
