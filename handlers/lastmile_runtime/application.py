"""The function's application: a request in, an answer out, whatever the adapter."""

from __future__ import annotations

import os

from lastmile_runtime import router
from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import MAX_BODY_BYTES, Request, Response, refusal
from lastmile_runtime.manifest import Bundle
from lastmile_runtime.models import Models
from lastmile_runtime.protocols.open_inference import OpenInference

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def draw() -> int:
    """Return a bucket drawn by the system, which no fork or snapshot of the process can make repeat."""
    return int.from_bytes(os.urandom(8), "big") % router.BUCKETS


class Application:
    """A verified bundle behind its protocols."""

    def __init__(
        self, folder: str, digest: str, routing: dict[str, Any], draw: Callable[[], int] = draw
    ) -> None:
        """Read the bundle's manifest; models load on their first prediction.

        Args:
            folder: The bundle.
            digest: What the manifest's bytes must hash to, `sha256:...`.
            routing: The routing document.
            draw: Draws the bucket, 0..99 999, of a request without a sticky key.

        Raises BundleError when the bundle is not the pinned one, or the routing document does not fit it.
        """
        bundle = Bundle(folder, digest)
        models = Models(bundle)
        router.check(routing, models.versions)
        self._open_inference = OpenInference(models, routing, digest, bundle.manifest.model, draw)

    def handle(self, request: Request) -> Response:
        """Answer a request; never raises."""
        try:
            return self._answer(request)
        except RequestError as error:
            cause = error.__cause__ if error.status >= 500 else None
            facts = {"stack": _stack(cause)} if cause else None
            return refusal(request.path, error.status, error.message, error.headers, facts)
        except Exception as error:  # noqa: BLE001 - the one place where a bug of ours becomes an answer
            message = "the runtime failed; the function's log says why."
            return refusal(request.path, 500, message, facts={"stack": _stack(error)})

    def _answer(self, request: Request) -> Response:
        if len(request.body) > MAX_BODY_BYTES:
            size = f"the body has {len(request.body)} bytes, but may have {MAX_BODY_BYTES}."
            raise RequestError(413, size)
        if request.path == "/v2" or request.path.startswith("/v2/"):
            return self._open_inference.handle(request)
        raise RequestError(404, f"{request.path} is not a path of this endpoint; its protocol begins at /v2.")


def _stack(error: BaseException) -> list[str]:
    """Return where an error came from, for the log."""
    import traceback

    return "".join(traceback.format_exception(error)).splitlines()
