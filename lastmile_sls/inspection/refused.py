"""The reason why a pickle was not read."""

from __future__ import annotations


class RefusedPickleError(Exception):
    """What keeps a pickle from being read: a clause, without a full stop.

    `hint` says what to change where the file is merely damaged, or of another version; it is empty for what
    could run code.
    """

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint
