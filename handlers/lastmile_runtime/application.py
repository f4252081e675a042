"""The function's application: a request in, an answer out, whatever the adapter."""

from __future__ import annotations

import os

from lastmile_runtime import router
from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import MAX_BODY_BYTES, Request, Response, refusal
from lastmile_runtime.models import Models
from lastmile_runtime.service import Service

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lastmile_runtime.auth import KeyAuth, TokenAuth
    from lastmile_runtime.batch.work import Batch
    from lastmile_runtime.cors import Cors
    from lastmile_runtime.jobs import Jobs
    from lastmile_runtime.manifest import Bundle
    from lastmile_runtime.routing import FixedRouting, LiveRouting
    from lastmile_runtime.shadows import Shadows

    Answer = Callable[[Service, Request], Response]

PROTOCOLS = {
    "v2": "open_inference",
    "v1": "kserve_v1",
    "invocations": "mlflow",
    "ping": "mlflow",
    "health": "mlflow",
    "version": "mlflow",
    "endpoints": "sagemaker",
    "score": "azure_ml",
    "swagger.json": "azure_ml",
}
"""The module that answers, by the first part of the path; imported by the first request for it."""
JOBS = "jobs"


def draw() -> int:
    """Return a bucket drawn by the system, which no fork or snapshot of the process can make repeat."""
    return int.from_bytes(os.urandom(8), "big") % router.BUCKETS


