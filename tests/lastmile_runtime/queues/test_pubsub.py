"""Messages to Google Cloud Pub/Sub; its client's own messages read ours (see also tests/conformance/test_queues.py)."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from lastmile_runtime.http import Request, Response
from lastmile_runtime.queues import open_queue, pubsub
from lastmile_runtime.stores.exchange import Address
from tests.lastmile_runtime.fronts import Front, front

if TYPE_CHECKING:
    from lastmile_runtime.queues import Queue

URL = "pubsub://my-project/churn-prod-jobs"


def kept(_: Request) -> Response:
    return Response(200, {}, b'{"messageIds": ["1"]}')


def token(_: Request) -> Response:
    return Response(200, {}, json.dumps({"access_token": "t0ken", "expires_in": 3600}).encode())


def emulated(server: Front) -> Queue:
    return open_queue(URL, {"PUBSUB_EMULATOR_HOST": server.place})


def test_a_message_is_published_on_one_connection() -> None:
    with front(kept) as server:
        queue = emulated(server)
        queue.send(b'{"kind": "job"}', 5)
        queue.send(b"{}", 5)
    assert server.connections == 1
    sent = server.asked[0]
    assert (sent.method, sent.path) == ("POST", "/v1/projects/my-project/topics/churn-prod-jobs:publish")
    (message,) = json.loads(sent.body)["messages"]
    assert (list(message), b64decode(message["data"])) == (["data"], b'{"kind": "job"}')
    assert "authorization" not in sent.headers


def test_on_cloud_run_it_is_published_in_the_service_account_s_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int, bool]] = []
    with front(kept) as server, front(token) as platform:

        def here(host: str, port: int, *, tls: bool, issuers: tuple[bytes, ...]) -> Address:
            asked.append((host, port, tls))
            return Address("127.0.0.1", server.server_port, tls=False)

        monkeypatch.setattr(pubsub, "Address", here)
        queue = open_queue(URL, {"K_SERVICE": "predict", "GCE_METADATA_HOST": platform.place})
        queue.send(b"{}", 5)
        queue.send(b"{}", 5)
    assert asked == [("pubsub.googleapis.com", 443, True)]
    assert [request.headers["authorization"] for request in server.asked] == ["Bearer t0ken"] * 2
    assert [request.path for request in platform.asked] == [
        "/computeMetadata/v1/instance/service-accounts/default/token"
    ]


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (
            404,
            b'{"error": {"code": 404, "message": "s3cr3t", "status": "NOT_FOUND"}}',
            "Google Pub/Sub answered 404 (NOT_FOUND)",
        ),
        (
            403,
            b'{"error": {"status": "PERMISSION_DENIED"}}',
            "Google Pub/Sub answered 403 (PERMISSION_DENIED)",
        ),
        (502, b"<html>", "Google Pub/Sub answered 502"),
    ],
)
def test_a_refusal_is_told_in_google_s_own_word(status: int, body: bytes, told: str) -> None:
    with (
        front(lambda _: Response(status, {}, body)) as server,
        pytest.raises(OSError, match="Google") as failed,
    ):
        emulated(server).send(b"{}", 5)
    assert str(failed.value) == told
