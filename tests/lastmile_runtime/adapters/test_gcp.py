"""Cloud Run's container: $PORT, Vertex AI's routes, SIGTERM, Cloud Logging's lines, and what is imported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.forms.cloud_logging import form
from tests.lastmile_runtime.adapters.process import container, copy_runtime, post
from tests.lastmile_runtime.bundles import DOUBLER, matrix, python_bundle
from tests.lastmile_runtime.test_boundary import COSTLY, NEVER
from tests.ports import free_port

BODY = {"inputs": [matrix([[1, 2]])]}
SPAN = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACE = f"00-{SPAN}-00f067aa0ba902b7-01"
# Its second prediction says what is imported by then.
TELLS = """
import sys
class Model:
    asked = 0
    def predict(self, inputs):
        self.asked += 1
        return {"modules": sorted(sys.modules) if self.asked == 2 else ["none"]}
"""


def bundle(folder: Path, source: str = DOUBLER) -> tuple[Path, str]:
    made = folder / "bundle"
    copy_runtime(made)
    return made, python_bundle(made, source)


def with_header(raw: bytes, header: str) -> bytes:
    return raw.replace(b"\r\n", f"\r\n{header}\r\n".encode(), 1)


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (f"traceparent: {TRACE}", "00f067aa0ba902b7"),
        (f"x-cloud-trace-context: {SPAN}/255;o=1", "00000000000000ff"),
    ],
)
def test_it_answers_on_its_port_logs_as_the_platform_reads_and_ends_when_told(
    tmp_path: Path, header: str, span: str
) -> None:
    folder, digest = bundle(tmp_path)
    with container(folder, digest, GOOGLE_CLOUD_PROJECT="p") as function:
        function.wait_until_it_listens()
        status, headers, body = function.exchange(with_header(post(BODY), header))
        assert (status, json.loads(body)["outputs"][0]["data"]) == (200, [2, 4])
        assert headers["x-model-version"] == "v1"
        function.process.terminate()
        assert function.finish() == 0
    (line,) = function.lines
    event = json.loads(line)
    assert event["httpRequest"].pop("latency").endswith("s")
    for measured in ("time", "load_ms", "predict_ms"):
        assert event.pop(measured)
    assert event == {
        "severity": "INFO",
        "message": "POST /v2/models/breast-cancer/infer",
        "function": "churn",
        "httpRequest": {
            "requestMethod": "POST",
            "requestUrl": "/v2/models/breast-cancer/infer",
            "status": 200,
        },
        "faas.trigger": "http",
        "faas.coldstart": True,
        "version": "v1",
        "route": "rule=only",
        "traceparent": f"00-{SPAN}-{span}-01",
        "logging.googleapis.com/labels": {"version": "v1"},
        "logging.googleapis.com/trace": f"projects/p/traces/{SPAN}",
        "logging.googleapis.com/spanId": span,
        "logging.googleapis.com/trace_sampled": True,
    }


@pytest.mark.parametrize("value", ["", "x", f"{SPAN}/x", f"{SPAN}/{'9' * 5000}", f"{SPAN[1:]}/1"])
def test_a_trace_header_that_is_none_is_passed_over(tmp_path: Path, value: str) -> None:
    folder, digest = bundle(tmp_path)
    with container(folder, digest, GOOGLE_CLOUD_PROJECT="p") as function:
        function.wait_until_it_listens()
        raw = with_header(post(BODY), f"x-cloud-trace-context: {value}")
        assert function.exchange(raw)[0] == 200
        function.process.terminate()
        assert function.finish() == 0
    assert "traceparent" not in json.loads(function.lines[0])


def test_vertex_names_its_own_port_and_routes(tmp_path: Path) -> None:
    folder, digest = bundle(tmp_path)
    port = str(free_port())
    routes = {"AIP_HTTP_PORT": port, "AIP_PREDICT_ROUTE": "/predict", "AIP_HEALTH_ROUTE": "/healthz"}
    with container(folder, digest, None, **routes) as function:
        function.wait_until_it_listens()
        assert function.exchange(b"GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n")[0] == 200
        status, _, body = function.exchange(post({"instances": [[1, 2]]}, "/predict"))
        assert (status, json.loads(body)) == (200, {"predictions": [[2, 4]]})


def test_paths_of_no_protocol_are_the_asgi_applications_and_internal_ones_nobodys(tmp_path: Path) -> None:
    folder, digest = bundle(tmp_path)
    with container(folder, digest) as function:
        function.wait_until_it_listens()
        assert function.exchange(b"GET /openapi.json HTTP/1.1\r\nconnection: close\r\n\r\n")[0] == 200
        for path in ("/_lastmile/queue", "/_lastmile/x"):
            status, _, body = function.exchange(post({}, path))
            assert (status, json.loads(body)["detail"]) == (404, f"{path} is not a path of this endpoint.")


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        (
            {"LASTMILE_MANIFEST_DIGEST": "sha256:0"},
            "manifest.json has the digest {digest}, but sha256:0 was deployed.",
        ),
        (
            {"LASTMILE_PUSH_AUDIENCE": "https://a"},
            "LASTMILE_PUSH_ACCOUNT is not set, but pushes are taken with it alone.",
        ),
        (
            {"LASTMILE_PUSH_AUDIENCE": "a", "LASTMILE_PUSH_ACCOUNT": "b", "LASTMILE_QUEUE_ATTEMPTS": "x"},
            "LASTMILE_QUEUE_ATTEMPTS is 'x', but must be a number.",
        ),
    ],
)
def test_what_it_cannot_serve_does_not_start(tmp_path: Path, environ: dict[str, str], message: str) -> None:
    folder, digest = bundle(tmp_path)
    with container(folder, environ.pop("LASTMILE_MANIFEST_DIGEST", digest), None, **environ) as function:
        assert function.finish() == 1
    assert function.lines == [f"the function cannot start: {message.format(digest=digest)}"]


def test_until_the_second_prediction_nothing_costly_is_imported(tmp_path: Path) -> None:
    folder, digest = bundle(tmp_path, TELLS)
    with container(folder, digest) as function:
        function.wait_until_it_listens()
        assert function.infer(BODY)[2]["outputs"][0]["data"] == ["none"]
        modules = set(function.infer(BODY)[2]["outputs"][0]["data"])
    assert "lastmile_runtime.adapters.gcp" in modules
    assert not modules & (
        COSTLY | NEVER | {"socket", "selectors", "signal", "base64", "lastmile_runtime.asgi"}
    )


@pytest.mark.parametrize(
    ("level", "severity"), [("info", "INFO"), ("warning", "WARNING"), ("error", "ERROR"), ("odd", "DEFAULT")]
)
def test_a_warning_outside_of_a_request_has_its_severity(level: str, severity: str) -> None:
    event = {"time": "t", "level": level, "function": "f", "error": "odd"}
    assert form(event) == {
        "severity": severity,
        "time": "t",
        "message": "odd",
        "function": "f",
        "error": "odd",
    }


@pytest.mark.parametrize(
    ("project", "traceparent", "joined"),
    [(None, TRACE, False), ("p", "odd", False), ("p", TRACE, True)],
)
def test_a_line_is_joined_to_its_trace_where_the_project_is_known(
    project: str | None, traceparent: str, joined: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    if project:
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", project)
    event: dict[str, Any] = {
        "time": "t",
        "level": "info",
        "status": 503,
        "duration_ms": 1.5,
        "traceparent": traceparent,
    }
    found = form(event)
    assert ("logging.googleapis.com/trace" in found) is joined
    assert found["httpRequest"] == {
        "requestMethod": "",
        "requestUrl": "",
        "status": 503,
        "latency": "0.001500s",
    }
