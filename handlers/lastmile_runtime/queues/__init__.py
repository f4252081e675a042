"""The queue of work that waits: how a function sends to it, whatever the target.

Each kind's module is imported when a queue of it is opened.
"""

from __future__ import annotations

import os

from lastmile_runtime.errors import BundleError

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class Queue(Protocol):
        """A queue that delivers each message at least once."""

        most_bytes: int
        """The longest message that it takes."""

        def send(self, message: bytes, deadline_s: float) -> None:
            """Add a message: it is kept when this returns. Raises OSError when it is not."""


SCHEMES = {"unix": "local", "sqs": "sqs", "pubsub": "pubsub", "azq": "azq"}
FORMS = "unix:///SOCKET#NAME, sqs://REGION/ACCOUNT/NAME, pubsub://PROJECT/TOPIC or azq://ACCOUNT/NAME"


def open_queue(url: str, environ: Mapping[str, str] = os.environ) -> Queue:
    """Return the queue at a URL, with the credentials of the function's environment.

    unix:///SOCKET#NAME (the local target's host), sqs://REGION/ACCOUNT/NAME, pubsub://PROJECT/TOPIC, azq://ACCOUNT/NAME
    (a storage account's). Raises BundleError for one that this runtime cannot send to.
    """
    scheme, colon, _ = url.partition("://")
    queue: Queue | None = None
    if colon and scheme in SCHEMES:
        package = __import__(f"lastmile_runtime.queues.{SCHEMES[scheme]}", fromlist=["open_url"])
        queue = package.open_url(url, environ)
    if queue is None:
        raise BundleError(f"LASTMILE_QUEUE_URL is {url!r}, but must be {FORMS}.")
    return queue


def parts(url: str, count: int) -> list[str] | None:
    """Return the parts after a URL's scheme; None unless there are so many, of letters, digits, `-`, `.` and `_` alone."""
    found = url.partition("://")[2].split("/")
    if len(found) != count or not all(part.translate(_MARKS).isalnum() and part.isascii() for part in found):
        return None
    return found


_MARKS = str.maketrans("", "", "-_.")
"""What the names of projects, accounts and queues have beside letters and digits."""
