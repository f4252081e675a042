"""How long what a store does may take, also where the library that does it cannot be told."""

from __future__ import annotations

import time

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Found = TypeVar("Found")


def left_s(ends_at: float) -> float:
    """Return the seconds until `ends_at` (of `time.monotonic`). Raises TimeoutError when there are none."""
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError("no answer in time")
    return left


def within(action: Callable[[], Found], deadline_s: float) -> Found:
    """Return what an action returns or raise what it raises; TimeoutError at the deadline.

    The action cannot be stopped, so it is then left to itself, in a thread that keeps no process from ending.
    """
    found: list[Found] = []
    raised: list[Exception] = []

    def run() -> None:
        try:
            found.append(action())
        except Exception as error:  # noqa: BLE001 - it is raised to whoever waits
            raised.append(error)

    import threading

    thread = threading.Thread(target=run, name="lastmile-store", daemon=True)
    thread.start()
    thread.join(deadline_s)
    if found:
        return found[0]
    if raised:
        raise raised[0]
    raise TimeoutError("no answer in time")
