"""Arithmetic as C does it with floats."""

from __future__ import annotations

import ctypes
import math
import struct
from collections.abc import Callable

_FLOAT, _BITS = struct.Struct("<f"), struct.Struct("<i")


def rounded(value: float) -> float:
    """Return the float32 next to a number; infinity for one that is too large."""
    try:
        (narrow,) = _FLOAT.unpack(_FLOAT.pack(value))
    except OverflowError:
        return math.copysign(math.inf, value)
    return float(narrow)


def below(value: float) -> float:
    """Return the greatest float32 that is less than this one, which is neither NaN nor minus infinity."""
    if value == 0:
        return -(2.0**-149)
    (bits,) = _BITS.unpack(_FLOAT.pack(value))
    (narrow,) = _FLOAT.unpack(_BITS.pack(bits - 1 if value > 0 else bits + 1))
    return float(narrow)


def log(value: float) -> float:
    """Return the natural logarithm, from the C library's logf where there is one: it may be off by the last bit."""
    return _logf()(value)


def _logf() -> Callable[[float], float]:
    try:
        function = ctypes.CDLL(None).logf
    except (AttributeError, OSError, TypeError):  # no C library to ask, or it has no logf
        return lambda value: rounded(math.log(value))
    function.argtypes, function.restype = [ctypes.c_float], ctypes.c_float
    return lambda value: float(function(value))
