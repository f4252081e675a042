"""What a start imports and what that costs, by the interpreter's own import profile (`-X importtime`)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lastmile_sls.check.phases import Phase
from lastmile_sls.check.process import Line

Origin = Literal["python", "runtime", "client", "package", "own"]
ORIGINS: dict[Origin, str] = {
    "python": "the standard library",
    "runtime": "lastmile's runtime",
    "client": "the cloud's runtime client",
    "package": "packages",
    "own": "the model's own files",
}
_RUNTIME = "lastmile_runtime"
# `import time:      self |  cumulative | name`, two blanks before the name for each import that it is part of.
_LINE = re.compile(r"import time:\s*(\d+) \|\s*(\d+) \| (\s*)(\S+)\s*$")


@dataclass(frozen=True)
class Import:
    """A module that was imported."""

    module: str
    self_us: int
    """Without what it imported."""
    cumulative_us: int
    parent: str | None
    """The module that imported it; None when none did."""
    start_ms: float
    """Since exec, as seen from the outside."""
    phase: str
    """The phase of the start that it began in."""
    children: tuple[Import, ...]

    def walk(self) -> Iterator[Import]:
        """Yield it and all that it imported, itself first."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Origins:
    """Where modules come from, by their top-level names."""

    standard_library: frozenset[str]
    client: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    """Of the bundle, or beside it."""

    def of(self, module: str) -> Origin:
        """Return where a module comes from."""
        top = top_level(module)
        if top == _RUNTIME:
            return "runtime"
        if top in self.packages:
            return "package"
        if top in self.standard_library or top.startswith("_frozen_importlib"):
            return "python"
        return "client" if top in self.client else "own"


@dataclass(frozen=True)
class Cost:
    """What a package's modules cost together, without what they imported of others."""

    name: str
    origin: Origin
    ms: float
    modules: int
    imported_by: str | None
    """The module that imported its first one; None when none did."""


@dataclass(frozen=True)
class Profile:
    """The imports of one start, which the profiling itself slows."""

    total_ms: float
    """From exec to the first answer."""
    phases: tuple[Phase, ...]
    imports: tuple[Import, ...]
    """Those that no module imported, in order."""
    origins: Origins

    def walk(self) -> Iterator[Import]:
        """Yield every import, each before what it imported."""
        for found in self.imports:
            yield from found.walk()

    def to_json(self) -> dict[str, Any]:
        """Return it as it is kept beside the bundle."""
        return {
            "format": "lastmile.import-profile/1",
            "total_ms": round(self.total_ms, 3),
            "phases": [
                {"name": phase.name, "start_ms": round(phase.start_ms, 3), "ms": round(phase.ms, 3)}
                for phase in self.phases
            ],
            "imports": [
                {
                    "module": found.module,
                    "self_us": found.self_us,
                    "cumulative_us": found.cumulative_us,
                    "parent": found.parent,
                    "origin": self.origins.of(found.module),
                    "phase": found.phase,
                    "start_ms": round(found.start_ms, 3),
                }
                for found in self.walk()
            ],
        }


def costliest(profile: Profile, count: int) -> list[Cost]:
    """Return the packages whose modules cost the most, the dearest first."""
    self_us: dict[str, int] = defaultdict(int)
    modules: dict[str, int] = defaultdict(int)
    importers: dict[str, str | None] = {}
    for found in profile.walk():
        top = top_level(found.module)
        self_us[top] += found.self_us
        modules[top] += 1
        importers.setdefault(top, found.parent)
    names = sorted(self_us, key=lambda name: -self_us[name])[:count]
    return [
        Cost(name, profile.origins.of(name), self_us[name] / 1000, modules[name], importers[name])
        for name in names
    ]


def top_level(module: str) -> str:
    """Return the package of a module."""
    return module.partition(".")[0]


def top_levels(folder: Path | None) -> frozenset[str]:
    """Return the names that can be imported from a folder, and more; none when there is no folder."""
    if folder is None or not folder.is_dir():
        return frozenset()
    return frozenset(path.name.partition(".")[0] for path in folder.iterdir())


class _Node:
    """An import while the tree is made."""

    def __init__(self, line: Line, self_us: int, cumulative_us: int, module: str, parts: list[_Node]) -> None:
        self.ended = line.at
        self.self_us = self_us
        self.cumulative_us = cumulative_us
        self.module = module
        self.parts = parts


def parse(lines: Iterable[Line], began: float, phases: Sequence[Phase]) -> tuple[Import, ...]:
    """Return the imports of a start, from what its interpreter wrote to standard error.

    A line is written when its import is done, so an import began its cumulative time before that; within the one
    that it is part of, imports follow each other.

    Args:
        lines: In order; others than the profile's are passed over.
        began: When the process was started, by the lines' clock, in seconds.
        phases: The start's.
    """
    waiting: dict[int, list[_Node]] = defaultdict(list)
    for line in lines:
        found = _LINE.search(line.text)
        if found:
            depth = len(found[3]) // 2
            node = _Node(line, int(found[1]), int(found[2]), found[4], waiting.pop(depth + 1, []))
            waiting[depth].append(node)
    # What is part of an import that was not done by the end stands for itself.
    roots = sorted((node for nodes in waiting.values() for node in nodes), key=lambda node: node.ended)
    end_ms = max([phase.start_ms + phase.ms for phase in phases], default=0.0)
    return _placed(roots, None, 0.0, end_ms, began, phases)


def _placed(
    nodes: Sequence[_Node],
    parent: str | None,
    from_ms: float,
    until_ms: float,
    began: float,
    phases: Sequence[Phase],
) -> tuple[Import, ...]:
    """Return imports in a row, each about where it was, none over another and all within their parent's time."""
    found = []
    left_ms = sum(node.cumulative_us for node in nodes) / 1000
    for node in nodes:
        took_ms = node.cumulative_us / 1000
        seen_ms = (node.ended - began) * 1000 - took_ms
        start_ms = max(from_ms, min(seen_ms, until_ms - left_ms))
        left_ms -= took_ms
        from_ms = start_ms + took_ms
        parts = _placed(node.parts, node.module, start_ms, from_ms, began, phases)
        phase = _phase_at(start_ms, phases)
        found.append(Import(node.module, node.self_us, node.cumulative_us, parent, start_ms, phase, parts))
    return tuple(found)


def _phase_at(at_ms: float, phases: Sequence[Phase]) -> str:
    name = phases[0].name if phases else "start"
    for phase in phases:
        if phase.start_ms <= at_ms:
            name = phase.name
    return name
