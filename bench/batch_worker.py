"""Scores a folder with a bundle, as a function does it message by message; the queue is a list here.

`python batch_worker.py INPUT OUTPUT`, with the function's variables in the environment.
"""

from __future__ import annotations

import os
import sys
from collections import deque


class Messages:
    """A queue in memory."""

    most_bytes = 1 << 18

    def __init__(self) -> None:
        self.waiting: deque[bytes] = deque()

    def send(self, message: bytes, deadline_s: float) -> None:
        """Add a message."""
        self.waiting.append(message)


def main() -> None:
    sys.path.insert(0, os.environ["LASTMILE_BUNDLE"])
    from lastmile_runtime.application import Application
    from lastmile_runtime.batch.work import open_batch
    from lastmile_runtime.startup import start
    from lastmile_runtime.telemetry import Log

    log, queue = Log("batch", sys.stdout.write), Messages()
    started = start(os.environ, log, keeps_running=False)
    stores = {
        name: f"file://{folder}" for name, folder in zip(("input", "output"), sys.argv[1:], strict=True)
    }
    batch = open_batch({**stores, "format": "csv"}, queue, log, 300)
    application = Application(started.bundle, started._routing, batch=batch)
    application.scheduled()
    while queue.waiting:
        application.work(queue.waiting.popleft())


if __name__ == "__main__":
    main()
