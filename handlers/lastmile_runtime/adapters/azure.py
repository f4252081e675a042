"""Azure Functions' Python worker, programming model v2: HTTP requests, messages of a storage queue, and a timer.

Its settings, beside `lastmile_runtime.startup`'s: LASTMILE_QUEUE_NAME, without which nothing is taken from a queue,
and LASTMILE_QUEUE, the prefix of the settings that say where it is, such as LASTMILE_QUEUE__queueServiceUri;
LASTMILE_SCHEDULE, a timer's NCRONTAB expression; WEBSITE_SITE_NAME, which Azure sets.

The process counts as one that keeps running: between two requests a worker is not stopped, it goes on answering its
host's status requests (`worker_status_request` in the worker's FunctionRpc.proto), until the instance is removed for
good. What runs there, the refreshing of the routing document and the shadows, may be lost with the instance.
"""

from __future__ import annotations

import threading
import time

import azure.functions as func

from lastmile_runtime.adapters.azure_later import Later
from lastmile_runtime.adapters.deliveries import age_s
from lastmile_runtime.errors import BundleError
from lastmile_runtime.forms.application_insights import Traces
from lastmile_runtime.http import Request, Response, json_response
from lastmile_runtime.startup import start

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping

    from lastmile_runtime.application import Application

QUEUE_ATTEMPTS_SETTING = "AzureFunctionsJobHost__extensions__queues__maxDequeueCount"
"""The setting that overrides host.json: learn.microsoft.com/azure/azure-functions/functions-host-json, "Override"."""
QUEUE_ATTEMPTS = 5
"""After how many deliveries the host moves a message to the poison queue, as host.json says."""


def create(environ: Mapping[str, str]) -> func.FunctionApp:
    """Return the functions of a bundle, for the worker to find.

    Raises BundleError when it cannot be served; the worker then tells its host, and Azure's log has the reason.
    """
    began = time.perf_counter()
    log = Traces(environ.get("WEBSITE_SITE_NAME", "predict"))
    application = start(environ, log, keeps_running=True)
    functions = Functions(application, log, Later(log), _queue_attempts(environ), time.perf_counter() - began)
    threading.Thread(target=_load_ahead, args=(application,), name="lastmile-load", daemon=True).start()
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
    _take_requests(app, functions)
    if environ.get("LASTMILE_QUEUE_NAME"):
        _take_messages(app, functions)
    if environ.get("LASTMILE_SCHEDULE"):
        _take_times(app, functions)
    return app


