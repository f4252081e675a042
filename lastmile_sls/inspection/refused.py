"""The reason why a pickle was not read."""

from __future__ import annotations


class RefusedPickleError(Exception):
    """What the pickle does that a model's pickle never needs; a clause, without a full stop."""
