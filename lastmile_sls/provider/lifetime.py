"""How long a plugin serves: until it is stopped, or whoever started it is gone."""

from __future__ import annotations

import os

import grpc

_CHECK_S = 1.0


def wait(server: grpc.Server, parent: int) -> None:
    """Return when the server was stopped, or stop it when its parent was killed and so could not end it.

    `parent` is the process that started it, as it was before anybody could know that the server is there.
    """
    while server.wait_for_termination(timeout=_CHECK_S):  # true: the time is over
        if os.getppid() != parent:
            server.stop(grace=None)
