"""The exponential of our own is right to 0.53 units in the last place, over its whole range."""

from __future__ import annotations

import math
import random
from decimal import Decimal, localcontext
from typing import Any

import pytest

from lastmile_runtime.forest_transform import exponential, power
from lastmile_sls.compile.forest import Forest
from lastmile_sls.compile.forest_file import render
from tests.native.evaluators import EVALUATORS, bits

RANDOM = random.Random(0)
EDGES = [
    0.0,
    -0.0,
    5e-324,
    -5e-324,
    1e-17,
    1.0,
    -1.0,
    0.34657359,
    -0.34657359,
    709.7827,
    -708.39,
    -744.44,
    20.5,
]
ARGUMENTS = [
    *EDGES,
    *[RANDOM.uniform(-745, 709.78) for _ in range(1500)],
    *[RANDOM.uniform(-2, 2) for _ in range(1500)],
    *[RANDOM.choice((-1, 1)) * 10 ** RANDOM.uniform(-20, 0) for _ in range(500)],
]


def error_ulp(found: float, exact: Decimal) -> float:
    return float(abs(Decimal(found) - exact) / Decimal(math.ulp(float(exact))))


def exact_exponential(x: float) -> Decimal:
    return Decimal(x).exp()


def exact_power(x: float) -> Decimal:
    return Decimal(2) ** Decimal(x)


@pytest.mark.parametrize(("function", "exact"), [(exponential, exact_exponential), (power, exact_power)])
def test_it_is_right_to_half_a_unit(function: Any, exact: Any) -> None:
    with localcontext() as context:
        context.prec, context.Emin, context.Emax = 60, -5000, 5000
        worst = max(error_ulp(function(x), exact(x)) for x in ARGUMENTS)
    assert worst < 0.53


def test_it_ends_where_numbers_end() -> None:
    assert exponential(math.inf) == exponential(709.8) == power(1024.0) == math.inf
    assert exponential(-math.inf) == exponential(-745.2) == power(-1075.1) == 0.0
    assert exponential(709.78) < math.inf
    assert exponential(-745.1) == power(-1074.0) == 5e-324
    assert power(1023.0) == 2.0**1023
    assert math.isnan(exponential(math.nan))
    assert exponential(0.0) == power(-0.0) == 1.0


@pytest.mark.parametrize("transform", ["exp", "sigmoid", "isolation"])
def test_the_native_one_has_the_same_bits(transform: Any) -> None:
    """A forest without trees is its base: one file per argument."""
    for x in ARGUMENTS[:600]:
        content = render(Forest(1, 1, [], [x], transform=transform))
        native, python = (module.load(content).evaluate([0.0])[1] for module in EVALUATORS.values())
        assert bits(native) == bits(python), x.hex()
