"""What takes room in a bundle, as a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lastmile_sls.words import size

_LARGEST = 6
"""How many parts of a folder are shown."""
_DEPTH = 3
_WORTH = 0.02
"""A folder with a smaller share of the whole is not opened."""
_WHY = {
    "lastmile_runtime": "answers requests: protocols, contract, routing",
    "native": "the evaluator of compiled models, for both processors",
    "models": "what answers",
    "libraries": "packages, as lastmile.lock has them",
    ".python_packages": "packages, as lastmile.lock has them",
    "app": "your own application",
    "manifest.json": "the hash of every file",
}
"""By the name of a part."""


@dataclass(frozen=True)
class Part:
    """A file, or a folder with its parts."""

    name: str
    bytes: int
    files: int
    parts: list[Part] = field(default_factory=list)
    """The largest first."""

    def to_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {**vars(self), "parts": [part.to_json() for part in self.parts]}


def sizes_of(path: Path) -> Part:
    """Return how large a file or a folder is, and what in it."""
    if path.is_file():
        return Part(path.name, path.stat().st_size, 1)
    parts = sorted((sizes_of(child) for child in path.iterdir()), key=lambda part: (-part.bytes, part.name))
    return Part(path.name, sum(part.bytes for part in parts), sum(part.files for part in parts), parts)


def tree(root: Part, *, everything: bool = False) -> Iterator[str]:
    """Yield lines for people: the parts of a folder, the largest first, with their share of the whole."""
    yield from _lines(root, root.bytes or 1, "", 1, everything=everything)


def _lines(folder: Part, total: int, indent: str, depth: int, *, everything: bool) -> Iterator[str]:
    shown = folder.parts if everything else folder.parts[:_LARGEST]
    rest = folder.parts[len(shown) :]
    for index, part in enumerate(shown):
        is_last = index == len(shown) - 1 and not rest
        name = part.name + ("/" if part.parts else "")
        why = f"  {_WHY[part.name]}" if part.name in _WHY and depth <= _DEPTH - 1 else ""
        yield f"  {size(part.bytes):>8} {part.bytes / total:>4.0%}  {indent}{'└─' if is_last else '├─'} {name}{why}"
        if part.parts and (everything or (depth < _DEPTH and part.bytes >= total * _WORTH)):
            deeper = indent + ("   " if is_last else "│  ")
            yield from _lines(part, total, deeper, depth + 1, everything=everything)
    if rest:
        count, left = sum(part.files for part in rest), sum(part.bytes for part in rest)
        yield f"  {size(left):>8} {left / total:>4.0%}  {indent}└─ {count} more files"
