"""From a function's environment to its application.

LASTMILE_BUNDLE: the bundle's folder (default: the one that holds this package).
LASTMILE_MANIFEST_DIGEST: what the manifest must hash to, `sha256:...`.
LASTMILE_ROUTING: the routing document that the deployment began with, as JSON.
LASTMILE_ROUTING_URL: where the live one lies, if there is one: a store's URL, the last part the document's name.
LASTMILE_AUTH: who may call, as JSON (see `lastmile_runtime.auth`), where the gateway does not check it.
LASTMILE_CORS: which web pages may call, as JSON (see `lastmile_runtime.cors`), where the gateway does not say it.
LASTMILE_WEIGHTS_URL, LASTMILE_WEIGHTS_FOLDER: the store of the files that the manifest has in chunks, and where they are
kept (default: /tmp/lastmile); the folder must be this function's alone.
LASTMILE_QUEUE_URL: the queue of work that waits (see `lastmile_runtime.queues`).
LASTMILE_JOBS_URL: the store of answers that come later; without it every request is answered at once.
LASTMILE_CALLBACK: who may be told of them, and the variable with the secret, as JSON (see `lastmile_runtime.callbacks`).
LASTMILE_BATCH: the files to score when the queue says so, as JSON: the URLs of the stores `input` and `output`, and their
`format`, csv, jsonl or parquet (see `lastmile_runtime.batch`).
LASTMILE_FUNCTIONS: the URLs of the functions that serve its remote versions, by name, as JSON. How a URL begins says how
this function proves who it is: unix:///SOCKET#NAME (the local target's host needs no proof), lambda://REGION/NAME (signed
with its own credentials; a name or an ARN, and :ALIAS), run+https://HOST (Cloud Run, with an identity token of its service
account), key+https://HOST (Azure, with the key in LASTMILE_FUNCTIONS_KEY, whose digest the other has in LASTMILE_AUTH).
LASTMILE_SECRETS: the ARNs of secrets of AWS by the variables that will have their values, as JSON (see
`lastmile_runtime.secrets`); other clouds set such variables themselves.
LASTMILE_TIMEOUT_S: after how many seconds the platform gives a request up (default: 30).
LASTMILE_RELEASES: where settings change before the code does (Azure Functions), those that go with the code, by its
manifest's digest, as JSON; it stands in the place of LASTMILE_MANIFEST_DIGEST (see `lastmile_runtime.releases`).
"""

from __future__ import annotations

import os

from lastmile_runtime import PACK, jsons
from lastmile_runtime.application import Application
from lastmile_runtime.errors import BundleError
from lastmile_runtime.manifest import Bundle
from lastmile_runtime.routing import FixedRouting, LiveRouting
from lastmile_runtime.telemetry import Log

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from lastmile_runtime.batch.work import Batch
    from lastmile_runtime.cors import Cors
    from lastmile_runtime.functions import Function
    from lastmile_runtime.jobs import Jobs
    from lastmile_runtime.queues import Queue
    from lastmile_runtime.stores import Store

_ANSWER_SHARE = 0.9
"""Of the platform's timeout, what another function has for its answer; the rest is for giving it on."""


