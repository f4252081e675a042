"""Google's APIs on this machine: Cloud Run as a gRPC server of its own protobufs, the others behind a session.

What is sent by REST is held against Google's discovery documents, which google-api-python-client brings: each path,
parameter and field must be one of a method's.
"""

from __future__ import annotations

import contextlib
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_VERSIONS = {
    "logging": "v2",
    "pubsub": "v1",
    "monitoring": "v3",
    "cloudscheduler": "v1",
    "cloudbilling": "v1",
    "artifactregistry": "v1",
    "compute": "v1",
    "run": "v2",
    "secretmanager": "v1",
    "storage": "v1",
}

_TYPES: dict[str, Any] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "array": list,
    "object": dict,
}
"""What JSON's types are in Python."""


@dataclass
class CloudRun:
    """Services and revisions by full name; a status in their place is what the server refuses with."""

    services: dict[str, Any] = field(default_factory=dict)
    revisions: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def serve(self) -> Iterator[Callable[[Any], Any]]:
        """Yield what makes a client's transport to a server of it."""
        import grpc

        with ThreadPoolExecutor(2) as pool:
            server = grpc.server(pool)
            server.add_generic_rpc_handlers(tuple(self._handlers()))
            port = server.add_insecure_port("127.0.0.1:0")
            server.start()
            channel = grpc.insecure_channel(f"127.0.0.1:{port}")
            yield lambda client: client.get_transport_class("grpc")(channel=channel)
            channel.close()
            server.stop(None).wait()

    def _handlers(self) -> Iterator[Any]:
        import grpc
        from google.cloud import run_v2

        kinds = (
            ("Services", "GetService", run_v2.GetServiceRequest, run_v2.Service, self.services),
            ("Revisions", "GetRevision", run_v2.GetRevisionRequest, run_v2.Revision, self.revisions),
        )
        for service, method, request, response, known in kinds:
            handler = grpc.unary_unary_rpc_method_handler(
                self._answer(known),
                request_deserializer=request.deserialize,
                response_serializer=response.serialize,
            )
            yield grpc.method_handlers_generic_handler(f"google.cloud.run.v2.{service}", {method: handler})

    def _answer(self, known: Mapping[str, Any]) -> Callable[[Any, Any], Any]:
        import grpc

        def answer(request: Any, context: Any) -> Any:
            self.asked.append(request.name)
            found = known.get(request.name, grpc.StatusCode.NOT_FOUND)
            if isinstance(found, grpc.StatusCode):
                context.abort(found, f"no, because {found.name}")
            return found

        return answer


@dataclass(frozen=True)
class Answer:
    status_code: int
    content: Any
    headers: Mapping[str, str]

    def json(self) -> Any:
        return self.content


