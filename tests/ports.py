"""Ports for what tests start."""

from __future__ import annotations

import contextlib
import secrets
import socket


def free_port() -> int:
    """Return a port that nobody listens on, and that the system gives to nobody who asks for any."""
    while True:
        port = secrets.choice(range(12_000, 32_000))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
