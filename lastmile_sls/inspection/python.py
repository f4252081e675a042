"""What a Python file says about its predictor class; the file is parsed, never run."""

from __future__ import annotations

import ast
from pathlib import Path

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ModelFacts

NAME = "python"
LABEL = "Python file with a predictor class (.py)"


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether a file is Python source, by its suffix."""
    return path.suffix == ".py"


def read(path: Path, *, trust: bool = False, entry: str | None = None) -> ModelFacts:
    """Return the predictor class: the one named, else the only one with a `predict` method.

    Raises LastmileError when the file is not Python, or has no such class, or several.
    """
    found = predictors(path)
    if entry is not None and entry not in found:
        raise LastmileError(
            f"entry is {entry!r}, but {path.name} has no such class with a predict method.",
            f"Name one of: {', '.join(found)}" if found else "Give a class a method predict(self, inputs).",
        )
    if entry is None and len(found) != 1:
        which = (
            f"{len(found)} classes with a predict method: {', '.join(found)}"
            if found
            else "no class with a predict method"
        )
        raise LastmileError(
            f"{path.name} has {which}.",
            "Name one with --entry." if found else "Give a class a method predict(self, inputs).",
        )
    return ModelFacts(framework=NAME, entry=entry or found[0])


def predictors(path: Path) -> list[str]:
    """Return the names of the top-level classes that have a `predict` method."""
    try:
        tree = ast.parse(path.read_bytes(), filename=path.name)
    except (SyntaxError, ValueError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise LastmileError(f"{path.name}{line} is not Python: {error}.") from error
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return [
        node.name
        for node in classes
        if any(isinstance(item, ast.FunctionDef) and item.name == "predict" for item in node.body)
    ]
