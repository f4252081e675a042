"""What a caller proves who they are by is not handed on."""

from __future__ import annotations

from lastmile_runtime.calls import without_caller


def test_headers_without_the_caller() -> None:
    personal = ["Authorization", "cookie", "X-API-Key", "x-serverless-authorization"]
    assert without_caller({**dict.fromkeys(personal, "x"), "Content-Type": "a/b"}) == {"Content-Type": "a/b"}
    assert without_caller(None) == {}
