"""What conditions of Google's IAM are true of, told by Google's own evaluator of their language (`cel-expr-python`).

Which attributes a condition may ask for, and that a list is judged by the bucket's name: cloud.google.com/iam/docs/
conditions-attribute-reference and cloud.google.com/storage/docs/access-control/iam#conditions.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest


@cache
def _environment() -> Any:
    cel = pytest.importorskip("cel_expr_python.cel")
    return cel.NewEnv(variables={"resource": cel.Type.Map(cel.Type.STRING, cel.Type.STRING)})


def holds(condition: dict[str, str] | None, resource: str) -> bool:
    """Tell whether a condition is true of a resource, by its name; none is true of everything."""
    if condition is None:
        return True
    found: bool = (
        _environment().compile(condition["expression"]).eval(data={"resource": {"name": resource}}).value()
    )
    return found
