"""The endpoint's documentation: its OpenAPI document, and a page that shows it and can try it."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from lastmile_runtime.application import Application
from lastmile_runtime.http import Request, Response, json_response, refusal
from lastmile_runtime.openapi import describe, merge
from lastmile_runtime.user_app import UserApp

DOCS, OPENAPI = "/docs", "/openapi.json"
PATHS = (DOCS, OPENAPI)


class Documentation:
    """What an application's two documentation paths answer, and that every other path is none."""

    def __init__(self, application: Application, user: UserApp | None) -> None:
        self._application = application
        self._user = user

    def answer(self, request: Request) -> Response:
        """Answer a request that may be made."""
        if request.path not in PATHS:
            told = f"{request.path} is not a path of this endpoint; {DOCS} lists them."
            return refusal(request.path, 404, told)
        if request.method not in ("GET", "HEAD"):
            told = f"{request.path} takes GET, not {request.method}."
            return refusal(request.path, 405, told, {"allow": "GET, HEAD"})
        return self._page() if request.path == DOCS else self._document()

    def _document(self) -> Response:
        application = self._application
        service = application.service
        document = describe(
            service.model,
            list(service.versions.values()),
            service.champion(),
            auth=application.auth_kind,
            jobs=application.serves("/jobs/"),
            contract=application.bundle.manifest.contract,
        )
        try:
            theirs = self._user.described() if self._user else None
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's code; ours is described without it
            import traceback

            stack = "".join(traceback.format_exception(error)).splitlines()
            return json_response(
                document, facts={"error": f"{application.bundle.manifest.app}: {error}", "stack": stack}
            )
        return json_response(merge(document, theirs) if theirs else document)

    def _page(self) -> Response:
        page = Path(__file__).with_name("docs.html").read_text(encoding="utf-8")
        headers = {
            "content-type": "text/html; charset=utf-8",
            "content-security-policy": _policy(page),
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        }
        return Response(200, headers, page.encode())


def _policy(page: str) -> str:
    """Return a policy (CSP 3) under which the page's own script and style run, and ask this endpoint, and no other."""
    allowed: dict[str, Any] = {}
    for name in ("script", "style"):
        content = page.partition(f"<{name}>")[2].partition(f"</{name}>")[0]
        allowed[name] = f"{name}-src 'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"
    fixed = (
        "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return "; ".join([fixed, *allowed.values()])