def _take_requests(app: func.FunctionApp, functions: Functions) -> None:
    # No methods are named, so that every one is let through: which are allowed is the protocol's to say.
    @app.function_name("predict")
    @app.route(route="{*path}", trigger_arg_name="request")
    def predict(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        return functions.serve(request, context)


def _take_messages(app: func.FunctionApp, functions: Functions) -> None:
    @app.function_name("work")
    @app.queue_trigger(arg_name="message", queue_name="%LASTMILE_QUEUE_NAME%", connection="LASTMILE_QUEUE")
    def work(message: func.QueueMessage, context: func.Context) -> None:
        functions.work(message, context)


def _take_times(app: func.FunctionApp, functions: Functions) -> None:
    @app.function_name("scheduled")
    @app.timer_trigger(arg_name="timer", schedule="%LASTMILE_SCHEDULE%")
    def run(timer: func.TimerRequest, context: func.Context) -> None:
        functions.run(timer, context)


def _queue_attempts(environ: Mapping[str, str]) -> int:
    value = environ.get(QUEUE_ATTEMPTS_SETTING, str(QUEUE_ATTEMPTS))
    if not (value.isascii() and value.isdigit() and int(value) > 0):
        raise BundleError(f"{QUEUE_ATTEMPTS_SETTING} is {value!r}, but must be a number of at least 1.")
    return int(value)


def _load_ahead(application: Application) -> None:
    """Load what will answer, while the host gets ready; what fails is tried again, and told, by its first request."""
    try:
        application.prepare()
    except Exception:  # noqa: BLE001 - see above
        return


class Functions:
    """What the functions do; the worker calls them in its pool of threads."""

    def __init__(
        self, application: Application, log: Traces, later: Later, queue_attempts: int, init_s: float
    ) -> None:
        """Take the application, and what its start took in seconds, which the first event tells."""
        self._application = application
        self._respond = application.cors.answering(self._answer) if application.cors else self._answer
        self._log = log
        self._later = later
        self._queue_attempts = queue_attempts
        self._init_s = init_s

    def serve(self, given: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        """Answer an HTTP request."""
        began = time.perf_counter()
        request = request_of(given)
        with self._log.invocation():
            response = self._respond(request)
            self._tell(request, response, "http", context, began)
        if response.afterwards:
            self._later.add(response.afterwards)
        return answer_of(response)

    def work(self, message: func.QueueMessage, context: func.Context) -> None:
        """Do what a message says. Raises whatever kept it from being done: the host delivers it again, or sets it aside."""
        began = time.perf_counter()
        attempt = message.dequeue_count or 1
        response = Response(204, {}, b"", {"message_id": message.id, "attempt": attempt})
        if message.insertion_time is not None:
            response.facts["queue_age_s"] = age_s(message.insertion_time.timestamp())
        with self._log.invocation():
            try:
                body, last = message.get_body(), attempt >= self._queue_attempts
                answer = self._application.work(body, attempt=attempt, last=last)
                if answer:
                    response.facts.update(answer.facts)
                    response.afterwards = answer.afterwards
            except Exception as error:
                _note(response, error)
                raise
            finally:
                self._tell(None, response, "pubsub", context, began)
        if response.afterwards:
            self._later.add(response.afterwards)

    def run(self, timer: func.TimerRequest, context: func.Context) -> None:
        """Do what is to be done at certain times. Raises whatever that raises."""
        began = time.perf_counter()
        response = Response(204, {}, b"", {"past_due": timer.past_due})
        with self._log.invocation():
            try:
                response.facts.update(self._application.scheduled())
            except Exception as error:
                _note(response, error)
                raise
            finally:
                self._tell(None, response, "timer", context, began)

    def _answer(self, request: Request) -> Response:
        if self._application.serves(request.path):
            return self._application.handle(request)
        if request.path.startswith("/_lastmile/"):
            return json_response({"error": "there is nothing here."}, 404)
        # Not azure.functions' AsgiMiddleware: it makes an event loop per call, and the user's application needs one.
        from lastmile_runtime.asgi import call

        return call(self._application, request)

    def _tell(
        self, request: Request | None, response: Response, trigger: str, context: func.Context, began: float
    ) -> None:
        """Write an invocation's event (OpenTelemetry's FaaS names; opentelemetry.io/docs/specs/semconv/faas)."""
        facts = response.facts
        facts["model"] = self._application.service.model
        facts["faas.trigger"] = trigger
        facts["faas.invocation_id"] = context.invocation_id
        if self._init_s:
            facts["faas.init_duration"] = round(self._init_s, 6)
            self._init_s = 0.0
        self._log.request(request, response, time.perf_counter() - began)


def _note(response: Response, error: Exception) -> None:
    response.status = 500
    response.facts["error"] = f"{type(error).__name__}: {error}"


def request_of(given: func.HttpRequest) -> Request:
    """Return a request of the worker's as ours.

    The host builds its URL from scheme, host, path and query (`ToRpcHttp` in github.com/Azure/azure-functions-host,
    ScriptInvocationRequestExtensions.cs): the path is escaped, as it was sent.
    """
    url, _, query = given.url.partition("?")
    path = "/" + url.partition("://")[2].partition("/")[2]
    return Request(given.method, path, dict(given.headers), given.get_body(), query)


def answer_of(response: Response) -> func.HttpResponse:
    """Return an answer of ours as the worker's.

    The host's server, Kestrel, sends no header with characters outside of ASCII, and fails for one.
    """
    headers = {
        name: value.encode("ascii", "replace").decode("ascii") for name, value in response.headers.items()
    }
    return func.HttpResponse(response.body, status_code=response.status, headers=headers)
