"""The function's application: a request in, an answer out, whatever the adapter."""

from __future__ import annotations

from typing import Any

from lastmile_runtime.http import Request, Response, problem
from lastmile_runtime.manifest import Bundle
from lastmile_runtime.models import Models
from lastmile_runtime.protocols.open_inference import OpenInference


class Application:
    """A verified bundle behind its protocols."""

    def __init__(self, folder: str, digest: str, routing: dict[str, Any]) -> None:
        """Read the bundle's manifest; models load on their first prediction. Raises BundleError."""
        bundle = Bundle(folder, digest)
        self._open_inference = OpenInference(Models(bundle), routing, digest, bundle.manifest.model)

    def handle(self, request: Request) -> Response:
        """Answer a request; never raises."""
        if request.path == "/v2" or request.path.startswith("/v2/"):
            return self._open_inference.handle(request)
        return problem(
            404, "Not Found", f"{request.path} is not a path of this endpoint; its protocol begins at /v2."
        )