class Session:
    """What google-auth's session is to the client, with a small cloud behind it."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}
        """By the path's end."""
        self.refusals: list[tuple[int, str]] = []
        self.dead: dict[str, dict[str, Any]] = {}
        """By id; those that are held have `held`."""
        self.published: list[dict[str, Any]] = []
        self.now = datetime.now(UTC)
        self.error: Exception | None = None

    def get(self, url: str, params: Mapping[str, Any] | None = None, timeout: float = 0) -> Answer:
        return self._call("GET", url, dict(params or {}), {})

    def post(
        self, url: str, json: Mapping[str, Any], params: Mapping[str, Any] | None = None, timeout: float = 0
    ) -> Answer:
        return self._call("POST", url, dict(params or {}), dict(json))

    def _call(self, verb: str, url: str, parameters: dict[str, Any], body: dict[str, Any]) -> Answer:
        if self.error:
            raise self.error
        require_known(verb, url, parameters, body)
        self.asked.append((urlsplit(url).path, body or parameters))
        headers = {"date": self.now.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        if self.refusals:
            status, said = self.refusals.pop(0)
            return Answer(status, {"error": {"code": status, "message": said}}, headers)
        method = url.rpartition(":")[2] if verb == "POST" else ""
        match method:
            case "list":
                return Answer(200, self._list(body), headers)
            case "pull":
                return Answer(200, self._pull(body), headers)
            case "publish":
                self.published += body["messages"]
                return Answer(200, {"messageIds": ["1"] * len(body["messages"])}, headers)
            case "acknowledge":
                for id_ in body["ackIds"]:
                    del self.dead[id_]
                return Answer(200, {}, headers)
            case "modifyAckDeadline":
                for id_ in body["ackIds"]:
                    self.dead[id_]["held"] = body["ackDeadlineSeconds"] > 0
                return Answer(200, {}, headers)
        for end, answer in self.answers.items():
            if urlsplit(url).path.endswith(end):
                return Answer(200, answer(parameters) if callable(answer) else answer, headers)
        return Answer(404, {"error": {"code": 404, "message": f"{url} was not found."}}, headers)

    def _list(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return a page of the newest entries that the filter's time and severity let through."""
        since = re.search(r'timestamp>="([^"]+)"', body["filter"])
        assert since
        found = [entry for entry in self.entries if entry["timestamp"] >= since[1]]
        if "severity>=ERROR" in body["filter"]:
            found = [entry for entry in found if entry.get("severity") == "ERROR"]
        found.sort(key=lambda entry: str(entry["timestamp"]), reverse=True)
        start = int(body.get("pageToken", 0))
        end = start + min(int(body["pageSize"]), 10)
        more = {"nextPageToken": str(end)} if end < len(found) else {}
        return {"entries": found[start:end], **more}

    def _pull(self, body: dict[str, Any]) -> dict[str, Any]:
        free = [id_ for id_, message in self.dead.items() if not message.get("held")]
        taken = free[: min(int(body["maxMessages"]), 10)]
        for id_ in taken:
            self.dead[id_]["held"] = True
        return {
            "receivedMessages": [
                {
                    "ackId": id_,
                    "message": {name: value for name, value in self.dead[id_].items() if name != "held"},
                }
                for id_ in taken
            ]
        }

    def set_aside(self, ids: list[str], published: str) -> None:
        """Put jobs among the dead letters, as Pub/Sub does."""
        for id_ in ids:
            self.dead[id_] = {
                "messageId": id_,
                "publishTime": published,
                "data": b64encode(json.dumps({"kind": "job", "id": id_}).encode()).decode(),
                "attributes": {
                    "CloudPubSubDeadLetterSourceDeliveryCount": "5",
                    "CloudPubSubDeadLetterSourceSubscription": "churn-dev-jobs",
                    "CloudPubSubDeadLetterSourceTopicPublishTime": published,
                    "traceparent": "00-1-2-01",
                },
            }


def require_known(verb: str, url: str, parameters: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    """Raise AssertionError for a call that no discovery document has."""
    parts = urlsplit(url)
    service = parts.netloc.partition(".")[0]
    document = _discovery(service)
    path = parts.path.lstrip("/").removeprefix(document["servicePath"])
    for method in _methods(document.get("resources", {})):
        if method["httpMethod"] != verb or not re.fullmatch(
            _pattern(method.get("flatPath", method["path"])), path
        ):
            continue
        assert set(parameters) <= set(method["parameters"]), (method["id"], parameters)
        schema = document["schemas"][method["request"]["$ref"]]["properties"] if body else {}
        assert set(body) <= set(schema), (method["id"], body)
        return
    raise AssertionError(f"no method of {service} is {verb} {path}")


def require_schema(service: str, name: str, document: Any) -> None:
    """Raise AssertionError for an answer with a field, a type or a word that the discovery document does not have."""
    _require_type(service, {"$ref": name}, document, name)


def _require_type(service: str, schema: Mapping[str, Any], value: Any, where: str) -> None:
    if "$ref" in schema:
        schema = _discovery(service)["schemas"][schema["$ref"]]
    assert isinstance(value, _TYPES[schema["type"]]), (where, value)
    assert not isinstance(value, bool) or schema["type"] == "boolean", (where, value)
    assert "enum" not in schema or value in schema["enum"], (where, value)
    assert schema.get("format") not in ("int64", "uint64") or re.fullmatch(r"-?\d+", value), (where, value)
    for number, item in enumerate(value if schema["type"] == "array" else ()):
        _require_type(service, schema["items"], item, f"{where}.{number}")
    for field_, item in value.items() if schema["type"] == "object" else ():
        assert field_ in schema["properties"], (where, field_)
        _require_type(service, schema["properties"][field_], item, f"{where}.{field_}")


def _pattern(path: str) -> str:
    """Return a regular expression for a path with `{+name}` in it."""
    return "".join(
        ".+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]*\})", path)
    )


def _methods(resources: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in resources.values():
        yield from resource.get("methods", {}).values()
        yield from _methods(resource.get("resources", {}))


@cache
def _discovery(service: str) -> dict[str, Any]:
    import googleapiclient.discovery_cache

    folder = Path(googleapiclient.discovery_cache.__file__).parent / "documents"
    document: dict[str, Any] = json.loads((folder / f"{service}.{_VERSIONS[service]}.json").read_text())
    return document
