"""Messages to Azure's Storage Queues, held against the signature of Azure's own client."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from lastmile_runtime.errors import BundleError
from lastmile_runtime.http import Request, Response
from lastmile_runtime.queues import azq, open_queue
from lastmile_runtime.stores.exchange import Address, Client
from tests.lastmile_runtime.fronts import Front, front

if TYPE_CHECKING:
    from lastmile_runtime.queues import Queue

URL = "azq://account1/churn-prod-jobs"
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
MESSAGE = '{"kind":"shadow","a":"<&>é"}'.encode()


def kept(_: Request) -> Response:
    return Response(201, {}, b"<QueueMessagesList/>")


def token(_: Request) -> Response:
    return Response(
        200, {}, json.dumps({"access_token": "t0ken", "expires_on": str(time.time() + 3600)}).encode()
    )


def queue(server: Front, **more: str) -> Queue:
    place = f"{server.url}/account1"
    return open_queue(
        URL, {"AZURE_STORAGE_ACCOUNT_KEY": KEY, "LASTMILE_QUEUE__queueServiceUri": place, **more}
    )


def test_a_message_is_sent_as_it_is_for_as_long_as_the_queue_keeps_it() -> None:
    with front(kept) as server:
        opened = queue(server, LASTMILE_QUEUE_RETENTION_S="345600")
        opened.send(MESSAGE, 5)
        opened.send(b"{}", 5)
    assert server.connections == 1
    sent = server.asked[0]
    assert (sent.method, sent.path, sent.query) == (
        "POST",
        "/account1/churn-prod-jobs/messages",
        "messagettl=345600",
    )
    (text,) = ElementTree.fromstring(sent.body).iter("MessageText")
    assert (text.text or "").encode() == MESSAGE
    assert (sent.headers["x-ms-version"], sent.headers["content-type"]) == ("2021-12-02", "application/xml")


@pytest.mark.parametrize("retention", ["", "60"])
def test_the_signature_is_the_one_of_azure_s_own_client(retention: str) -> None:
    shared = pytest.importorskip("azure.storage.queue._shared.authentication")
    with front(kept) as server:
        queue(server, LASTMILE_QUEUE_RETENTION_S=retention).send(MESSAGE, 5)
        sent = server.asked[0]
        url = f"{server.url}{sent.path}" + (f"?{sent.query}" if sent.query else "")
    headers = {name: value for name, value in sent.headers.items() if name != "authorization"}
    query = {"messagettl": retention} if retention else {}
    theirs = SimpleNamespace(method="POST", url=url, headers=headers, query=query)
    shared.SharedKeyCredentialPolicy("account1", KEY).on_request(
        SimpleNamespace(http_request=theirs, context=SimpleNamespace(transport=None))
    )
    assert sent.headers["authorization"] == theirs.headers["Authorization"]


def test_in_azure_it_is_sent_with_the_token_of_the_app_s_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, bool]] = []
    with front(kept) as server, front(token) as platform:
        here = Client(Address("127.0.0.1", server.server_port, tls=False))

        def parse(url: str, issuers: tuple[bytes, ...]) -> tuple[SimpleNamespace, str]:
            asked.append((url, bool(issuers)))
            return SimpleNamespace(tls=True), ""

        monkeypatch.setattr(azq, "Client", lambda _: here)
        monkeypatch.setattr(azq, "parse_url", parse)
        environ = {
            "IDENTITY_ENDPOINT": f"{platform.url}/token",
            "IDENTITY_HEADER": "s3cr3t",
            "AZURE_CLIENT_ID": "client",
        }
        opened = open_queue(URL, environ)
        opened.send(b"{}", 5)
        opened.send(b"{}", 5)
    assert asked == [("https://account1.queue.core.windows.net", True)]
    assert [request.headers["authorization"] for request in server.asked] == ["Bearer t0ken"] * 2
    assert platform.asked[0].query.endswith("&client_id=client")
    assert len(platform.asked) == 1


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        (
            {"LASTMILE_QUEUE_RETENTION_S": "long", "AZURE_STORAGE_ACCOUNT_KEY": KEY},
            "LASTMILE_QUEUE_RETENTION_S is 'long', but must be a number of seconds.",
        ),
        (
            {
                "LASTMILE_QUEUE__queueServiceUri": "http://account1.example",
                "IDENTITY_ENDPOINT": "http://127.0.0.1:1",
                "IDENTITY_HEADER": "s3cr3t",
            },
            "LASTMILE_QUEUE__queueServiceUri must begin with https://, because a token is sent there.",
        ),
    ],
)
def test_settings_that_cannot_be_used(environ: dict[str, str], told: str) -> None:
    with pytest.raises(BundleError) as refused:
        open_queue(URL, environ)
    assert str(refused.value) == told


@pytest.mark.parametrize(
    ("headers", "body", "told"),
    [
        ({"x-ms-error-code": "QueueNotFound"}, b"", "Azure's Storage Queues answered 404 (QueueNotFound)"),
        (
            {},
            b"<Error><Code>QueueNotFound</Code></Error>",
            "Azure's Storage Queues answered 404 (QueueNotFound)",
        ),
        ({}, b"no", "Azure's Storage Queues answered 404"),
    ],
)
def test_a_refusal_is_told_in_azure_s_own_word(headers: dict[str, str], body: bytes, told: str) -> None:
    with (
        front(lambda _: Response(404, headers, body)) as server,
        pytest.raises(OSError, match="Azure") as failed,
    ):
        queue(server).send(b"{}", 5)
    assert str(failed.value) == told
