"""Names that are short enough for whoever takes them. Pure."""

from __future__ import annotations

import hashlib

_HASH_CHARACTERS = 8


def short(name: str, most: int) -> str:
    """Return the name if it has at most that many characters, else its beginning and a hash of the whole.

    Args:
        name: Lower-case letters, digits and single dashes.
        most: At least 10.
    """
    if len(name) <= most:
        return name
    begin = name[: most - _HASH_CHARACTERS - 1].rstrip("-")
    return f"{begin}-{_hash(name)}"


def within(name: str, least: int, most: int) -> str:
    """Return the name if it is neither too short nor too long, else the name or its beginning, and a hash of the whole.

    Args:
        name: Lower-case letters, digits and single dashes.
        least: At most 10.
        most: At least 10.
    """
    return short(name, most) if len(name) >= least else f"{name}-{_hash(name)}"


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:_HASH_CHARACTERS]
