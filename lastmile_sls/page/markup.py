"""HTML as a value: an element escapes the text that it is given, and nothing else ever does."""

from __future__ import annotations

import re
from html import escape

_VOID = frozenset({"br", "col", "hr", "meta"})
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of what follows: no name has them, and a page is read wrong."""


class Markup(str):
    """HTML that stands as it is. Only `element` and `together` make it of what others wrote."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str | float | bool | None) -> Markup:
    """Return an element. Children that are no Markup are text, and escaped.

    Attributes are written as Python can: `class_`, `aria_label`. None and False leave one out, True has no value.
    """
    opened = f"<{tag}{''.join(_attribute(name, value) for name, value in attributes.items())}>"
    if tag in _VOID:
        return Markup(opened)
    return Markup(f"{opened}{together(*children)}</{tag}>")


def together(*parts: str) -> Markup:
    """Return parts one after the other; those that are no Markup are escaped."""
    return Markup("".join(part if isinstance(part, Markup) else _text(part) for part in parts))


def _attribute(name: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    written = name.rstrip("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{_text(_number(value))}"'


def _number(value: str | float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _text(text: str) -> str:
    return escape(_UNSEEN.sub("\ufffd", text), quote=True)