class Application:
    """A verified bundle behind its protocols."""

    def __init__(
        self,
        bundle: Bundle,
        routing: FixedRouting | LiveRouting,
        draw: Callable[[], int] = draw,
        auth: KeyAuth | TokenAuth | None = None,
        jobs: Jobs | None = None,
        shadows: Shadows | None = None,
        routes: dict[str, str] | None = None,
        cors: Cors | None = None,
        batch: Batch | None = None,
    ) -> None:
        """Serve a bundle; models load on their first prediction.

        Args:
            bundle: The models and what is said of them.
            routing: Which version answers which request.
            draw: Draws the bucket, 0..99 999, of a request without a sticky key.
            auth: Who may call; None where the gateway checks that, or the endpoint is public.
            jobs: Where requests go that may be answered later; None answers all at once.
            shadows: What compares in silence; None when there is no way to.
            routes: Further paths, and the paths that they stand for.
            cors: Which web pages may call; None where the gateway says it, or none may.
            batch: The files to score when the queue says so; None when there are none.
        """
        manifest = bundle.manifest
        models = Models(bundle)
        contract = None
        if manifest.contract:
            from lastmile_runtime.contract import Contract

            contract = Contract(manifest.contract)
        self.service = Service(models, routing, bundle.digest, manifest.model, draw, contract)
        self.bundle = bundle
        self._routing = routing
        self._auth = auth
        self._jobs = jobs
        self._batch = batch
        self._routes = routes or {}
        self.cors = cors
        self._answers: dict[str, Answer] = {}
        self.asgi: Any = None
        """What answers for other paths; made by the first request for one (`lastmile_runtime.asgi`)."""
        self._shadows = shadows
        if shadows:
            shadows.service = self.service
            self.service.mirror = shadows.mirror

    @property
    def auth_kind(self) -> str:
        """How callers prove who they are, as far as this runtime knows: `key` or `jwt`."""
        return self._auth.kind if self._auth else "key"

    def serves(self, path: str) -> bool:
        """Tell whether a path is a protocol's; the others are the docs', or the user's own application's."""
        first = self._routes.get(path, path).split("/", 2)[1]
        return first in PROTOCOLS or (first == JOBS and self._jobs is not None)

    def authorize(self, request: Request) -> Response | None:
        """Return the refusal of a request that may not be made, None for the others; `handle` does this itself."""
        try:
            if self._auth:
                self._auth.check(request)
        except RequestError as error:
            return self._refuse(request, error)
        return None

    def handle(self, request: Request) -> Response:
        """Answer a request; never raises."""
        refused = self.authorize(request)
        return refused or self._handle(request)

    def work(self, message: bytes, *, attempt: int = 1, last: bool = False) -> Response | None:
        """Do what a message of the queue says: a job, a callback of one, a shadow's prediction, or files to score.

        Args:
            message: The message's body.
            attempt: How often it was delivered, this time included.
            last: Whether it is set aside if this fails; a job that fails then is answered with its error.

        Returns the answer, for the log; None for a shadow, a file, or what was done before. Raises when it must be
        delivered again, ValueError for a message that is not one of ours.
        """
        from lastmile_runtime import jsons

        document = jsons.loads(message)
        match document.get("kind") if isinstance(document, dict) else None:
            case "job" if self._jobs:
                return self._jobs.run(document, self._handle, last=last, attempt=attempt)
            case "callback" if self._jobs:
                return self._jobs.call_back(document)
            case "shadow" if self._shadows:
                self._shadows.run(document, self.service)
                return None
            case "batch" if self._batch:
                self._batch.run(document, self.service)
                return None
            case kind:
                raise ValueError(f"the message's kind is {kind!r}, which this function does not do.")

    def prepare(self) -> None:
        """Load what will answer, before a snapshot of the process is taken. Raises RequestError when it cannot be."""
        current = self._routing.current()
        for version in {
            current.champion,
            *(version for version, weight in current.weights.items() if weight),
        }:
            self.service.load(version)

    def scheduled(self) -> dict[str, Any]:
        """Do what a clock asks for, and return what that is: have the queue's workers look for files to score.

        Where there are none to look for: be ready, by the current routing, for the next request. Raises OSError when the
        queue does not take it, RequestError when a version that answers cannot be loaded.
        """
        if self._batch:
            self._batch.look()
            return {"model": self.service.model, "sent": "batch"}
        self.prepare()
        return {"model": self.service.model, "champion": self.service.champion(), "ready": True}

    def restored(self) -> None:
        """Trust nothing that may have changed since the snapshot was taken."""
        self._routing.expire()

    def _handle(self, request: Request) -> Response:
        """Answer a request that may be made."""
        try:
            response = self._answer(request)
        except RequestError as error:
            response = self._refuse(request, error)
        except Exception as error:  # noqa: BLE001 - the one place where a bug of ours becomes an answer
            message = "the runtime failed; the function's log says why."
            response = refusal(request.path, 500, message, facts={"stack": _stack(error)})
        response.afterwards = request.afterwards
        return response

    def _answer(self, request: Request) -> Response:
        if len(request.body) > MAX_BODY_BYTES:
            size = f"the body has {len(request.body)} bytes, but may have {MAX_BODY_BYTES}."
            raise RequestError(413, size)
        if request.path in self._routes:
            request.path = self._routes[request.path]
        first = request.path.split("/", 2)[1]
        answer = self._answers.get(first)
        if answer is None:
            answer = self._protocol(request, first)
        if self._jobs and request.method == "POST" and "respond-async" in request.headers.get("prefer", ""):
            throttle = self._routing.current().throttle
            if throttle is not None:
                throttle.admit()
            return self._jobs.accept(request)
        return answer(self.service, request)

    def _protocol(self, request: Request, first: str) -> Answer:
        if first == JOBS and self._jobs:
            return self._jobs.answer
        name = PROTOCOLS.get(first)
        if name is None:
            raise RequestError(404, f"{request.path} is not a path of this endpoint; /docs lists them.")
        package = __import__(f"lastmile_runtime.protocols.{name}", fromlist=["answer"])
        answer: Answer = package.answer
        self._answers[first] = answer
        return answer

    def _refuse(self, request: Request, error: RequestError) -> Response:
        cause = error.__cause__ if error.status >= 500 or error.status == 424 else None
        facts = {"stack": _stack(cause)} if cause else None
        return refusal(request.path, error.status, error.message, error.headers, facts, error.members)


def _stack(error: BaseException) -> list[str]:
    """Return where an error came from, for the log."""
    import traceback

    return "".join(traceback.format_exception(error)).splitlines()
