"""Messages to Amazon SQS, held against botocore's model of the service and its signer."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lastmile_runtime.http import Request, Response
from lastmile_runtime.queues import open_queue
from tests.lastmile_runtime.fronts import Front, front

if TYPE_CHECKING:
    from lastmile_runtime.queues import Queue

KEYS = {"AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "s3cr3t", "AWS_SESSION_TOKEN": "t0ken"}
MESSAGE = '{"kind":"job","id":"é"}'.encode()


def queue(server: Front, region: str = "eu-west-1", variable: str = "AWS_ENDPOINT_URL_SQS") -> Queue:
    return open_queue(f"sqs://{region}/123456789012/churn-prod-jobs", {**KEYS, variable: server.url})


def kept(_: Request) -> Response:
    return Response(200, {}, b'{"MessageId": "1", "MD5OfMessageBody": "x"}')


def botocore_request(server: Front, sent: Request) -> Any:
    """Return what botocore sends for the same message, with what its signer makes of ours at the same time."""
    session = pytest.importorskip("botocore.session").Session()
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    client = session.create_client(
        "sqs", "eu-west-1", aws_access_key_id="KEY", aws_secret_access_key="s3cr3t", aws_session_token="t0ken"
    )
    seen: list[Any] = []

    def stop(request: Any, **_: Any) -> None:
        seen.append(request)
        raise InterruptedError

    client.meta.events.register("before-send", stop)
    with pytest.raises(InterruptedError):
        client.send_message(QueueUrl=json.loads(sent.body)["QueueUrl"], MessageBody=MESSAGE.decode())
    named = ("content-type", "x-amz-target", "x-amz-date", "x-amz-security-token")
    ours = AWSRequest("POST", f"{server.url}/", {name: sent.headers[name] for name in named}, sent.body)
    ours.context["timestamp"] = sent.headers["x-amz-date"]
    signer = SigV4Auth(client._request_signer._credentials, "sqs", "eu-west-1")
    text = signer.string_to_sign(ours, signer.canonical_request(ours))
    return seen[0], signer.signature(text, ours)


def test_a_message_is_sent_as_botocore_sends_it_on_one_connection() -> None:
    with front(kept) as server:
        opened = queue(server)
        opened.send(MESSAGE, 5)
        opened.send(b"{}", 5)
        sent = server.asked[0]
        theirs, signature = botocore_request(server, sent)
    assert server.connections == 1
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/churn-prod-jobs"
    assert json.loads(sent.body) == {"QueueUrl": url, "MessageBody": MESSAGE.decode()}
    assert (sent.method, sent.path) == ("POST", "/")
    assert json.loads(sent.body) == json.loads(theirs.body)
    for name in ("content-type", "x-amz-target"):
        value = theirs.headers[name]
        assert sent.headers[name] == (value.decode() if isinstance(value, bytes) else value)
    assert sent.headers["authorization"].endswith(f"Signature={signature}")
    stamp = datetime.strptime(sent.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - stamp) < timedelta(minutes=1)


def test_another_partition_has_another_domain_and_any_endpoint_will_do() -> None:
    with front(kept) as server:
        queue(server, "cn-north-1", "AWS_ENDPOINT_URL").send(b"{}", 5)
    assert json.loads(server.asked[0].body)["QueueUrl"].startswith("https://sqs.cn-north-1.amazonaws.com.cn/")


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (
            400,
            b'{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "s3cr3t"}',
            "Amazon SQS answered 400 (QueueDoesNotExist)",
        ),
        (403, b'{"__type": "AccessDeniedException"}', "Amazon SQS answered 403 (AccessDeniedException)"),
        (503, b"<html>", "Amazon SQS answered 503"),
    ],
)
def test_a_refusal_is_told_in_the_service_s_own_word(status: int, body: bytes, told: str) -> None:
    with front(lambda _: Response(status, {}, body)) as server, pytest.raises(OSError, match="SQS") as failed:
        queue(server).send(b"{}", 5)
    assert str(failed.value) == told


def test_it_is_given_up_in_time() -> None:
    def late(_: Request) -> Response:
        time.sleep(0.3)
        return Response(200, {}, b"{}")

    with front(late) as server, pytest.raises(TimeoutError):
        queue(server).send(b"{}", 0.05)
