"""The user's own application in a bundle: looked at without running anything of it, and which files it is."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from lastmile_sls.errors import LastmileError

FOLDER = "app"
"""Where the bundle has it; below it, paths are as they are beside the spec, and so are imports."""


def app_files(app: str, folder: Path) -> dict[str, Path]:
    """Return the files of an application by their paths in the bundle.

    A file beside the spec is taken alone; one in a folder with all of that folder but hidden files and bytecode.

    Args:
        app: The spec's `endpoint.app`: a Python file and the application's name in it, `app.py:app`.
        folder: What its path is relative to.

    Raises LastmileError when the file is not there, is not Python, has no such name, or imports what is left behind.
    """
    file, _, name = app.partition(":")
    tree = _parse(app, folder / file, file)
    _require_name(app, tree, file, name)
    top, inner, _ = file.partition("/")
    if not inner:
        _require_alone(app, tree, folder, file)
        return {f"{FOLDER}/{file}": folder / file}
    found = (path for path in sorted((folder / top).rglob("*")) if path.is_file())
    kept = {path.relative_to(folder): path for path in found}
    return {f"{FOLDER}/{path.as_posix()}": kept[path] for path in kept if not _is_left_out(path)}


def _parse(app: str, path: Path, file: str) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), file)
    except OSError as error:
        told = f"endpoint.app is {app!r}, but there is no such file ({path})."
        raise LastmileError(told, "Paths are relative to the spec.") from error
    except (SyntaxError, ValueError) as error:
        line = f"line {error.lineno}: {error.msg}" if isinstance(error, SyntaxError) else str(error)
        told = f"endpoint.app is {app!r}, but {file} is not Python: {line}."
        raise LastmileError(told, "Correct the file.") from error


def _require_name(app: str, tree: ast.Module, file: str, name: str) -> None:
    names = set(_bound(tree))
    if name in names or "*" in names:
        return
    near = get_close_matches(name, names, n=3)
    hint = f"Did you mean {', '.join(near)}?" if near else "Name what uvicorn is given: file.py:name."
    raise LastmileError(f"endpoint.app is {app!r}, but {file} has no {name}.", hint)


def _bound(node: ast.AST) -> Iterator[str]:
    """Yield the names that a module binds, `*` for a star import; what functions and classes bind is their own."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield child.name
            case ast.alias():
                yield (child.asname or child.name).partition(".")[0]
            case ast.Name(ctx=ast.Store()):
                yield child.id
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                continue
            case _:
                yield from _bound(child)


def _require_alone(app: str, tree: ast.Module, folder: Path, file: str) -> None:
    for name in sorted(_imported(tree) - set(sys.stdlib_module_names)):
        if (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file():
            raise LastmileError(
                f"endpoint.app is {app!r}, which imports {name}, but a file beside the spec is bundled alone.",
                "Move both into a folder, say service, and give its path; imports then begin with the folder's name.",
            )


def _imported(tree: ast.Module) -> set[str]:
    """Return the top-level modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def _is_left_out(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts) or path.suffix == ".pyc"
