"""What a Python file offers as a predictor. The file is parsed, never imported."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ModelFacts

NAME = "python"
LABEL = "Python (a file with a class that has a predict method)"

MAX_BYTES = 4 << 20
_EXAMPLE = "class Model:\n    def predict(self, inputs):\n        return {'answer': [...]}"


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether a file is Python, by its suffix: any text could be."""
    return path.suffix == ".py"


def read(path: Path, *, trust: bool = False) -> ModelFacts:
    """Return the predictor's class; `entry` is None when there are several. Raises LastmileError when there is none."""
    tree = _parse(path)
    found = _predictors(tree)
    if not found:
        raise LastmileError(f"{path.name} has no class with a predict method.", f"Write one:\n{_EXAMPLE}")
    imported = _imported(tree)
    notes = (
        (f"It imports {', '.join(imported)}: list what they come from under requirements.",)
        if imported
        else ()
    )
    return ModelFacts(framework=NAME, entry=found[0] if len(found) == 1 else None, notes=notes)


def find_entry(path: Path, asked: str | None) -> str:
    """Return the predictor's class: the one asked for, or the only one. Raises LastmileError for any other case."""
    found = _predictors(_parse(path))
    if asked is None and len(found) > 1:
        raise LastmileError(
            f"{path.name} has {len(found)} classes with a predict method: {', '.join(found)}.",
            f"Name one: --entry {found[0]}",
        )
    if asked is not None and asked not in found:
        raise LastmileError(
            f"--entry is {asked!r}, but the classes with a predict method in {path.name} are "
            f"{', '.join(found) or 'none'}.",
            "Name one of them.",
        )
    return asked or found[0]


def _parse(path: Path) -> ast.Module:
    if (size := path.stat().st_size) > MAX_BYTES:
        raise LastmileError(f"{path.name} has {size} bytes, but a Python file is read up to {MAX_BYTES}.")
    try:
        return ast.parse(path.read_bytes(), filename=str(path))
    except SyntaxError as error:
        where = f"{path.name}:{error.lineno}" if error.lineno else path.name
        raise LastmileError(f"{where} is not Python: {error.msg}.", "Mend the line.") from error
    except (RecursionError, MemoryError) as error:  # the second says nothing: its parser has run out of stack
        raise LastmileError(
            f"{path.name} is nested too deep to be read.", "Write it in more steps."
        ) from error
    except ValueError as error:
        raise LastmileError(f"{path.name} is not Python: {error}.") from error


def _predictors(tree: ast.Module) -> list[str]:
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        and any(isinstance(part, ast.FunctionDef) and part.name == "predict" for part in node.body)
    ]


def _imported(tree: ast.Module) -> list[str]:
    """Return the packages that the file imports and Python does not bring."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return sorted(names - sys.stdlib_module_names)
