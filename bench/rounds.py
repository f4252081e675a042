"""Rounds of samples, interleaved, so that a slow minute hits every entry."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from bench.results import Row

Entry = TypeVar("Entry")


def interleave(
    name: str, rounds: int, entries: Sequence[tuple[Entry, Row]], sample: Callable[[Entry, Row], None]
) -> list[Row]:
    """Take a sample of every entry in each round, and say how far it is; return the rows.

    Each round begins with another entry, so that none always follows the same one. An entry that failed is left out
    from then on.
    """
    for number in range(rounds):
        first = number % len(entries)
        for entry, row in (*entries[first:], *entries[:first]):
            if not row.failure:
                sample(entry, row)
        print(f"\r{name}: round {number + 1} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return [row for _, row in entries]
