"""Stand-ins for what takes messages from a cloud's queue to a function: they do as the clouds document it, and no more.

The functions are processes of their own, which a test may kill at any moment.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import queue
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lastmile_runtime.http import Request, Response
from tests.conformance.aws.account import Account
from tests.lastmile_runtime.adapters.pushes import token
from tests.lastmile_runtime.adapters.runtime_api import BOOTSTRAP, LambdaProcess, running

PATIENCE_S = 60.0
_LOOK_S = 0.02


class Environment:
    """An execution environment of a function on Lambda: its process, and a new one when that was killed."""

    def __init__(
        self, folder: Path, digest: str, environ: Mapping[str, str], *, runtime: str = BOOTSTRAP
    ) -> None:
        self._started = (runtime, folder, digest)
        self._environ = dict(environ)
        self._stack = contextlib.ExitStack()
        self._process: LambdaProcess | None = None
        self.lines: list[str] = []
        """What processes that are gone have said."""
        self.kills = 0

    def invoke(self, event: Any) -> Any:
        """Return the answer to an event; None when the process ended before it answered, or failed."""
        process = self._process
        if process is None or process.process.poll() is not None:
            process = self._start()
        id_ = process.api.send(event)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                outcome = process.api.outcome(id_, _LOOK_S)
                return outcome.document if outcome.kind == "response" else None
            if process.process.poll() is not None:
                return None
        raise AssertionError(f"an event was not answered: {process.lines[-5:]}")

    def kill(self) -> bool:
        """End its process at once, if there is one; tell whether there was."""
        process = self._process
        if process is None or process.process.poll() is not None:
            return False
        os.kill(process.process.pid, signal.SIGKILL)
        self.kills += 1
        return True

    def end(self) -> list[str]:
        """End it; return all that its processes have said."""
        if self._process:
            self._process.process.kill()
            self._process.finish()
            self.lines += self._process.lines
            self._process = None
        self._stack.close()
        return self.lines

    def _start(self) -> LambdaProcess:
        self.end()
        self._stack = contextlib.ExitStack()
        runtime, folder, digest = self._started
        made = running(runtime, folder, digest, environ=self._environ)
        self._process = self._stack.enter_context(made)
        return self._process


class SqsSource:
    """An event source mapping with ReportBatchItemFailures (docs.aws.amazon.com/lambda/latest/dg/with-sqs.html).

    It receives a batch, invokes the function, and deletes what the function has not named as failed; when the function
    failed, or did not answer, it deletes nothing, and the messages are there again after their visibility timeout.
    """

    def __init__(
        self, account: Account, url: str, arn: str, environment: Environment, batch: int = 10
    ) -> None:
        self._account = account
        self._url = url
        self._arn = arn
        self._environment = environment
        self._batch = batch
        self.done = 0
        """Messages that were deleted, because they were worked on."""

    def step(self, wait_s: int = 1) -> int:
        """Receive a batch and have it worked on; return how many messages that were."""
        found = self._account.call(
            "sqs",
            "receive_message",
            QueueUrl=self._url,
            MaxNumberOfMessages=self._batch,
            WaitTimeSeconds=wait_s,
            MessageSystemAttributeNames=["All"],
        ).get("Messages", [])
        if not found:
            return 0
        answer = self._environment.invoke({"Records": [self._record(message) for message in found]})
        if isinstance(answer, dict) and "batchItemFailures" in answer:
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            done = [message for message in found if message["MessageId"] not in failed]
            entries = [{"Id": m["MessageId"], "ReceiptHandle": m["ReceiptHandle"]} for m in done]
            if entries:
                self._account.call("sqs", "delete_message_batch", QueueUrl=self._url, Entries=entries)
                self.done += len(entries)
        return len(found)

    def _record(self, message: dict[str, Any]) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": self._account.region,
        }


class Signer:
    """What Google does to a push, and its emulator leaves out: the token of the subscription's service account, and how
    often the message was delivered (docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions and
    /handling-failures, read 2026-11-29). Cloud Run holds a request until there is an
    instance, and answers with 503 for one that ended before it answered."""

    def __init__(self, issuer: str, port: int) -> None:
        self._issuer = issuer
        self._port = port
        self.attempts: Counter[str] = Counter()

    def __call__(self, request: Request) -> Response:
        envelope = json.loads(request.body)
        id_ = envelope["message"]["messageId"]
        self.attempts[id_] += 1
        body = json.dumps({**envelope, "deliveryAttempt": self.attempts[id_]}).encode()
        headers = {"authorization": token(self._issuer), "content-type": "application/json"}
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return ask_http(self._port, "POST", request.path, body, headers)
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    return Response(503, {}, b"")
                time.sleep(_LOOK_S)
            except (OSError, http.client.HTTPException):
                return Response(503, {}, b"")


def ask_http(
    port: int, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Response:
    """Send a request to a server on this machine. Raises OSError or HTTPException."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Response(answer.status, found, answer.read())
    finally:
        connection.close()


