"""What runs in the function: answers requests. Imports the standard library and, when a model loads, its own library.

A bundle carries these modules as sources, and compiled in one file, `pack.<interpreter>`: reading a file per module would
take half of a plain class's start (see `lastmile_sls.bundle.bytecode`). Another interpreter reads the sources.
"""

from __future__ import annotations

import _imp
import marshal
import posix
import sys

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType
    from typing import Any

_external: Any = sys.modules["_frozen_importlib_external"]
_ModuleSpec: Any = sys.modules["_frozen_importlib"].ModuleSpec  # importlib would cost 1 ms
_fix_filename: Any = getattr(_imp, "_fix_co_filename")  # noqa: B009 - typeshed does not know it
_HASH_BYTES = 8
_FIRST_BYTES = 1 << 14
"""What is read at once: as much as the index takes, and some modules."""


class Pack:
    """Finds and loads the modules of a package that are compiled in one file.

    The file: the interpreter's magic number; the index's length (4 bytes, little endian) and hash; the index, which is
    `{name: (is package, begins at, length, hash)}`; the modules' code. Index and code are as `marshal` writes them. Each is
    checked when it is read, by the hash that the interpreter has for sources: SHA-256 would take longer than the import.
    The index also has the hash of each native library, by its path, which lies beside the file.
    """

    def __init__(self, folder: str, file: int, index: dict[str, tuple[bool, int, int, bytes]]) -> None:
        self._folder = folder
        self._file = file
        self._index = index

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> Any:
        """Return where a module comes from; None when it is not one of these."""
        found = self._index.get(name)
        if found is None:
            return None
        place = f"{self._folder}/{name.partition('.')[2].replace('.', '/')}"
        origin = f"{place}/__init__.py" if found[0] else f"{place}.py"
        spec = _ModuleSpec(name, self, origin=origin, is_package=found[0])
        spec.has_location = True
        if found[0]:
            spec.submodule_search_locations = [place]
        return spec

    def create_module(self, spec: Any) -> None:
        """Leave it to the interpreter."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a module."""
        exec(self.get_code(module.__name__), module.__dict__)  # noqa: S102 - it is what importing is

    def get_code(self, name: str) -> CodeType:
        """Return a module's code. Raises OSError, and ImportError when it is not what was written."""
        _, start, length, _ = self._index[name]
        content = posix.pread(self._file, length, start)
        self.check(name, content)
        code: CodeType = marshal.loads(content)  # noqa: S302 - as trusted as the sources
        _fix_filename(code, f"{self._folder.rpartition('/')[0]}/{code.co_filename}")
        return code

    def check(self, name: str, content: bytes) -> None:
        """Raise ImportError unless this is the content of a module, or of a native library, that was written."""
        entry = self._index.get(name)
        if entry is None or entry[2:] != (len(content), hash_of(content)):
            raise ImportError(f"{name} is not what was deployed: {self._folder} has other bytes.", name=name)


def hash_of(content: bytes) -> bytes:
    """Return the interpreter's hash of some bytes."""
    found: bytes = _imp.source_hash(0, content)
    return found


def _read_pack(folder: str) -> Pack | None:
    """Have the modules come from the pack, where there is one for this interpreter; return it."""
    try:
        file = posix.open(f"{folder}/pack.{sys.implementation.cache_tag}", posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        return None
    magic: bytes = _external.MAGIC_NUMBER
    head = posix.pread(file, _FIRST_BYTES, 0)
    start = len(magic) + 4 + _HASH_BYTES
    end = start + int.from_bytes(head[len(magic) : len(magic) + 4], "little")
    if not head.startswith(magic):
        posix.close(file)
        return None
    if end > len(head):
        head = posix.pread(file, end, 0)
    if head[start - _HASH_BYTES : start] != hash_of(head[start:end]):
        raise ImportError(
            f"the index of {folder}/pack.{sys.implementation.cache_tag} is not what was deployed."
        )
    found = Pack(folder, file, marshal.loads(head[start:end]))  # noqa: S302
    sys.meta_path.insert(0, found)
    return found


PACK = _read_pack(__file__.rpartition("/")[0])
