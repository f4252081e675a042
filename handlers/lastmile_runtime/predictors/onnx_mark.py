"""What is written into an ONNX model when it is bundled: that it was optimised, and which numbers it refuses."""

# pathlib would cost 10 ms of each cold start:
# ruff: noqa: PTH123

from __future__ import annotations

import os

REFUSES = "lastmile.refuses"
"""The entry of `metadata_props` that says which numbers the original refuses, and the graph would not: MISSING, INFINITE."""
MISSING, INFINITE = "missing", "infinite"
_METADATA = 14 << 3 | 2
_KEY, _VALUE = b"lastmile.optimized", b"yes"
_ENTRY = b"\x0a%c%s\x12%c%s" % (len(_KEY), _KEY, len(_VALUE), _VALUE)
OPTIMIZED = b"%c%c%s" % (_METADATA, len(_ENTRY), _ENTRY)
"""An entry of the model's `metadata_props` (onnx.proto), as bytes: at a model's end, where it is found without reading
the model. Protocol buffers' fields may come in any order."""


def is_optimized(path: str) -> bool:
    """Tell whether a model ends with the mark."""
    with open(path, "rb") as file:
        file.seek(max(os.fstat(file.fileno()).st_size - len(OPTIMIZED), 0))
        return file.read() == OPTIMIZED
