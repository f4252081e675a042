"""The function on AWS Lambda, whichever runtime calls it: its start, its events, its log, its snapshot.

Its environment, beside `lastmile_runtime.startup`'s: AWS_LAMBDA_FUNCTION_NAME, AWS_LAMBDA_FUNCTION_VERSION and
AWS_LAMBDA_INITIALIZATION_TYPE, which Lambda sets (docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html);
LASTMILE_QUEUE_ATTEMPTS: after how many deliveries the queue sets a message aside (its redrive policy).
"""

from __future__ import annotations

import sys
import time

from lastmile_runtime.adapters import aws_events
from lastmile_runtime.forms.emf import form
from lastmile_runtime.http import Request, Response, refusal
from lastmile_runtime.telemetry import Log

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from lastmile_runtime.application import Application

    Afterwards = Callable[[], None]

_LOAD_DEADLINE_S = 8.0
"""Lambda's init phase has the whole processor, and ten seconds (lambda-runtime-environment.html)."""
_SMALL_BYTES = 1 << 20
"""A plain class with less than this beside it loads in no time."""


class Function:
    """Starts the application, and again by the next event if that failed; answers events."""

    def __init__(
        self,
        environ: Mapping[str, str],
        write: Callable[[str], Any],
        *,
        works_after: bool,
        start: Callable[..., Application] | None = None,
    ) -> None:
        """Start the application.

        Args:
            environ: The function's environment.
            write: Takes a line of the log, with its end.
            works_after: Whether the process runs on after the answer, until it asks for the next event, so that
                shadows can run there. Lambda's own runtime is stopped with the answer.
            start: Makes the application; by default `lastmile_runtime.startup.start`.

        Raises RuntimeError with the reason where a snapshot is to be taken of a function that cannot start: Lambda does
        not publish such a version.
        """
        self._environ = environ
        self._works_after = works_after
        self._make = start
        self._log = Log(environ.get("AWS_LAMBDA_FUNCTION_NAME", "predict"), write, form)
        self._version = environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        self._application: Application | None = None
        self._reason = ""
        """Why the last start failed."""
        self._init_s = 0.0
        """What the start took, until a line of the log told it."""
        self.takes_snapshot = environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"
        self._start()
        if self.takes_snapshot and self._application is None:
            raise RuntimeError(self._reason)

    def answer(self, event: Any, context: Any) -> tuple[Any, Afterwards | None]:
        """Return the answer to an event, and what is left to do once it is sent.

        Args:
            event: What Lambda gave, parsed.
            context: Has `aws_request_id`.

        Raises EventError for an event that is not taken, RuntimeError when the application cannot start; HTTP
        requests are answered whatever happens.
        """
        kind = aws_events.kind_of(event)
        application = self._application or self._start()
        if kind in aws_events.HTTP:
            return self._serve(application, event, context, kind)
        if application is None:
            raise RuntimeError(self._reason)
        if kind == aws_events.QUEUE:
            return self._work(application, event["Records"], context), None
        found = application.scheduled()
        return ({"lastmile": "ping", **found} if kind == aws_events.PING else found), None

    def prepare(self) -> None:
        """Load what will answer, before a snapshot of the process is taken. Raises RequestError when it cannot be."""
        if self._application:
            self._application.prepare()

    def restored(self) -> None:
        """Trust nothing that may have changed since the snapshot, and share no random numbers with its other copies.

        Raises BundleError when a secret cannot be had any more.
        """
        random, numpy_random = sys.modules.get("random"), sys.modules.get("numpy.random")
        if random:
            random.seed()
        if numpy_random:
            numpy_random.seed()
        exchange = sys.modules.get("lastmile_runtime.stores.exchange")
        if exchange:
            exchange.restored()
        if "LASTMILE_SECRETS" in self._environ:
            from lastmile_runtime.secrets import read_secrets

            read_secrets(self._environ)
        if self._application:
            self._application.restored()

    def _start(self) -> Application | None:
        """Start the application; tell in the log why it cannot be."""
        began = time.perf_counter()
        try:
            # Imported here, so that what cannot be imported is told in the log as well.
            from lastmile_runtime.startup import start

            application = (self._make or start)(self._environ, self._log, keeps_running=False)
        except Exception as error:  # noqa: BLE001 - the next event tries again, and the log says what it was
            self._reason = f"the function cannot start: {type(error).__name__}: {error}"
            self._log.event("error", {"error": self._reason, "faas.version": self._version})
            return None
        if self._works_after:
            _compare_after_answers(application, self._log)
        self._application = application
        if not self.takes_snapshot:
            is_idle = self._environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "provisioned-concurrency"
            _load_ahead(application, everything=is_idle)
        self._init_s = time.perf_counter() - began
        return application

    def _serve(
        self, application: Application | None, event: dict[str, Any], context: Any, kind: str
    ) -> tuple[dict[str, Any], Afterwards | None]:
        began = time.perf_counter()
        request = aws_events.request_of(event, kind)
        if application is None:
            facts = {"error": self._reason}
            response = refusal(request.path, 503, "the function cannot start; its log says why.", None, facts)
        elif application.serves(request.path):
            response = application.handle(request)
        else:
            from lastmile_runtime.adapters.aws_asgi import call

            return self._told(call(application, request, event, context, kind), request, context, began), None
        answer = aws_events.answer_of(response, request, event, kind)
        self._tell(request, response, context, began, "http")
        return answer, response.afterwards

    def _told(self, answer: dict[str, Any], request: Request, context: Any, began: float) -> dict[str, Any]:
        """Tell the log of an answer that is in its sender's form already."""
        self._tell(request, Response(answer["statusCode"], {}, b""), context, began, "http")
        return answer

    def _work(self, application: Application, records: list[dict[str, Any]], context: Any) -> dict[str, Any]:
        """Do what a batch's messages say; return which of them must be delivered again.

        Of a FIFO queue, what follows a failed message of its group is delivered again too, so that the order stays
        (docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
        """
        failed: list[str] = []
        stopped: set[str] = set()
        for record in records:
            attributes = record.get("attributes") or {}
            group = None
            if record.get("eventSourceARN", "").endswith(".fifo"):
                group = attributes.get("MessageGroupId")
            if group in stopped or not self._do(application, record, attributes, context):
                failed.append(record["messageId"])
                if group is not None:
                    stopped.add(group)
        return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in failed]}

    def _do(
        self, application: Application, record: dict[str, Any], attributes: dict[str, Any], context: Any
    ) -> bool:
        """Do what a message says; tell whether it is done. One that never can be is left to the dead-letter queue."""
        began = time.perf_counter()
        attempt = int(attributes.get("ApproximateReceiveCount") or 1)
        most = self._environ.get("LASTMILE_QUEUE_ATTEMPTS")
        response = Response(204, {}, b"", {"message_id": record["messageId"], "attempt": attempt})
        sent_ms = attributes.get("SentTimestamp", "")
        if sent_ms.isdigit():
            from lastmile_runtime.adapters.deliveries import age_s

            response.facts["queue_age_s"] = age_s(int(sent_ms) / 1000)
        try:
            body = record["body"].encode()
            answer = application.work(body, attempt=attempt, last=most is not None and attempt >= int(most))
        except Exception as error:  # noqa: BLE001 - whatever it was, the queue delivers the message again
            response.status = 500
            response.facts["error"] = f"the message could not be done: {type(error).__name__}: {error}"
        else:
            response.facts.update(answer.facts if answer else {})
        self._tell(None, response, context, began, "pubsub")
        return response.status < 500

    def _tell(
        self, request: Request | None, response: Response, context: Any, began: float, trigger: str
    ) -> None:
        """Write a request's line (OpenTelemetry's FaaS names; opentelemetry.io/docs/specs/semconv/faas)."""
        facts = response.facts
        if self._application:
            facts["model"] = self._application.service.model
        facts["faas.trigger"] = trigger
        facts["faas.invocation_id"] = context.aws_request_id
        facts["faas.version"] = self._version
        if self._init_s:
            facts["faas.init_duration"] = round(self._init_s, 6)
            self._init_s = 0.0
        self._log.request(request, response, time.perf_counter() - began)


