"""The reason why a pickle was not read."""

from __future__ import annotations

from typing import Any


class RefusedPickleError(Exception):
    """What keeps a pickle from being read: a clause, without a full stop.

    `hint` says what to change where the file is merely damaged, or of another version; it is empty for what
    could run code.
    """

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


def name_of(value: Any) -> str:
    """Return what a refusal calls a class, a function, or the class of anything else."""
    name = getattr(value, "__qualname__", None) or type(value).__name__
    return f"{getattr(value, '__module__', None) or type(value).__module__}.{name}"
