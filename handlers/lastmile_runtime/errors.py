"""The errors of this ring: each is an answer to a request, or a reason not to start."""

from __future__ import annotations


class RequestError(Exception):
    """A request that cannot be answered as it was sent, with the HTTP status that says so."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}
        """Headers that belong to the status, such as `allow` to 405."""


class BundleError(Exception):
    """What was deployed is not there as it was deployed, or is not something that this runtime can serve."""
