"""What invokes a Lambda function: telling events apart, and HTTP ones into requests and answers back into their form.

API Gateway: docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html (HTTP APIs,
payload formats 2.0 and 1.0; function URLs send 2.0) and set-up-lambda-proxy-integrations.html (REST APIs).
Load balancers: docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html.
"""

from __future__ import annotations

from lastmile_runtime.http import TITLES, Request, Response, refusal

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

HTTP_API, REST_API, LOAD_BALANCER = "HTTP API", "REST API", "load balancer"
QUEUE, SCHEDULE, PING = "queue", "schedule", "ping"
HTTP = (HTTP_API, REST_API, LOAD_BALANCER)
TAKEN = (
    "API Gateway's HTTP APIs and function URLs (payload 2.0), its REST APIs (payload 1.0), an application load "
    'balancer, SQS, EventBridge schedules, and {"lastmile": "ping"}'
)
_MOST_BYTES = {HTTP_API: 6_291_556, REST_API: 6_291_556, LOAD_BALANCER: 1_048_576}
"""The largest answer, as JSON: Lambda's own limit (gettingstarted-limits.html), and the load balancer's lower one."""
_TEXT = ("text/", "application/json", "application/problem+json", "application/xml", "application/javascript")


class EventError(Exception):
    """An event that this function does not take."""


def kind_of(event: Any) -> str:
    """Return what sent an event. Raises EventError, naming what is taken, for one of another sender."""
    if isinstance(event, dict):
        context = event.get("requestContext")
        if isinstance(context, dict):
            if "http" in context:
                return HTTP_API
            if "elb" in context:
                return LOAD_BALANCER
            if "httpMethod" in event:
                return REST_API
        records = event.get("Records")
        first = records[0] if isinstance(records, list) and records else None
        if isinstance(first, dict) and first.get("eventSource") == "aws:sqs":
            return QUEUE
        if event.get("detail-type") == "Scheduled Event":
            return SCHEDULE
        if event.get("lastmile") == "ping":
            return PING
    # Values may be secrets.
    shown = (
        f"an object with the members {', '.join(event) or '-'}"
        if isinstance(event, dict)
        else type(event).__name__
    )
    raise EventError(f"the event is {shown}, but this function takes events of {TAKEN}.")


def request_of(event: dict[str, Any], kind: str) -> Request:
    """Return the request that an HTTP event carries. Raises EventError when its body is not what the event says."""
    body = event.get("body") or ""
    content = _decode(body) if event.get("isBase64Encoded") else body.encode()
    if kind == HTTP_API:
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        if event.get("cookies"):
            headers["cookie"] = "; ".join(event["cookies"])
        method = event["requestContext"]["http"]["method"]
        return Request(method, path_of(event, kind), headers, content, event.get("rawQueryString") or "")
    return Request(event["httpMethod"], path_of(event, kind), _headers(event), content, _query(event, kind))


def answer_of(response: Response, request: Request, event: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return an answer in the form that the event's sender takes; one that is too large for it becomes an error."""
    answer = _render(response, request, event, kind)
    most = _MOST_BYTES[kind]
    # No byte of the body takes more than the six of \u0000.
    if len(response.body) * 6 + 65_536 > most:
        from lastmile_runtime.jsons import dumps

        size = len(dumps(answer, ensure_ascii=True))
        if size > most:
            told = (
                f"the answer has {size} bytes, but a {kind}'s may have {most}; ask for fewer rows or outputs."
            )
            too_large = refusal(request.path, 500, told)
            response.status, response.facts["error"] = 500, told
            return _render(too_large, request, event, kind)
    return answer


def _render(response: Response, request: Request, event: dict[str, Any], kind: str) -> dict[str, Any]:
    body, encoded = "", False
    if request.method != "HEAD":
        body, encoded = _body(response)
    answer: dict[str, Any] = {"statusCode": response.status, "body": body, "isBase64Encoded": encoded}
    if kind == LOAD_BALANCER:
        answer["statusDescription"] = f"{response.status} {TITLES.get(response.status, '')}".rstrip()
        if "multiValueHeaders" in event:
            # A target group with multi-value headers reads no others.
            answer["multiValueHeaders"] = {name: [value] for name, value in response.headers.items()}
            return answer
    answer["headers"] = response.headers
    return answer


def _body(response: Response) -> tuple[str, bool]:
    """Return a body as text, and whether it is in base64, as what is not text must be."""
    kind = response.headers.get("content-type", "")
    if (kind.startswith(_TEXT) and "content-encoding" not in response.headers) or not response.body:
        try:
            return response.body.decode(), False
        except UnicodeDecodeError:
            pass  # it is text in another character set
    from binascii import b2a_base64

    return b2a_base64(response.body, newline=False).decode("ascii"), True


def _decode(body: str) -> bytes:
    from binascii import Error, a2b_base64

    try:
        return a2b_base64(body)
    except Error as error:
        raise EventError(
            f"the event's body is not base64, although isBase64Encoded says so: {error}."
        ) from error


def path_of(event: dict[str, Any], kind: str) -> str:
    """Return the path behind a stage's name or a base path mapping.

    HTTP APIs put the stage before the path, unless it is $default. A domain of one's own puts its base path there;
    only the greedy variable of a route for everything tells what follows.
    """
    path: str = event["rawPath" if kind == HTTP_API else "path"]
    route = event.get("routeKey") or event.get("resource") or ""
    rest = "/" + ((event.get("pathParameters") or {}).get("proxy") or "")
    if route.rpartition(" ")[2] == "/{proxy+}" and path.endswith(rest):
        return rest
    stage = event["requestContext"].get("stage") or "$default"
    # A REST API's path never has it, and a load balancer knows none.
    if "version" in event and stage != "$default" and (path + "/").startswith(f"/{stage}/"):
        path = path[len(stage) + 1 :]
    return path or "/"


def _headers(event: dict[str, Any]) -> dict[str, str]:
    """Return an event's headers under lower-case names, those that came several times joined (RFC 9110, 5.3)."""
    many = event.get("multiValueHeaders")
    if not many:
        return {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    found = {}
    for name, values in many.items():
        lower = name.lower()
        found[lower] = ("; " if lower == "cookie" else ", ").join(values)
    return found


def _query(event: dict[str, Any], kind: str) -> str:
    """Return an event's query string; API Gateway has decoded its parts, a load balancer has not."""
    single = event.get("queryStringParameters") or {}
    many = event.get("multiValueQueryStringParameters") or {name: [value] for name, value in single.items()}
    if not many:
        return ""
    pairs = [(name, value) for name, values in many.items() for value in values]
    if kind == LOAD_BALANCER:
        return "&".join(f"{name}={value}" for name, value in pairs)
    from urllib.parse import urlencode

    return urlencode(pairs)
