"""A member of a cloud's own API model, whatever it was read from: its kind, its bounds, its members."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.clouds.wire import kind_of


@dataclass(frozen=True)
class Bounds:
    """What a plain value must satisfy; None where the model says nothing."""

    enum: tuple[Any, ...] = ()
    pattern: str | None = None
    search: bool = False
    """Whether the pattern may match anywhere, as JSON Schema has it; otherwise the whole text must match."""
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    max_length: int | None = None


class Node:
    """One member of an API model. What is below it is read when it is asked for."""

    def __init__(
        self,
        label: str,
        kinds: frozenset[str],
        *,
        bounds: Bounds | None = None,
        members: Callable[[], Mapping[str, Node]] | None = None,
        item: Callable[[], Node] | None = None,
        choose: Callable[[Mapping[str, Any]], Node | None] | None = None,
        keys: Bounds | None = None,
    ) -> None:
        """`kinds` are of string, integer, number, boolean, list, map, record and any; `keys` bound those of a map."""
        self.label = label
        self.kinds = kinds
        self.bounds = bounds or Bounds()
        self.keys = keys or Bounds()
        self._members = members
        self._item = item
        self._choose = choose

    @cached_property
    def members(self) -> Mapping[str, Node]:
        """The members of a record by their names in the API."""
        return self._members() if self._members else {}

    @cached_property
    def item(self) -> Node | None:
        """The node of a list's or map's items."""
        return self._item() if self._item else None

    def chosen(self, value: Mapping[str, Any]) -> Node:
        """Return the variant of a record that a value's discriminator names."""
        return (self._choose(value) if self._choose else None) or self

    def find(self, name: str) -> Node | None:
        """Return the member that a name means: the case, underscores and the plural do not matter."""
        for spelled in (_flat, _singular):
            wanted = spelled(name)
            for member, node in self.members.items():
                if spelled(member) == wanted:
                    return node
        return None

    def follow(self, path: str) -> Node | None:
        """Return the node at a dotted path, through lists and maps as if they were not there."""
        node: Node | None = self
        for name in path.split("."):
            while node is not None and not node.members and node.item is not None:
                node = node.item
            node = node.find(name) if node is not None else None
        return node

    def problem(self, value: Any) -> str | None:
        """Return what the model has against a plain value."""
        problem = self._kind_problem(value) or self._bounds_problem(value)
        return f"{problem} ({self.label})" if problem else None

    def key_problem(self, key: str) -> str | None:
        """Return what the model has against a key of a map."""
        problem = _text_problem(key, self.keys)
        return f"the key {problem} ({self.label})" if problem else None

    def _kind_problem(self, value: Any) -> str | None:
        kind = kind_of(value)
        if "any" in self.kinds or kind in self.kinds or (kind == "integer" and "number" in self.kinds):
            return None
        if (
            kind == "string"
            and self.kinds & {"integer", "number", "boolean"}
            and _reads_as(value, self.kinds)
        ):
            return None  # Terraform keeps some numbers as text
        if kind == "integer" and self.kinds == {"string"}:
            return None  # JSON has no 64-bit integers, so the APIs write them as text
        if kind == "string" and self.kinds & {"record", "map", "list"} and _is_json(value):
            return None
        return f"is {kind} {json.dumps(value)}; the API wants {' or '.join(sorted(self.kinds))}"

    def _bounds_problem(self, value: Any) -> str | None:
        bounds = self.bounds
        if bounds.enum and value not in bounds.enum:
            return f"is {json.dumps(value)}; the API knows {_listed(bounds.enum)}"
        if isinstance(value, str):
            return _text_problem(value, bounds)
        if isinstance(value, int | float) and not isinstance(value, bool):
            if bounds.minimum is not None and value < bounds.minimum:
                return f"is {value}; the API wants at least {_whole(bounds.minimum)}"
            if bounds.maximum is not None and value > bounds.maximum:
                return f"is {value}; the API wants at most {_whole(bounds.maximum)}"
        return None


def _whole(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _text_problem(value: str, bounds: Bounds) -> str | None:
    shown = json.dumps(value if len(value) <= 60 else f"{value[:57]}...")
    if bounds.max_length is not None and len(value) > bounds.max_length:
        return f"is {shown}, {len(value)} characters; the API wants at most {bounds.max_length}"
    if bounds.min_length is not None and len(value) < bounds.min_length:
        return f"is {shown}, {len(value)} characters; the API wants at least {bounds.min_length}"
    if bounds.pattern is not None and not _matches(bounds.pattern, value, search=bounds.search):
        return f"is {shown}; the API wants it to match {bounds.pattern}"
    return None


def _matches(pattern: str, value: str, *, search: bool) -> bool:
    try:
        compiled: Any = re.compile(pattern)
    except re.error:
        # It knows the classes of Unicode that AWS writes, \p{L}.
        compiled = importlib.import_module("regex").compile(pattern)
    return bool(compiled.search(value) if search else compiled.fullmatch(value))


def _listed(choices: tuple[Any, ...]) -> str:
    shown = [str(choice) for choice in choices]
    return ", ".join(shown) if len(shown) <= 12 else ", ".join([*shown[:12], f"and {len(shown) - 12} more"])


def _reads_as(value: str, kinds: frozenset[str]) -> bool:
    if value in ("true", "false"):
        return "boolean" in kinds
    return bool(kinds & {"integer", "number"}) and re.fullmatch(r"-?\d+(\.\d+)?", value) is not None


def _is_json(value: str) -> bool:
    try:
        return isinstance(json.loads(value), dict | list)
    except ValueError:
        return False


def _flat(name: str) -> str:
    return name.replace("_", "").lower()


def _singular(name: str) -> str:
    flat = _flat(name)
    if flat.endswith("ies"):
        return f"{flat[:-3]}y"
    if flat.endswith(("sses", "xes", "ches", "shes", "ses")):
        return flat[:-2].removesuffix("s")
    return flat.removesuffix("s")
