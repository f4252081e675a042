"""Bodies of requests outside `/v2`: their media type, their encoding, and their JSON."""

from __future__ import annotations

from lastmile_runtime import jsons
from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any


def require_method(request: Request, method: str) -> None:
    """Raise RequestError (405) unless the request has the method; HEAD goes as GET."""
    allowed = ("GET", "HEAD") if method == "GET" else (method,)
    if request.method not in allowed:
        message = f"{request.path} takes {method}, not {request.method}."
        raise RequestError(405, message, {"allow": ", ".join(allowed)})


def media_type(request: Request, known: tuple[str, ...]) -> str:
    """Return the body's media type, the first of `known` when none is said.

    Raises RequestError (415) for another one, and for a charset that is not UTF-8.
    """
    value = request.headers.get("content-type", "") or known[0]
    kind, *parameters = [part.strip().lower() for part in value.split(";")]
    for parameter in parameters:
        name, _, charset = parameter.partition("=")
        if name == "charset" and charset.strip('"') not in ("utf-8", "utf8"):
            raise RequestError(415, f"the charset is {charset}, but must be utf-8.")
    if kind == "application/x-www-form-urlencoded" and "application/json" in known:
        kind = "application/json"  # what curl says when it is told nothing
    if kind not in known:
        raise RequestError(415, f"the content-type is {kind}, but must be one of {', '.join(known)}.")
    return kind


def text_of(request: Request) -> str:
    """Return the body as text. Raises RequestError (400) when it is not UTF-8."""
    try:
        return request.body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(400, f"the body is not UTF-8: {error}.") from error


def json_of(request: Request) -> Any:
    """Return the body's JSON. Raises RequestError (400)."""
    try:
        return jsons.loads(text_of(request))
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"the body is not JSON: {error}.") from error


def object_of(request: Request, wanted: str) -> dict[str, Any]:
    """Return the body's JSON object. Raises RequestError (400) that says what it should have held."""
    document = json_of(request)
    if not isinstance(document, dict):
        raise RequestError(400, f"the body must be a JSON object with {wanted}.")
    return document


def form_of(document: dict[str, Any], forms: tuple[str, ...]) -> str:
    """Return the one of the forms of input that a request has, beside `params` if it wants. Raises RequestError (400)."""
    found = [name for name in forms if name in document]
    if len(found) != 1:
        told = ", ".join(found) or "none of them"
        raise RequestError(400, f"the body must have exactly one of {', '.join(forms)}; it has {told}.")
    require_parameters(document, "params")
    return found[0]


def require_parameters(document: dict[str, Any], name: str) -> None:
    """Raise RequestError (400) unless a request's parameters for the model, if it has any, are an object.

    What is in it is not read: no model of ours takes any, and the protocols' own servers ignore what a model does
    not take.
    """
    if not isinstance(document.get(name), dict | None):
        raise RequestError(400, f"{name} must be an object.")
