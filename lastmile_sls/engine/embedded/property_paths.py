"""Paths to parts of properties, as `ignore_changes` and `replace_on_changes` name them: `tags["x"].y[0]`, `*`.

The grammar is that of sdk/go/common/resource/properties_path.go in github.com/pulumi/pulumi (2026-11-29).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lastmile_sls.engine.interface import EngineError
from lastmile_sls.engine.properties import UNKNOWN_SENTINEL, Properties, comparable, is_secret, secret

Path = tuple[str | int, ...]

_ELEMENT = re.compile(
    r'\.?(?P<name>[^.\[\]"]+)|\.?\[(?P<star>\*)\]|\.?\[(?P<index>\d+)\]|\.?\["(?P<key>(?:\\"|[^"])*)"\]'
)
_ABSENT: Any = object()


class _PartMissing(Exception):
    """A part of the path is not there to be set."""


def parse(path: str) -> Path:
    """Split a path into keys and indices. Raises EngineError when it is none."""
    elements: list[str | int] = []
    at = 0
    while at < len(path):
        found = _ELEMENT.match(path, at)
        if found is None:
            break
        at = found.end()
        index, key = found["index"], found["key"]
        elements.append(
            int(index) if index else key.replace('\\"', '"') if key is not None else found["name"] or "*"
        )
    if at < len(path) or not elements:
        raise EngineError(
            f"{path!r} is not a path to a property.",
            'Write it like `tags`, `environment.variables` or `tags["a.b"]`.',
        )
    return tuple(elements)


def kept(name: str, new: Properties, old: Properties, paths: tuple[str, ...]) -> Properties:
    """Return the new inputs with the values at the paths as they were; what was not there is dropped.

    Raises EngineError, as the CLI does, when the old value has no place among the new inputs.
    """
    for path in paths:
        try:
            new = _reset(new, old, parse(path))
        except _PartMissing:
            raise EngineError(
                f"ignore_changes of {name} names {path}, but a part of that path is missing from its inputs.",
                "Give the property in the program, or ignore the whole of it.",
            ) from None
    return new


def differs(old: Properties, new: Properties, path: str) -> bool:
    """Tell whether the values at the path are others."""
    elements = parse(path)
    return dict(_values(comparable(old), elements)) != dict(_values(comparable(new), elements))


def _reset(new: Any, old: Any, path: Path) -> Any:
    if not path:
        return old
    if is_secret(new):
        return secret(_reset(new["value"], old["value"] if is_secret(old) else old, path))
    if is_secret(old):
        old = old["value"]
    if new == UNKNOWN_SENTINEL:
        return new
    if not _holds(new, path[0]):
        if any(True for _ in _values(old, path)):
            raise _PartMissing
        return new
    for key in _keys(path[0], new, old):
        value = _reset(_at(new, key), _at(old, key), path[1:])
        new = _with(new, key, value)
    return new


def _holds(value: Any, element: str | int) -> bool:
    if element == "*":
        return isinstance(value, dict | list)
    return isinstance(value, dict if isinstance(element, str) else list)


def _keys(element: str | int, *values: Any) -> list[str | int]:
    if element != "*":
        return [element]
    found: dict[str | int, None] = {}
    for value in values:
        if isinstance(value, dict | list):
            found.update(dict.fromkeys(value if isinstance(value, dict) else range(len(value))))
    return list(found)


def _at(value: Any, key: str | int) -> Any:
    if isinstance(value, dict) and isinstance(key, str):
        return value.get(key, _ABSENT)
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return value[key]
    return _ABSENT


def _with(container: Any, key: str | int, value: Any) -> Any:
    if isinstance(container, dict):
        rest = {k: v for k, v in container.items() if k != key}
        return rest if value is _ABSENT else {**container, key: value}
    assert isinstance(key, int)
    if key < len(container):
        return [*container[:key], None if value is _ABSENT else value, *container[key + 1 :]]
    if value is _ABSENT:
        return container
    raise _PartMissing


def _values(value: Any, path: Path, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield what lies at the path, with the wildcards filled in."""
    if is_secret(value):
        value = value["value"]
    if not path:
        if value is not _ABSENT:
            yield at, value
    elif _holds(value, path[0]):
        for key in _keys(path[0], value):
            yield from _values(_at(value, key), path[1:], (*at, key))
