from __future__ import annotations

import json

import pytest

from lastmile_runtime.http import json_response, refusal


def test_a_json_response_is_compact_and_keeps_its_characters() -> None:
    response = json_response({"name": "krüger", "n": 1}, 201, {"x-a": "b"}, {"version": "v1"})
    assert response.body == '{"name":"krüger","n":1}'.encode()
    assert response.headers == {"content-type": "application/json", "x-a": "b"}
    assert (response.status, response.facts) == (201, {"version": "v1"})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_does_not_have_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="Out of range float values are not JSON compliant"):
        json_response([value])


@pytest.mark.parametrize("path", ["/v2", "/v2/models/m/infer"])
def test_a_refusal_at_v2_is_the_protocols(path: str) -> None:
    response = refusal(path, 404, "gone.", {"allow": "GET"}, {"stack": []})
    assert response.body == b'{"error":"gone."}'
    assert response.headers == {"content-type": "application/json", "allow": "GET"}
    assert (response.status, response.facts) == (404, {"error": "gone.", "stack": []})


@pytest.mark.parametrize("path", ["/", "/v2x", "/invocations"])
def test_a_refusal_elsewhere_is_problem_details(path: str) -> None:
    response = refusal(path, 404, "gone.")
    assert response.headers == {"content-type": "application/problem+json"}
    assert json.loads(response.body) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "gone.",
    }