def start(environ: Mapping[str, str], log: Log, *, keeps_running: bool) -> Application:
    """Return the application that an environment describes.

    Args:
        environ: The function's environment; see the module.
        log: Where what goes wrong outside of an answer is told.
        keeps_running: Whether the process runs on between two requests, so that work can be done there.

    Raises BundleError, naming the variable, when it cannot be served.
    """
    folder = environ.get("LASTMILE_BUNDLE") or os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib would cost 10 ms of each cold start
    if "LASTMILE_RELEASES" in environ:
        from lastmile_runtime.releases import with_release

        environ = with_release(environ, folder)
    bundle = Bundle(folder, _required(environ, "LASTMILE_MANIFEST_DIGEST"))
    if PACK is None:
        bundle.verify_runtime()
    if "LASTMILE_SECRETS" in environ or "WEBSITE_SITE_NAME" in environ:
        from lastmile_runtime.secrets import read_secrets

        read_secrets(environ)
    if bundle.manifest.libraries is not None:
        from lastmile_runtime.libraries import import_from

        import_from(bundle, bundle.manifest.libraries)
    bundle.functions = _open_functions(environ, bundle)
    if "LASTMILE_WEIGHTS_URL" in environ:
        from lastmile_runtime.stores import open_store
        from lastmile_runtime.weights import Weights

        kept = environ.get("LASTMILE_WEIGHTS_FOLDER", "/tmp/lastmile")  # noqa: S108 - made as its owner's alone, or refused
        bundle.weights = Weights(open_store(environ["LASTMILE_WEIGHTS_URL"]), kept)
    routing = _open_routing(environ, bundle, log)
    if keeps_running:
        routing.watch()
    queue, kept_later = _open_queue(environ)
    jobs = _open_jobs(environ, queue, kept_later) if queue and kept_later else None
    shadows = None
    if len(bundle.manifest.versions) > 1 and (keeps_running or queue):
        from lastmile_runtime.shadows import Shadows

        shadows = Shadows(log, None if keeps_running else queue, kept_later)
    auth = None
    if "LASTMILE_AUTH" in environ:
        from lastmile_runtime.auth import open_auth

        auth = open_auth(_json(environ, "LASTMILE_AUTH"))
    return Application(
        bundle,
        routing,
        auth=auth,
        jobs=jobs,
        shadows=shadows,
        routes=_routes(environ),
        cors=_open_cors(environ),
        batch=_open_batch(environ, queue, log) if queue else None,
    )


def _required(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise BundleError(f"{name} is not set.")
    return environ[name]


def _json(environ: Mapping[str, str], name: str) -> Any:
    try:
        return jsons.loads(_required(environ, name))
    except ValueError as error:
        raise BundleError(f"{name} is not JSON: {error}.") from error


def _open_functions(environ: Mapping[str, str], bundle: Bundle) -> dict[str, Function]:
    remote = [version for version in bundle.manifest.versions if version.remote is not None]
    if not remote:
        return {}
    from lastmile_runtime.functions import open_functions

    deadline_s = _timeout_s(environ) * _ANSWER_SHARE
    return open_functions(_json(environ, "LASTMILE_FUNCTIONS"), remote, deadline_s, environ)


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


def _open_queue(environ: Mapping[str, str]) -> tuple[Queue | None, Store | None]:
    """Return the queue, and the store of answers that come later."""
    url = environ.get("LASTMILE_QUEUE_URL")
    if not url:
        return None, None
    from lastmile_runtime.queues import open_queue
    from lastmile_runtime.stores import open_store

    jobs_url = environ.get("LASTMILE_JOBS_URL")
    return open_queue(url, environ), open_store(jobs_url) if jobs_url else None


def _open_jobs(environ: Mapping[str, str], queue: Queue, store: Store) -> Jobs:
    from lastmile_runtime.jobs import Jobs

    callbacks = None
    if "LASTMILE_CALLBACK" in environ:
        from lastmile_runtime.callbacks import open_callbacks

        callbacks = open_callbacks(_json(environ, "LASTMILE_CALLBACK"), environ)
    return Jobs(store, queue, callbacks=callbacks)


def _open_batch(environ: Mapping[str, str], queue: Queue, log: Log) -> Batch | None:
    if "LASTMILE_BATCH" not in environ:
        return None
    from lastmile_runtime.batch.work import open_batch

    return open_batch(_json(environ, "LASTMILE_BATCH"), queue, log, _timeout_s(environ))


def _timeout_s(environ: Mapping[str, str]) -> float:
    timeout_s = environ.get("LASTMILE_TIMEOUT_S", "30")
    try:
        return float(timeout_s)
    except ValueError:
        raise BundleError(f"LASTMILE_TIMEOUT_S is {timeout_s!r}, but must be a number of seconds.") from None


def _open_cors(environ: Mapping[str, str]) -> Cors | None:
    if "LASTMILE_CORS" not in environ:
        return None
    from lastmile_runtime.cors import open_cors

    return open_cors(_json(environ, "LASTMILE_CORS"))


def _routes(environ: Mapping[str, str]) -> dict[str, str] | None:
    """Return the paths that Vertex AI asks on, which it chooses itself (its custom container requirements)."""
    model = environ.get("AIP_PREDICT_ROUTE")
    health = environ.get("AIP_HEALTH_ROUTE")
    routes = {model: "/v1/vertex:predict"} if model else {}
    if health:
        routes[health] = "/health"
    return routes or None
