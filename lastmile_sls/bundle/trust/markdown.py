"""Markdown from any text: what a user wrote shows as they wrote it, and never becomes a heading, a link or HTML."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&!@:$^=])")
_LEADING = re.compile(r"^(\+(?=\s|$)|-(?=[\s-]|$)|\d{1,9}(?=[.)](\s|$)))")
_WWW = re.compile(r"\bwww\.", re.IGNORECASE)
_HIDDEN = {"Cc", "Cs"}
_DIRECTIONS = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change how what stands after them is shown, so that it reads as something else."""


def escape(text: str) -> str:
    """Return a text as one line of Markdown, to stand in a paragraph, a list's item, a heading or a table's cell."""
    shown = "".join(" " if unicodedata.category(character) in _HIDDEN else character for character in text)
    line = " ".join("".join(character for character in shown if character not in _DIRECTIONS).split())
    escaped = _WWW.sub(lambda found: found.group()[:-1] + "\\.", _SPECIAL.sub(r"\\\1", line))
    return _LEADING.sub(_escape_marker, escaped)


def _escape_marker(found: re.Match[str]) -> str:
    """Return what would begin a list as text."""
    marker = found.group()
    return f"{marker}\\" if marker.isdigit() else f"\\{marker}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; its cells are texts, which are escaped."""
    lines = [list(map(escape, header)), ["---"] * len(header), *(list(map(escape, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def listed(texts: Iterable[str]) -> str:
    """Return a list of texts, which are escaped."""
    return "".join(f"- {escape(text)}\n" for text in texts)