class PubSub:
    """Google Pub/Sub with one topic, a subscription that pushes, and its dead letters: where the emulator is not found.

    REST as in the discovery document of pubsub v1: publish, pull, acknowledge, modifyAckDeadline. A push is acknowledged
    by 102, 200, 201, 202 and 204 (docs.cloud.google.com/pubsub/docs/push, read 2026-11-29); any other is sent again.
    """

    def __init__(self, attempts: int, rest_s: float = 0.2) -> None:
        self.endpoint = 0
        """The port that is pushed to."""
        self._attempts = attempts
        self._rest_s = rest_s
        self._count = itertools.count(1)
        self._dead: dict[str, dict[str, Any]] = {}
        self._pulled: set[str] = set()

    def __call__(self, request: Request) -> Response:
        place, _, verb = request.path.rpartition(":")
        document = json.loads(request.body or b"{}")
        match verb:
            case "publish":
                found: Any = {"messageIds": [self._publish(entry["data"]) for entry in document["messages"]]}
            case "pull":
                ids = [id_ for id_ in self._dead if id_ not in self._pulled][: document["maxMessages"]]
                self._pulled |= set(ids)
                found = {"receivedMessages": [{"ackId": id_, "message": self._dead[id_]} for id_ in ids]}
            case "acknowledge":
                for id_ in document["ackIds"]:
                    del self._dead[id_]
                found = {}
            case "modifyAckDeadline":
                if document["ackDeadlineSeconds"] == 0:
                    self._pulled -= set(document["ackIds"])
                found = {}
            case _:
                raise ValueError(f"{place}:{verb} is none of these.")
        return Response(200, {"content-type": "application/json"}, json.dumps(found).encode())

    def _publish(self, data: str) -> str:
        id_ = str(next(self._count))
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        message = {"data": data, "messageId": id_, "publishTime": now, "attributes": {}}
        threading.Thread(target=self._push, args=(message,), daemon=True).start()
        return id_

    def _push(self, message: dict[str, Any]) -> None:
        body = json.dumps({"message": message, "subscription": "projects/p/subscriptions/jobs"}).encode()
        for _ in range(self._attempts):
            answer = ask_http(self.endpoint, "POST", "/_lastmile/queue", body)
            if answer.status in (102, 200, 201, 202, 204):
                return
            time.sleep(self._rest_s)
        self._dead[message["messageId"]] = message


@contextlib.contextmanager
def going_on(*steps: Callable[[], object]) -> Iterator[None]:
    """Repeat each step in a thread of its own until the end of the block; what one raises is raised there."""
    ended = threading.Event()
    raised: list[BaseException] = []

    def run(step: Callable[[], object]) -> None:
        try:
            while not ended.is_set():
                step()
        except BaseException as error:  # it is raised at the end of the block
            raised.append(error)

    threads = [threading.Thread(target=run, args=(step,), daemon=True) for step in steps]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join(PATIENCE_S)
    if raised:
        raise raised[0]
