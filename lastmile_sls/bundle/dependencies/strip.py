"""Removes from installed packages what no function needs: tests, documentation, stubs, sources in C, symbols.

Nothing that a package imports of itself is removed: a folder of tests stays when code outside of it imports it. Of what
is installed, symbols are 5 to 8 % in scikit-learn, XGBoost and LightGBM and 1.5 to 2.5 % in ONNX Runtime, on x86-64 and
arm64 (measured in November 2026); debug sections have been taken out of these wheels already.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lastmile_sls.bundle.dependencies.elf import machine
from lastmile_sls.bundle.dependencies.symbols import without_symbols

_ASIDE = {"test": "tests", "tests": "tests", "doc": "documentation", "docs": "documentation"}
"""Folders that packages carry for people, wherever they are."""
_SHARED = {"man", "doc", "info"}
"""Folders of `share/` that are documentation."""
_SOURCES = {
    *(".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp", ".hxx", ".cu", ".cuh", ".cmake"),
    *(".f", ".f90", ".pxd", ".pxi", ".pyx", ".tp", ".a", ".lib", ".o"),
}
"""What C, C++, Fortran and Cython are compiled from or linked with."""
_LICENCES = re.compile(r"(licen[cs]e|copying|notice|authors|thirdparty|third_party)", re.IGNORECASE)
_MENTION = re.compile(
    rb"^[ \t]*(?:from|import)\b[^\n(]*(?:\([^)]*)?\b(?:tests?|docs?)\b|[\"'][\w.]*\b(?:tests?|docs?)\b[\w.]*[\"']",
    re.MULTILINE,
)
"""Where code may name such a folder: in an import, or in a string that `import_module` may be given."""
_UNUSED_LIBRARIES = {"onnxruntime/capi/libonnxruntime.so.*": b"libonnxruntime.so"}
"""Libraries that a wheel has for programs in C: the Python module has all of it within itself, a second time."""


@dataclass(frozen=True)
class Stripped:
    """What was removed."""

    bytes_by_reason: Mapping[str, int]

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return sum(self.bytes_by_reason.values())


def strip(folder: Path) -> Stripped:
    """Remove from a folder of installed packages what no function needs, and say how much that was.

    Metadata (`*.dist-info`) and licences stay.
    """
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    reasons = _reasons(files)
    freed: dict[str, int] = {}
    for name, reason in reasons.items():
        freed[reason] = freed.get(reason, 0) + files[name].stat().st_size
        files[name].unlink()
    symbols = sum(
        _shorten(path) for name, path in files.items() if name not in reasons and machine(path) is not None
    )
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    return Stripped(dict(sorted({**freed, "symbols": symbols}.items())))


def _reasons(files: Mapping[str, Path]) -> dict[str, str]:
    """Return the files to remove, each with its reason."""
    aside = _aside(files)
    found = {}
    for name, path in files.items():
        parts = PurePosixPath(name).parts
        if parts[0].endswith(".dist-info") or _LICENCES.match(parts[-1]):
            continue
        if reason := _reason(name, path, aside):
            found[name] = reason
    unused = _unused_libraries({name: path for name, path in files.items() if name not in found})
    return found | dict.fromkeys(unused, "libraries that nothing loads")


def _reason(name: str, path: Path, aside: Iterable[str]) -> str | None:
    pure = PurePosixPath(name)
    for folder in aside:
        if name.startswith(f"{folder}/"):
            return _ASIDE[PurePosixPath(folder).name.lower()]
    if "__pycache__" in pure.parts:
        return "bytecode"
    if pure.parts[0] == "share" and len(pure.parts) > 2 and pure.parts[1] in _SHARED:
        return "documentation"
    if pure.name == "py.typed" or (pure.suffix == ".pyi" and not _reads_stub(path)):
        return "stubs"
    return "sources" if pure.suffix.lower() in _SOURCES else None


def _reads_stub(path: Path) -> bool:
    """Tell whether a module reads its own stub when it is imported (https://github.com/scientific-python/lazy-loader)."""
    module = path.with_suffix(".py")
    return module.is_file() and b"attach_stub" in module.read_bytes()


def _aside(files: Mapping[str, Path]) -> list[str]:
    """Return the folders of tests and documentation that nothing outside of them imports."""
    folders = {
        PurePosixPath(*parts[: depth + 1]).as_posix()
        for parts in (PurePosixPath(name).parts for name in files)
        for depth, part in enumerate(parts[:-1])
        if part.lower() in _ASIDE and not parts[0].endswith(".dist-info")
    }
    outer = {folder for folder in folders if not any(folder.startswith(f"{other}/") for other in folders)}
    code = {name: path for name, path in files.items() if name.endswith(".py")}
    while True:
        outside = {n: p for n, p in code.items() if not any(n.startswith(f"{folder}/") for folder in outer)}
        named = {folder for name, path in outside.items() for folder in _named(name, path, outer)}
        if not named:
            return sorted(outer)
        outer -= named
        code = {name: path for name, path in code.items() if name not in outside}


def _named(name: str, path: Path, folders: Iterable[str]) -> set[str]:
    """Return those of some folders that a module may import."""
    content = path.read_bytes()
    if not _MENTION.search(content):
        return set()
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):  # written for a newer Python, say: nothing of its package is touched
        top = PurePosixPath(name).parts[0]
        return {folder for folder in folders if folder.split("/")[0] == top}
    modules = set(_modules(tree, PurePosixPath(name).parent.parts))
    return {folder for folder in folders if any(f"{module}/".startswith(f"{folder}/") for module in modules)}


def _modules(tree: ast.Module, package: tuple[str, ...]) -> Iterator[str]:
    """Yield what a module of a package imports or names in a string, as paths."""
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                yield from (alias.name.replace(".", "/") for alias in node.names)
            case ast.ImportFrom():
                base = package[: len(package) - node.level + 1] if node.level else ()
                start = (*base, *(node.module or "").split(".")) if node.module else base
                yield from ("/".join((*start, alias.name)) for alias in node.names)
            case ast.Constant(value=str(text)) if re.fullmatch(r"\.*\w+(\.\w+)*", text):
                path = text.lstrip(".").replace(".", "/")
                yield path
                yield "/".join((*package, path))


def _unused_libraries(files: Mapping[str, Path]) -> list[str]:
    """Return the libraries of wheels that nothing in the folder names any more, though it might."""
    return [
        name
        for pattern, mention in _UNUSED_LIBRARIES.items()
        for name in files
        if PurePosixPath(name).match(pattern)
        and not any(
            mention in path.read_bytes()
            for other, path in files.items()
            if other != name and (other.endswith(".py") or machine(path) is not None)
        )
    ]


def _shorten(path: Path) -> int:
    """Take the symbols out of a binary, and return how many bytes that saved."""
    content = path.read_bytes()
    shortened = without_symbols(content)
    if len(shortened) < len(content):
        path.write_bytes(shortened)
    return len(content) - len(shortened)
