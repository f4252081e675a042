"""From a function's environment to its application.

LASTMILE_BUNDLE: the bundle's folder (default: the one that holds this package).
LASTMILE_MANIFEST_DIGEST: what the manifest must hash to, `sha256:...`.
LASTMILE_ROUTING: the routing document that the deployment began with, as JSON.
LASTMILE_ROUTING_URL: where the live one lies, if there is one: a store's URL, the last part the document's name.
LASTMILE_AUTH: who may call, as JSON (see `lastmile_runtime.auth`), where the gateway does not check it.
LASTMILE_QUEUE_URL, LASTMILE_JOBS_URL: the queue of requests that are answered later, and the store of their answers.
"""

from __future__ import annotations

import os

from lastmile_runtime import jsons
from lastmile_runtime.application import Application
from lastmile_runtime.errors import BundleError
from lastmile_runtime.manifest import Bundle
from lastmile_runtime.routing import FixedRouting, LiveRouting
from lastmile_runtime.telemetry import Log

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from lastmile_runtime.jobs import Jobs
    from lastmile_runtime.queues import Queue


def start(environ: Mapping[str, str], log: Log, *, keeps_running: bool) -> Application:
    """Return the application that an environment describes.

    Args:
        environ: The function's environment; see the module.
        log: Where what goes wrong outside of an answer is told.
        keeps_running: Whether the process runs on between two requests, so that work can be done there.

    Raises BundleError, naming the variable, when it cannot be served.
    """
    folder = environ.get("LASTMILE_BUNDLE") or os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib would cost 10 ms of each cold start
    bundle = Bundle(folder, _required(environ, "LASTMILE_MANIFEST_DIGEST"))
    routing = _open_routing(environ, bundle, log)
    if keeps_running:
        routing.watch()
    queue, jobs = _open_jobs(environ)
    shadows = None
    if len(bundle.manifest.versions) > 1 and (keeps_running or queue):
        from lastmile_runtime.shadows import Shadows

        shadows = Shadows(log, None if keeps_running else queue)
    auth = None
    if "LASTMILE_AUTH" in environ:
        from lastmile_runtime.auth import open_auth

        auth = open_auth(_json(environ, "LASTMILE_AUTH"))
    return Application(bundle, routing, auth=auth, jobs=jobs, shadows=shadows, routes=_routes(environ))


def _required(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise BundleError(f"{name} is not set.")
    return environ[name]


def _json(environ: Mapping[str, str], name: str) -> Any:
    try:
        return jsons.loads(_required(environ, name))
    except ValueError as error:
        raise BundleError(f"{name} is not JSON: {error}.") from error


def _open_routing(environ: Mapping[str, str], bundle: Bundle, log: Log) -> FixedRouting | LiveRouting:
    document = _json(environ, "LASTMILE_ROUTING")
    versions = [version.id for version in bundle.manifest.versions]
    url = environ.get("LASTMILE_ROUTING_URL")
    fixed = FixedRouting(document, versions)
    if not url:
        return fixed
    from lastmile_runtime.stores import open_store

    folder, _, name = url.rpartition("/")
    return LiveRouting(open_store(folder), name, document, versions, log.warning)


def _open_jobs(environ: Mapping[str, str]) -> tuple[Queue | None, Jobs | None]:
    url = environ.get("LASTMILE_QUEUE_URL")
    if not url:
        return None, None
    from lastmile_runtime.jobs import Jobs
    from lastmile_runtime.queues import open_queue
    from lastmile_runtime.stores import open_store

    queue = open_queue(url)
    return queue, Jobs(open_store(_required(environ, "LASTMILE_JOBS_URL")), queue)


def _routes(environ: Mapping[str, str]) -> dict[str, str] | None:
    """Return the paths that Vertex AI asks on, which it chooses itself (its custom container requirements)."""
    model = environ.get("AIP_PREDICT_ROUTE")
    health = environ.get("AIP_HEALTH_ROUTE")
    routes = {model: "/v1/vertex:predict"} if model else {}
    if health:
        routes[health] = "/health"
    return routes or None
