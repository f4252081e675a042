"""Reads a YAML document as plain values, with the line on which each stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lastmile_sls.errors import LastmileError

MAX_BYTES = 1_048_576
MAX_VALUES = 100_000
"""Aliases count each time they are used, so a small file cannot unfold into a huge one."""

MAX_DEPTH = 32
"""A spec needs 6 levels; the parser's own recursion ends the process at some thousands."""

Location = tuple[str | int, ...]
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Document:
    """A YAML file's content."""

    value: Any
    lines: dict[Location, int] = field(default_factory=dict)
    """The line, from 1, of each key or list item."""

    def line(self, location: Location) -> int | None:
        """Return the line of a value, or of the nearest thing around it."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location)


def read_document(path: Path) -> Document:
    """Read a YAML file. Raises LastmileError, naming file and line, for what is not one mapping."""
    text = _read_text(path)
    try:
        _check_depth(path, text)
        node = yaml.compose(text, Loader=_Loader)
        if not isinstance(node, yaml.MappingNode):
            raise LastmileError(
                f"{path} must hold fields and values, but holds {_kind(node)}.",
                "Begin with `name: ...`; `lastmile init MODEL` writes a whole file.",
            )
        lines: dict[Location, int] = {}
        for count, (location, line) in enumerate(_walk(node, (), path)):
            lines.setdefault(location, line)
            if count > MAX_VALUES:
                raise LastmileError(
                    f"{path} unfolds into more than {MAX_VALUES} values.", "Use fewer aliases."
                )
        return Document(yaml.load(text, Loader=_Loader), lines)  # noqa: S506 - the safe loader
    except yaml.YAMLError as error:
        raise _not_yaml(path, text, error) from error
    except ValueError as error:  # a date or number that YAML recognises and Python cannot hold
        raise LastmileError(f"{path} has a value that cannot be read: {error}.", "Quote it.") from error


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except IsADirectoryError:
        raise LastmileError(f"{path} is a folder.", "Name the file in it.") from None
    except OSError as error:
        raise LastmileError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > MAX_BYTES:
        raise LastmileError(f"{path} has {len(content)} bytes, but a spec has at most {MAX_BYTES}.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise LastmileError(f"{path}:{line} is not UTF-8 text.", "Save it as UTF-8.") from error


def _check_depth(path: Path, text: str) -> None:
    """Refuse deep nesting by the parser's events, which come one after the other."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            mark: Any = event.start_mark
            raise LastmileError(
                f"{path}:{mark.line + 1} is nested more than {MAX_DEPTH} deep.",
                "Close the brackets before it.",
            )


def _walk(node: yaml.Node, location: Location, path: Path) -> Iterator[tuple[Location, int]]:
    if len(location) > MAX_DEPTH:
        line = node.start_mark.line + 1
        raise LastmileError(f"{path}:{line} has an alias that holds itself.", "Write its value out.")
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                raise LastmileError(f"{path}:{line} has {_kind(key)} for a key.", "Keys are plain words.")
            if key.value in seen:
                raise LastmileError(
                    f"{path}:{key.start_mark.line + 1} {key.value} is there twice.",
                    "Keep one of them.",
                )
            seen.add(key.value)
            yield (*location, key.value), key.start_mark.line + 1
            yield from _walk(value, (*location, key.value), path)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*location, index), item.start_mark.line + 1
            yield from _walk(item, (*location, index), path)


def _not_yaml(path: Path, text: str, error: yaml.YAMLError) -> LastmileError:
    mark: Any = getattr(error, "problem_mark", None)
    where = f"{path}:{mark.line + 1}" if mark else str(path)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    tabs = mark is not None and "\t" in "".join(text.splitlines()[mark.line : mark.line + 1])
    return LastmileError(
        f"{where} is not YAML: {problem}.", "Indent with spaces, not tabs." if tabs else "Mend the line."
    )


def _kind(node: yaml.Node | None) -> str:
    if node is None:
        return "nothing"
    if isinstance(node, yaml.MappingNode):
        return "fields"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
