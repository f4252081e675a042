"""The errors of this ring: each is an answer to a request, or a reason not to start."""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any


class RequestError(Exception):
    """A request that cannot be answered as it was sent, with the HTTP status that says so."""

    def __init__(
        self,
        status: int,
        message: str,
        headers: dict[str, str] | None = None,
        members: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}
        """Headers that belong to the status, such as `allow` to 405."""
        self.members = members or {}
        """Members of the answer's document beside the message, such as the list of broken fields."""


class BundleError(Exception):
    """What was deployed is not there as it was deployed, or is not something that this runtime can serve."""
