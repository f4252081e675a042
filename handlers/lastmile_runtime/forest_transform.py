"""From margins to values in Python, operation by operation as native/transform.c, so that the bits are the same."""

from __future__ import annotations

from array import array
from math import isnan, ldexp

from lastmile_runtime.forest_format import (
    BINARY_SIGMOID,
    EXP,
    FLOAT32,
    IDENTITY,
    ISOLATION,
    SIGMOID,
    SOFTMAX,
)

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from lastmile_runtime.forest_format import Layout

_LN2 = float.fromhex("0x1.62e42fefa39efp-1")
_LN2_REST = float.fromhex("0x1.abc9e3b39803fp-56")
_LN2_HIGH = float.fromhex("0x1.62e42feep-1")
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
_LOG2_E = float.fromhex("0x1.71547652b82fep+0")
_SPLITTER = 134217729.0
_FACTORIALS = [
    1.0 / factorial
    for factorial in (
        1307674368000,
        87178291200,
        6227020800,
        479001600,
        39916800,
        3628800,
        362880,
        40320,
        5040,
        720,
        120,
        24,
        6,
    )
]
_NAN, _INFINITY = float("nan"), float("inf")


def exponential(x: float) -> float:
    """Return e^x within 0.53 units in the last place."""
    if isnan(x):
        return x
    if x > 710:
        return _INFINITY
    if x < -746:
        return 0.0
    k = _nearest(x * _LOG2_E)
    high, low = x - k * _LN2_HIGH, k * _LN2_LOW
    r = high - low
    return _scaled_exponential(k, r, (high - r) - low)


def power(x: float) -> float:
    """Return 2^x within 0.53 units in the last place."""
    if x > 1025:
        return _INFINITY
    if x < -1076:
        return 0.0
    k = _nearest(x)
    f = x - k
    return _scaled_exponential(k, f * _LN2, _product_rest(f, _LN2) + f * _LN2_REST)


def sigmoid(x: float) -> float:
    """Return 1 / (1 + e^-x)."""
    return 1 / (1 + exponential(-x))


def transform(layout: Layout, margins: list[float]) -> list[float]:
    """Return one row's values."""
    scaled = [layout.scale * margin for margin in margins]
    kind = layout.transform
    if kind == IDENTITY:
        return _rounded(layout, scaled)
    if kind == SIGMOID:
        return _rounded(layout, [sigmoid(margin) for margin in scaled])
    if kind == EXP:
        return _rounded(layout, [exponential(margin) for margin in scaled])
    if kind == SOFTMAX:
        return _rounded(layout, _softmax(scaled))
    if kind == BINARY_SIGMOID:
        (positive,) = _rounded(layout, [sigmoid(scaled[0])])
        return [*_rounded(layout, [1 - positive]), positive]
    assert kind == ISOLATION
    (score,) = _rounded(layout, [-power(-scaled[0])])
    return [score, *_rounded(layout, [score - layout.offset])]


def _softmax(scaled: list[float]) -> list[float]:
    greatest = max(scaled)
    shares = [exponential(margin - greatest) for margin in scaled]
    total = 0.0
    for share in shares:
        total += share
    return [share / total for share in shares]


def _rounded(layout: Layout, values: list[float]) -> list[float]:
    """Round as sums are, and make every NaN the same: processors choose other signs for theirs."""
    canonical = [_NAN if isnan(value) else value for value in values]
    return array("f", canonical).tolist() if layout.accumulate == FLOAT32 else canonical


def _nearest(value: float) -> int:
    return int(value - 0.5 if value < 0 else value + 0.5)


def _product_rest(a: float, b: float) -> float:
    """Return what a * b lacks to the exact product (Dekker 1971)."""
    a_split, b_split = _SPLITTER * a, _SPLITTER * b
    a_high, b_high = a_split - (a_split - a), b_split - (b_split - b)
    a_low, b_low = a - a_high, b - b_high
    return ((a_high * b_high - a * b) + a_high * b_low + a_low * b_high) + a_low * b_low


def _scaled_exponential(k: int, r: float, rest: float) -> float:
    """Return 2^k e^(r + rest), for |r| <= 0.35: 1 + r + r^2/2 keep what rounding takes from them."""
    tail = _FACTORIALS[0]
    for factorial in _FACTORIALS[1:]:
        tail = tail * r + factorial
    square = r * r
    half = 0.5 * square
    first = 1 + r
    second = first + half
    lost = (r - (first - 1)) + (half - (second - first)) + 0.5 * _product_rest(r, r)
    value = second + (lost + (rest + rest * r) + square * r * tail)
    if k > 1022:
        return value * ldexp(1.0, 1022) * ldexp(1.0, k - 1022)
    if k < -1020:
        return value * ldexp(1.0, k + 600) * ldexp(1.0, -600)
    return value * ldexp(1.0, k)
