"""Both evaluators of a forest file."""

from __future__ import annotations

import struct
from typing import Any

from lastmile_runtime import forest_python
from lastmile_runtime.forest import evaluator


def native() -> Any:
    """The one of this processor, which these tests need: `make native` builds it."""
    module = evaluator()
    assert module is not forest_python, "no native library: run `make native`"
    return module


EVALUATORS: dict[str, Any] = {"native": native(), "python": forest_python}


def bits(numbers: list[float]) -> list[str]:
    """Numbers so that -0.0 is not 0.0, and NaN is NaN if it has the same bits."""
    return [struct.pack("<d", number).hex() for number in numbers]


def outcome(call: Any, *arguments: Any) -> tuple[str, Any]:
    """What a call returned, or the error that it raised, in words."""
    try:
        return "returned", call(*arguments)
    except (TypeError, ValueError) as error:
        return type(error).__name__, str(error)
