"""What tells which sockets are ready: epoll, or poll where there is none."""

from __future__ import annotations

import select

IN, OUT = 1, 4
"""EPOLLIN and EPOLLOUT, which are POLLIN and POLLOUT as well."""


class Epoll:
    """Linux's."""

    is_deaf = False
    """Whether it does not notice what is registered while it waits."""

    def __init__(self) -> None:
        epoll = select.epoll()
        self.register, self.modify, self.unregister = epoll.register, epoll.modify, epoll.unregister
        self.poll = epoll.poll


class Poll:
    """POSIX's: macOS."""

    is_deaf = True

    def __init__(self) -> None:
        poll = select.poll()
        self.register, self.modify, self.unregister = poll.register, poll.modify, poll.unregister
        self._poll = poll.poll

    def poll(self, timeout_s: float) -> list[tuple[int, int]]:
        """Return descriptors and their events, none after the timeout."""
        return self._poll(timeout_s * 1000)


def open_poller() -> Epoll | Poll:
    """Return the best that there is."""
    return Epoll() if hasattr(select, "epoll") else Poll()
