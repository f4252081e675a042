"""Compiles what a bundle holds, with the interpreter that will run it, so that no cold start has to.

Run as a script by that interpreter, it imports the standard library alone: `python bytecode.py bundle FOLDER
[LIBRARIES]` or `python bytecode.py packages FOLDER`. What is no Python, templates for instance, is left as it is.

The bytes depend on the sources and the interpreter: names in the code are relative to the bundle, hashing is fixed.
"""

from __future__ import annotations
import __future__

import _imp
import ast
import importlib.util
import marshal
import subprocess
import sys
import warnings
from pathlib import Path
from types import CodeType

RUNTIME = "lastmile_runtime"
_HASH_BYTES = 8
_WORTH_PROCESSES = 200
"""From this many files on every processor compiles some."""
_ANNOTATIONS = __future__.annotations.compiler_flag


class BytecodeError(Exception):
    """A file cannot be compiled, or the interpreter cannot do it; the message says why."""


def compile_bundle(folder: Path, interpreter: str = sys.executable, libraries: str | None = None) -> None:
    """Add bytecode to a bundle's folder: one pack for the runtime, a `.pyc` beside each file of the user's.

    Args:
        folder: The bundle.
        interpreter: The one that will run it, or another of the same version.
        libraries: The folder of packages in it, which `compile_packages` compiled.

    Raises BytecodeError.
    """
    _run(interpreter, "bundle", str(folder), *([libraries] if libraries else []))


def compile_packages(folder: Path, interpreter: str = sys.executable) -> None:
    """Add bytecode to a folder of packages, a `.pyc` beside each file. Raises BytecodeError."""
    _run(interpreter, "packages", str(folder))


def _run(interpreter: str, *arguments: str) -> None:
    # Not isolated: that would ignore the seed, on which the order of sets in the code depends.
    command = [interpreter, "-S", "-s", "-B", __file__, *arguments]
    try:
        done = subprocess.run(
            command, env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise BytecodeError(f"{interpreter} cannot be run: {error.strerror or error}.") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise BytecodeError(lines[-1] if lines else f"{interpreter} ended with {done.returncode}.")


def main(what: str, folder: str, libraries: str = RUNTIME) -> None:
    """Compile a bundle, or packages, with this interpreter."""
    root = Path(folder)
    compiled: tuple[str, ...] = ()
    if what == "bundle":
        _write_pack(root / RUNTIME)
        compiled = (f"{RUNTIME}/", f"{libraries}/")
    names = (path.relative_to(root).as_posix() for path in sorted(root.rglob("*.py")))
    todo = [(root / name, name) for name in names if not name.startswith(compiled)]
    if len(todo) < _WORTH_PROCESSES:
        for path, name in todo:
            _write_pyc(path, name)
        return
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor() as pool:
        for _ in pool.map(_write_pyc, *zip(*todo, strict=True), chunksize=_WORTH_PROCESSES // 4):
            pass


def _write_pack(package: Path) -> None:
    """Write the file that `lastmile_runtime.Pack` reads."""
    compiled = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        if name != RUNTIME:  # it reads the pack
            code = _compile_runtime(path.read_bytes(), "/".join((*parts[:-1], path.name)))
            compiled[name] = (is_package, _render(code))
    libraries = {
        path.relative_to(package).as_posix(): path.read_bytes()
        for path in sorted(package.glob("native/*/*.so"))
    }
    content = _lay_out(importlib.util.MAGIC_NUMBER, compiled, libraries)
    (package / f"pack.{sys.implementation.cache_tag}").write_bytes(content)
    _write_pyc(package / "__init__.py", f"{RUNTIME}/__init__.py")


def _lay_out(magic: bytes, compiled: dict[str, tuple[bool, bytes]], libraries: dict[str, bytes]) -> bytes:
    """Return a pack's bytes: offsets in the index count from the file's beginning, so its length comes first."""
    beside = {name: (False, 0, len(content), _hash(content)) for name, content in libraries.items()}
    hashes = {name: _hash(code) for name, (_, code) in compiled.items()}
    index = {name: (packed, 0, len(code), hashes[name]) for name, (packed, code) in compiled.items()}
    for _ in range(2):  # marshal writes all numbers of 31 bits in the same length: the second is right
        start = len(magic) + 4 + _HASH_BYTES + len(marshal.dumps(index | beside))
        for name, (is_package, code) in compiled.items():
            index[name] = (is_package, start, len(code), hashes[name])
            start += len(code)
    head = marshal.dumps(index | beside)
    first = (magic, len(head).to_bytes(4, "little"), _hash(head), head)
    return b"".join((*first, *(code for _, code in compiled.values())))


def _hash(content: bytes) -> bytes:
    """Return what `lastmile_runtime.hash_of` does."""
    found: bytes = _imp.source_hash(0, content)
    return found


def _compile_runtime(source: bytes, name: str) -> CodeType:
    """Compile a module of the runtime's without docstrings, and without importing `__future__` when it runs."""
    tree = ast.parse(source, name)
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.ImportFrom) and node.module == "__future__")
    ]
    code: CodeType = compile(tree, name, "exec", flags=_ANNOTATIONS, dont_inherit=True, optimize=2)
    return code


def _write_pyc(path: Path, name: str) -> None:
    """Write a file's bytecode where importing looks for it, to be taken unchecked: zip tools rewrite times."""
    source = path.read_bytes()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are for who wrote it
            code = compile(source, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return
    cached = Path(importlib.util.cache_from_source(str(path)))
    cached.parent.mkdir(exist_ok=True)
    flags = (1).to_bytes(4, "little")  # PEP 552: by hash, unchecked
    head = importlib.util.MAGIC_NUMBER + flags + importlib.util.source_hash(source)
    cached.write_bytes(head + _render(code))


def _render(code: CodeType) -> bytes:
    """Return the same bytes for the same code: what marshal shares depends on who else holds an object."""
    return marshal.dumps(marshal.loads(marshal.dumps(code)))  # noqa: S302 - it was written a moment ago


if __name__ == "__main__":
    main(*sys.argv[1:])
