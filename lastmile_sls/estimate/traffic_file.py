"""The traffic as it is asked for: options, or named shapes in a YAML file with the same names. Pure but for the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from lastmile_sls.errors import LastmileError
from lastmile_sls.spec.document import Document, Location, read_document

EVERY = "*"
"""A duration of all versions that have none of their own."""
_MOST = Decimal("1e15")


@dataclass(frozen=True)
class Shape:
    """A month's traffic, as far as somebody said it; None and absent: not said."""

    requests: Decimal | None = None
    duration: Mapping[str, Decimal] = field(default_factory=dict)
    """Milliseconds by version, or by `*`."""
    row_ms: Decimal | None = None
    init_ms: Decimal | None = None
    request_kb: Decimal | None = None
    response_kb: Decimal | None = None
    log_kb: Decimal | None = None
    peak: Decimal | None = None
    cold_share: Decimal | None = None
    later_share: Decimal | None = None
    rows: Decimal | None = None
    concurrency: Decimal | None = None

    def over(self, other: Shape) -> Shape:
        """Return this shape, with what it does not say as the other one says it."""
        said = {
            one.name: value
            for one in fields(self)
            if one.name != "duration" and (value := getattr(self, one.name)) is not None
        }
        return replace(other, **said, duration={**other.duration, **self.duration})


@dataclass(frozen=True)
class _Rule:
    text: str
    holds: Callable[[Decimal], bool]


_COUNT = _Rule("a number of at least 0", lambda value: 0 <= value <= _MOST)
_POSITIVE = _Rule("a number above 0", lambda value: 0 < value <= _MOST)
_SHARE = _Rule("a share from 0 to 1, such as 0.05 for one in twenty", lambda value: 0 <= value <= 1)
_FROM_ONE = _Rule("a number of at least 1", lambda value: 1 <= value <= _MOST)
RULES: Mapping[str, _Rule] = {
    "requests": _COUNT,
    "duration": _POSITIVE,
    "row_ms": _POSITIVE,
    "init_ms": _COUNT,
    "request_kb": _COUNT,
    "response_kb": _COUNT,
    "log_kb": _COUNT,
    "peak": _FROM_ONE,
    "cold_share": _SHARE,
    "later_share": _SHARE,
    "rows": _COUNT,
    "concurrency": _FROM_ONE,
}
"""What each may be, by its name in a file; the options have the same names, with dashes."""


def number(name: str, value: object, told: str | None = None) -> Decimal:
    """Return a number that may be of that name.

    Args:
        name: One of `RULES`.
        value: What was written.
        told: What an error calls it; by default the name.

    Raises LastmileError for any other number, and for what is none.
    """
    found = _parsed(value)
    rule = RULES[name]
    if found is None or not found.is_finite() or not rule.holds(found):
        raise LastmileError(
            f"{told or name} is {value!r}, but must be {rule.text}.",
            "Write the number alone, without a unit.",
        )
    return found


def _parsed(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        return None
    try:
        return Decimal(str(value).replace("_", ""))
    except InvalidOperation:
        return None


def read_shapes(path: Path) -> dict[str, Shape]:
    """Return the shapes in a file by name; a file that has fields and no names is one shape, named ``.

    Raises LastmileError, naming file, line and field, for what is none.
    """
    document = read_document(path)
    content: Mapping[str, Any] = document.value
    if not content:
        raise LastmileError(f"{path} is empty.", "Write requests: 1000000, or several shapes by name.")
    if any(name in RULES for name in content):
        return {"": _shape(content, path, document, ())}
    shapes = {}
    for shape, said in content.items():
        if not isinstance(said, Mapping):
            raise LastmileError(
                f"{path}, line {document.line((shape,))}: {shape!r} is neither a field nor a shape with fields.",
                f"The fields are {', '.join(RULES)}.",
            )
        shapes[str(shape)] = _shape(said, path, document, (shape,))
    return shapes


def _shape(said: Mapping[str, Any], path: Path, document: Document, at: Location) -> Shape:
    found: dict[str, Any] = {}
    for name, value in said.items():
        told = f"{path}, line {document.line((*at, name))}: {'.'.join(map(str, (*at, name)))}"
        if name not in RULES:
            raise LastmileError(f"{told} is not a field.", f"The fields are {', '.join(RULES)}.")
        if name == "duration":
            by_version = value if isinstance(value, Mapping) else {EVERY: value}
            found[name] = {str(version): number(name, ms, told) for version, ms in by_version.items()}
        else:
            found[name] = number(name, value, told)
    return Shape(**found)


def shapes_of(asked: Shape, path: Path | None) -> dict[str, Shape]:
    """Return the shapes that are asked for by name: those of the file, over which options go, or the options' one.

    Raises LastmileError for a shape that does not say how many requests there are.
    """
    found = {
        name: asked.over(shape) for name, shape in (read_shapes(path) if path else {"": Shape()}).items()
    }
    for name, shape in found.items():
        if shape.requests is None:
            told = f"the shape {name} of {path}" if name else "the traffic"
            raise LastmileError(
                f"{told} does not say how many requests a month has.", "Add it: --requests 1000000"
            )
    return found
