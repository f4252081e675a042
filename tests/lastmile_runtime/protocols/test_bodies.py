"""Media types, encodings and JSON of bodies."""

from __future__ import annotations

from typing import Any

import pytest

from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request
from lastmile_runtime.protocols import bodies

KNOWN = ("application/json", "text/csv")


def request(body: bytes = b"", content_type: str | None = None, method: str = "POST") -> Request:
    return Request(method, "/p", {"content-type": content_type} if content_type else {}, body)


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        (None, "application/json"),
        ("application/json", "application/json"),
        ("Application/JSON; charset=UTF-8", "application/json"),
        ("application/x-www-form-urlencoded", "application/json"),
        ('text/csv; header=present; charset="utf-8"', "text/csv"),
    ],
)
def test_the_media_type_is_read(content_type: str | None, kind: str) -> None:
    assert bodies.media_type(request(content_type=content_type), KNOWN) == kind


@pytest.mark.parametrize(
    ("call", "status", "message"),
    [
        (
            lambda: bodies.media_type(request(content_type="image/png"), KNOWN),
            415,
            "the content-type is image/png, but must be one of application/json, text/csv.",
        ),
        (
            lambda: bodies.media_type(request(content_type="text/csv; charset=latin-1"), KNOWN),
            415,
            "the charset is latin-1, but must be utf-8.",
        ),
        (
            lambda: bodies.text_of(request(b"a\xff")),
            400,
            "the body is not UTF-8: 'utf-8' codec can't decode byte 0xff in position 1: invalid start byte.",
        ),
        (
            lambda: bodies.json_of(request(b"{")),
            400,
            "the body is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1).",
        ),
        (lambda: bodies.object_of(request(b"[1]"), "data"), 400, "the body must be a JSON object with data."),
        (lambda: bodies.require_method(request(method="GET"), "POST"), 405, "/p takes POST, not GET."),
        (lambda: bodies.require_parameters({"params": [1]}, "params"), 400, "params must be an object."),
    ],
)
def test_what_cannot_be_read_is_refused(call: Any, status: int, message: str) -> None:
    with pytest.raises(RequestError) as refused:
        call()
    assert (refused.value.status, refused.value.message) == (status, message)


def test_a_body_nested_too_deeply_is_refused() -> None:
    with pytest.raises(RequestError, match=r"^the body is not JSON: "):
        bodies.json_of(request(b"[" * 100_000))


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert bodies.json_of(request(b"\xef\xbb\xbf[1]")) == [1]


def test_a_head_may_be_asked_for_where_a_get_may() -> None:
    bodies.require_method(request(method="HEAD"), "GET")
    with pytest.raises(RequestError) as refused:
        bodies.require_method(request(method="PUT"), "GET")
    assert refused.value.headers == {"allow": "GET, HEAD"}


@pytest.mark.parametrize("parameters", [{}, {"parameters": None}, {"parameters": {"a": 1}}])
def test_parameters_may_be_there_or_not(parameters: dict[str, Any]) -> None:
    bodies.require_parameters(parameters, "parameters")