def _load_ahead(application: Application, *, everything: bool) -> None:
    """Load what will answer while the processor is whole; what fails is loaded again, and told, by its first request."""

    def load() -> None:
        try:
            if everything:
                application.prepare()
            else:
                application.service.load(application.service.champion())
        except Exception:  # noqa: BLE001 - see above
            return

    champion = application.service.versions[application.service.champion()]
    folder = champion.artifact.rpartition("/")[0] + "/"
    files = application.bundle.manifest.files
    size = sum(entry["size"] for name, entry in files.items() if name.startswith(folder))
    if champion.predictor == "python" and size < _SMALL_BYTES and not everything:
        load()
        return
    # A start that takes too long is thrown away, so a load that does goes on during the first request. threading, 4 ms,
    # is nothing beside a framework; it must be imported here first, because it takes its importer for the main thread.
    import threading

    thread = threading.Thread(target=load, name="lastmile-load", daemon=True)
    thread.start()
    thread.join(_LOAD_DEADLINE_S)


def _compare_after_answers(application: Application, log: Log) -> None:
    """Have shadows run in this process, after the answer, and not through the queue."""
    service = application.service

    def mirror(*args: Any) -> None:
        from lastmile_runtime.shadows import Shadows

        shadows = Shadows(log, None)
        shadows.service = service
        service.mirror = shadows.mirror
        shadows.mirror(*args)

    service.mirror = mirror
