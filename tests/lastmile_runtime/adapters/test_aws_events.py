from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest

from lastmile_runtime.adapters.aws_events import EventError, answer_of, kind_of, request_of
from lastmile_runtime.http import Request, Response, json_response, refusal
from tests.lastmile_runtime.adapters import aws_samples as samples

INFER = "/v2/models/breast-cancer/infer"
BODY = '{"inputs": [{"name": "ü"}]}'
JSON = "application/json"
EVENTS = {
    "HTTP API": samples.http_api,
    "REST API": samples.rest_api,
    "load balancer": samples.load_balancer,
}


def shown(request: Request) -> dict[str, Any]:
    names = ("method", "path", "headers", "body", "query")
    return {name: getattr(request, name) for name in names}


def read(event: dict[str, Any]) -> Request:
    return request_of(event, kind_of(event))


def answer(event: dict[str, Any], response: Response) -> dict[str, Any]:
    return answer_of(response, read(event), event, kind_of(event))


def test_an_http_api_event_is_a_request() -> None:
    event = samples.http_api(body=BODY)
    assert shown(read(event)) == {
        "method": "POST",
        "path": INFER,
        "headers": {**event["headers"], "cookie": "session=1; user=u%201"},
        "body": BODY.encode(),
        "query": "a=1&b=x%20y",
    }


def test_a_rest_api_event_is_a_request_with_every_value_of_a_header_and_of_the_query() -> None:
    assert shown(read(samples.rest_api(body=BODY))) == {
        "method": "POST",
        "path": INFER,
        "headers": {
            "accept": "*/*",
            "content-type": JSON,
            "cookie": "session=1; user=u",
            "host": "70ixmpl4fl.execute-api.us-east-2.amazonaws.com",
            "x-forwarded-for": "52.255.255.12",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            "x-tag": "one, two",
        },
        "body": BODY.encode(),
        "query": "a=1&a=2&b=x+y",
    }


def test_a_load_balancer_event_is_a_request_whose_query_is_as_it_was_sent() -> None:
    event = samples.load_balancer(body=BODY)
    assert shown(read(event)) == {
        "method": "POST",
        "path": INFER,
        "headers": event["headers"],
        "body": BODY.encode(),
        "query": "a=1&b=x%20y",
    }


def test_a_load_balancer_with_multi_value_headers_gives_and_takes_them() -> None:
    event = samples.load_balancer(multiValueQueryStringParameters={"a": ["1", "2"]})
    event["multiValueHeaders"] = {"Host": ["h"], "X-Tag": ["one", "two"]}
    del event["headers"], event["queryStringParameters"]
    request = read(event)
    assert (request.headers, request.query) == ({"host": "h", "x-tag": "one, two"}, "a=1&a=2")
    assert answer(event, json_response({"ok": True})) == {
        "statusCode": 200,
        "statusDescription": "200 OK",
        "multiValueHeaders": {"content-type": [JSON]},
        "body": '{"ok":true}',
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("is_null", [True, False])
@pytest.mark.parametrize("kind", EVENTS)
def test_what_an_event_may_lack_is_empty(kind: str, is_null: bool) -> None:
    """API Gateway's consoles send null for what there is none of; a real request may lack the member."""
    event = EVENTS[kind](path="/", method="GET")
    optional = ("body", "cookies", "headers", "multiValueHeaders", "queryStringParameters", "rawQueryString")
    for name in (*optional, "multiValueQueryStringParameters"):
        event.pop(name, None)
        if is_null:
            event[name] = None
    expected = {"method": "GET", "path": "/", "headers": {}, "body": b"", "query": ""}
    assert shown(read(event)) == expected


@pytest.mark.parametrize("kind", EVENTS)
def test_a_body_in_base64_is_decoded(kind: str) -> None:
    binary = bytes(range(256))
    event = EVENTS[kind](body=b64encode(binary).decode(), isBase64Encoded=True)
    assert read(event).body == binary


def test_a_body_that_is_no_base64_although_the_event_says_so_is_refused() -> None:
    with pytest.raises(EventError) as found:
        read(samples.http_api(body="abc", isBase64Encoded=True))
    assert (
        str(found.value)
        == "the event's body is not base64, although isBase64Encoded says so: Incorrect padding."
    )


def staged(path: str, stage: str, **further: Any) -> dict[str, Any]:
    event = samples.http_api(path, **further)
    event["requestContext"]["stage"] = stage
    return event


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (staged(f"/prod{INFER}", "prod"), INFER),
        (staged("/prod", "prod"), "/"),
        (staged("/production/x", "prod"), "/production/x"),
        (staged(INFER, "prod"), INFER),
        (staged("/v2/v2/models", "v2"), "/v2/models"),
        (staged("/$default/x", "$default"), "/$default/x"),
        # What a base path mapping of a domain of one's own leaves in the path, only the route's variable tells.
        (
            staged(f"/churn{INFER}", "prod", routeKey="ANY /{proxy+}", pathParameters={"proxy": INFER[1:]}),
            INFER,
        ),
        (staged("/x/y", "prod", routeKey="ANY /x/{proxy+}", pathParameters={"proxy": "y"}), "/x/y"),
        (samples.rest_api(f"/churn{INFER}") | {"pathParameters": {"proxy": INFER[1:]}}, INFER),
        (samples.rest_api("/prod/x"), "/prod/x"),
        (
            samples.rest_api("/prod/x") | {"version": "1.0", "resource": "$default", "pathParameters": None},
            "/x",
        ),
        (samples.load_balancer("/prod/x%20y"), "/prod/x%20y"),
    ],
)
def test_the_path_is_what_follows_a_stage_or_a_base_path(event: dict[str, Any], path: str) -> None:
    assert read(event).path == path


