"""The errors of this ring: each is an answer to a request, or a reason not to start."""

from __future__ import annotations


class RequestError(Exception):
    """A request that cannot be answered as it was sent, with the HTTP status that says so."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class BundleError(Exception):
    """The bundle on disk is not the one that was deployed, or not one that this runtime reads."""
