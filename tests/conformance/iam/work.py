"""Has a deployed function do all of its work that waits: answers that come later, and files that are scored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.conformance.aws.account import Account
from tests.lastmile_runtime.adapters import aws_samples as samples
from tests.lastmile_runtime.adapters.runtime_api import LambdaProcess
from tests.lastmile_runtime.bundles import MODEL, matrix

_BODY = json.dumps({"inputs": [matrix([[1, 2]])]})
_FILE = "batch/in/rows.jsonl"


def stop_pollers(account: Account) -> None:
    """Have moto take no messages itself, for which it would ask Docker: `Work` does what Lambda's pollers do."""
    for mapping in account.pages("lambda", "list_event_source_mappings", "EventSourceMappings"):
        account.call("lambda", "update_event_source_mapping", UUID=mapping["UUID"], Enabled=False)


class Work:
    """A function, and the queue and bucket that its deployment made for it on moto."""

    def __init__(self, process: LambdaProcess, account: Account, bucket: str, queue: str, key: str) -> None:
        self._process = process
        self._account = account
        self._bucket = bucket
        self._queue = queue
        self._key = key

    def do(self) -> None:
        """Do everything; what cannot be is an AssertionError."""
        location = self._later(202)["headers"]["location"]
        assert self._get(location)["statusCode"] == 202
        assert self._pump() == ["job"]
        assert self._get(location)["statusCode"] == 200
        for rows in (2, 3):  # a file that has changed is scored anew, and what was of the former one goes
            lines = "".join(json.dumps({"x": [row, row]}) + "\n" for row in range(rows))
            self._account.call("s3", "put_object", Bucket=self._bucket, Key=_FILE, Body=lines.encode())
            self._invoke('{"kind": "batch"}')
            assert set(self._pump()) == {"batch"}
        self._account.call("sqs", "delete_queue", QueueUrl=self._queue)
        self._later(503)  # of a request that nobody will answer, nothing is kept

    def _later(self, status: int) -> Any:
        event = self._event(f"/v2/models/{MODEL}/infer", "POST", _BODY)
        event["headers"]["prefer"] = "respond-async"
        answer = self._process.invoke(event)
        assert answer["statusCode"] == status, answer
        return answer

    def _get(self, path: str) -> Any:
        return self._process.invoke(self._event(path, "GET", ""))

    def _event(self, path: str, method: str, body: str) -> dict[str, Any]:
        headers = {"x-api-key": self._key, "content-type": "application/json"}
        return samples.http_api(path, method, body=body, headers=headers)

    def _pump(self) -> list[str]:
        """Give the function what is in its queue until nothing is; return the messages' kinds."""
        kinds = []
        for message in self._messages():
            kinds.append(json.loads(message["Body"])["kind"])
            self._invoke(message["Body"])
            self._account.call(
                "sqs", "delete_message", QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"]
            )
        return kinds

    def _messages(self) -> Iterator[dict[str, Any]]:
        while True:
            received = self._account.call("sqs", "receive_message", QueueUrl=self._queue)
            if not received.get("Messages"):
                return
            yield from received["Messages"]

    def _invoke(self, body: str) -> None:
        answer = self._process.invoke(samples.queue(("1", body)))
        assert answer == {"batchItemFailures": []}, (body, self._process.lines[-3:])