def test_a_json_answer_is_text() -> None:
    response = json_response({"ü": 1}, headers={"x-model-version": "v1"})
    expected = {
        "statusCode": 200,
        "headers": {"content-type": JSON, "x-model-version": "v1"},
        "body": '{"ü":1}',
        "isBase64Encoded": False,
    }
    assert answer(samples.http_api(), response) == expected
    assert answer(samples.rest_api(), response) == expected
    assert answer(samples.load_balancer(), response) == {**expected, "statusDescription": "200 OK"}


@pytest.mark.parametrize("kind", EVENTS)
def test_an_error_keeps_its_status(kind: str) -> None:
    event = EVENTS[kind](path="/invocations")
    found = answer(event, refusal("/invocations", 422, "no", {"retry-after": "1"}))
    assert found["statusCode"] == 422
    assert found["headers"] == {"content-type": "application/problem+json", "retry-after": "1"}
    assert (
        found["body"] == '{"type":"about:blank","title":"Unprocessable Content","status":422,"detail":"no"}'
    )
    assert found["isBase64Encoded"] is False


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/octet-stream"},
        {"content-type": "image/png"},
        {},
        {"content-type": JSON, "content-encoding": "gzip"},
        {"content-type": "text/plain; charset=latin-1"},
    ],
)
def test_what_is_not_text_is_in_base64(kind: str, headers: dict[str, str]) -> None:
    binary = bytes(range(256))
    found = answer(EVENTS[kind](), Response(200, headers, binary))
    assert (found["isBase64Encoded"], b64decode(found["body"]), found["headers"]) == (True, binary, headers)


@pytest.mark.parametrize("kind", EVENTS)
def test_nothing_is_said_in_the_body_of_a_204_or_to_a_head(kind: str) -> None:
    found = answer(EVENTS[kind](), Response(204, {}, b""))
    assert (found["statusCode"], found["body"], found["isBase64Encoded"]) == (204, "", False)
    found = answer(EVENTS[kind](method="HEAD"), json_response({"live": True}))
    assert (found["statusCode"], found["body"], found["headers"]) == (200, "", {"content-type": JSON})


@pytest.mark.parametrize(
    ("kind", "most"), [("HTTP API", 6_291_556), ("REST API", 6_291_556), ("load balancer", 1_048_576)]
)
def test_an_answer_that_is_too_large_becomes_an_error_that_says_so(kind: str, most: int) -> None:
    event = EVENTS[kind]()

    def text(size: int) -> Response:
        return Response(200, {"content-type": "text/plain"}, b"x" * size)

    frame = len(json.dumps(answer(event, text(1)), separators=(",", ":"))) - 1
    assert answer(event, text(most - frame))["statusCode"] == 200
    response = text(most - frame + 1)
    found = answer(event, response)
    told = f"the answer has {most + 1} bytes, but a {kind}'s may have {most}; ask for fewer rows or outputs."
    assert (found["statusCode"], found["body"]) == (500, f'{{"error":"{told}"}}')
    # The log tells of what the client gets.
    assert (response.status, response.facts) == (500, {"error": told})


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (samples.http_api(), "HTTP API"),
        (samples.rest_api(), "REST API"),
        (samples.rest_api(version="1.0"), "REST API"),
        (samples.load_balancer(), "load balancer"),
        (samples.queue(("a1", "{}")), "queue"),
        (samples.SCHEDULE, "schedule"),
        ({"lastmile": "ping"}, "ping"),
    ],
)
def test_the_sender_of_an_event_is_told_from_its_shape(event: dict[str, Any], kind: str) -> None:
    assert kind_of(event) == kind


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({}, "an object with the members -"),
        ({"token": "secret", "requestContext": {}}, "an object with the members token, requestContext"),
        ({"Records": [{"eventSource": "aws:s3"}]}, "an object with the members Records"),
        ({"Records": []}, "an object with the members Records"),
        ({"Records": ["secret"]}, "an object with the members Records"),
        ({"lastmile": "secret"}, "an object with the members lastmile"),
        (["secret"], "list"),
        (None, "NoneType"),
    ],
)
def test_an_event_of_another_sender_is_refused_without_its_values(event: Any, told: str) -> None:
    with pytest.raises(EventError) as found:
        kind_of(event)
    assert str(found.value) == (
        f"the event is {told}, but this function takes events of API Gateway's HTTP APIs and function URLs (payload 2.0), "
        "its REST APIs (payload 1.0), an application load balancer, SQS, EventBridge schedules, and "
        '{"lastmile": "ping"}.'
    )
