"""A deployment's queue on SQS, seen from outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from lastmile_sls.control.aws.client import Aws
from lastmile_sls.control.clock import CloudClock
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.work import QUEUE
from lastmile_sls.queue_view import PeekedMessage, QueueStatus, peeked

_HELD_S = 30
"""For how long a look, or a move by hand, holds a message; after that it is there again."""
_BATCH = 10
"""Of messages in one call (botocore's model of ReceiveMessage, MaxNumberOfMessages)."""
_POLL_S = 2.0
_UNKNOWN = frozenset({"InvalidAction", "UnknownOperationException", "NotImplemented", "501", "500"})


class SqsView:
    """A queue, and that of its dead letters."""

    def __init__(
        self,
        aws: Aws,
        jobs: str,
        dead_letters: str,
        clock: CloudClock,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._aws = aws
        self._jobs = jobs
        self._dead = dead_letters
        self._clock = clock
        self._pause = pause

    def status(self) -> QueueStatus:
        """Return what it holds; the oldest message's age is CloudWatch's, some minutes old."""
        jobs = self._attributes(self._jobs, "the queue")
        dead = self._attributes(self._dead, "the dead letters")
        waiting = int(jobs["ApproximateNumberOfMessages"])
        flying = int(jobs["ApproximateNumberOfMessagesNotVisible"])
        set_aside = int(dead["ApproximateNumberOfMessages"]) + int(
            dead["ApproximateNumberOfMessagesNotVisible"]
        )
        return QueueStatus(QUEUE, waiting, flying, set_aside, self._oldest_s() if waiting + flying else None)

    def peek(self, count: int, *, waiting: bool = False) -> list[PeekedMessage]:
        """Return messages that were set aside; each is held for half a minute at most, and given back at once."""
        if waiting:
            raise LastmileError(
                f"SQS counts a look at a waiting message of {self._aws.asked.where} as an attempt.",
                "Look at what was set aside: lastmile queue peek",
            )
        found: dict[str, dict[str, Any]] = {}
        try:
            while len(found) < count:
                batch = self._receive(self._dead, min(_BATCH, count - len(found)))
                if not batch:
                    break
                found |= {message["MessageId"]: message for message in batch}
        finally:
            self._give_back(list(found.values()))
        return sorted(map(self._peeked, found.values()), key=lambda message: -(message.age_s or 0.0))

    def redrive(self, told: Callable[[int], None]) -> int:
        """Have SQS move all that was set aside back; it goes on when this is killed, and another run follows it."""
        from botocore.exceptions import ClientError

        client = self._aws.client("sqs")
        source = self._attributes(self._dead, "the dead letters")["QueueArn"]
        destination = self._attributes(self._jobs, "the queue")["QueueArn"]
        with self._aws.asking("the dead letters"):
            try:
                last = self._last_task(source)
                if last.get("Status") == "RUNNING":
                    return self._follow(source, told)
                client.start_message_move_task(SourceArn=source, DestinationArn=destination)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _UNKNOWN:
                    raise
                return self._move(told)  # a server that speaks SQS, but has no such task
        return self._follow(source, told, after=last.get("StartedTimestamp"))

    def _last_task(self, source: str) -> dict[str, Any]:
        """Return the newest move; empty when there was none."""
        answer = self._aws.client("sqs").list_message_move_tasks(SourceArn=source, MaxResults=1)
        found: list[dict[str, Any]] = answer.get("Results") or [{}]
        return found[0]

    def _follow(self, source: str, told: Callable[[int], None], after: int | None = None) -> int:
        """Return how many messages a move has moved, once it is done; one that began at `after` is not meant."""
        while True:
            with self._aws.asking("the move of the dead letters"):
                task = self._last_task(source)
            if after is not None and task.get("StartedTimestamp") == after:
                self._pause(_POLL_S)  # the new one is not listed yet
                continue
            moved = int(task.get("ApproximateNumberOfMessagesMoved", 0))
            told(moved)
            match task.get("Status"):
                case "COMPLETED":
                    return moved
                case "RUNNING" | "CANCELLING" | None:
                    self._pause(_POLL_S)
                case status:
                    reason = task.get("FailureReason") or status
                    raise LastmileError(
                        f"SQS moved {moved} messages of {self._aws.asked.where}, and stopped: {reason}.",
                        "What was not moved is still set aside. Mend the cause, then run it again.",
                    )

    def _move(self, told: Callable[[int], None]) -> int:
        """Send each message, then delete it: killed in between, it is there twice, and never lost."""
        moved = 0
        for batch in self._old_batches():
            entries = [{"Id": str(i), "MessageBody": message["Body"]} for i, message in enumerate(batch)]
            with self._aws.asking("the queue"):
                client = self._aws.client("sqs")
                sent = client.send_message_batch(QueueUrl=self._jobs, Entries=entries)
                done = [batch[int(one["Id"])] for one in sent.get("Successful", ())]
                self._delete(done)
            if len(done) < len(batch):
                said = sent["Failed"][0].get("Message") or sent["Failed"][0]["Code"]
                raise self._aws.asked.failed("that messages were delivered again to the queue", said)
            moved += len(done)
            told(moved)
        return moved

    def _old_batches(self) -> Iterator[list[dict[str, Any]]]:
        """Return what was sent before this began; what was sent anew and came back is left for another run."""
        began = self._clock.now() + timedelta(seconds=1)
        while batch := self._receive(self._dead, _BATCH):
            old = [message for message in batch if _sent_at(message) <= began]
            self._give_back([message for message in batch if message not in old])
            if not old:
                return
            yield old

    def _receive(self, url: str, most: int) -> list[dict[str, Any]]:
        with self._aws.asking("the dead letters"):
            answer = self._aws.client("sqs").receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=most,
                VisibilityTimeout=_HELD_S,
                WaitTimeSeconds=1,
                MessageSystemAttributeNames=["SentTimestamp"],
            )
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    def _give_back(self, messages: list[dict[str, Any]]) -> None:
        for start in range(0, len(messages), _BATCH):
            entries = [
                {"Id": str(i), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
                for i, message in enumerate(messages[start : start + _BATCH])
            ]
            with self._aws.asking("the dead letters"):
                self._aws.client("sqs").change_message_visibility_batch(QueueUrl=self._dead, Entries=entries)

    def _delete(self, messages: list[dict[str, Any]]) -> None:
        entries = [
            {"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]} for i, message in enumerate(messages)
        ]
        if entries:
            self._aws.client("sqs").delete_message_batch(QueueUrl=self._dead, Entries=entries)

    def _peeked(self, message: dict[str, Any]) -> PeekedMessage:
        """Return a message; how often it was received is not told, because looks at it count as well."""
        age_s = (self._clock.now() - _sent_at(message)).total_seconds()
        return peeked(message["MessageId"], message["Body"], age_s=max(0.0, round(age_s, 1)))

    def _attributes(self, url: str, what: str) -> dict[str, str]:
        with self._aws.asking(what):
            found: dict[str, str] = self._aws.client("sqs").get_queue_attributes(
                QueueUrl=url,
                AttributeNames=[
                    "QueueArn",
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                ],
            )["Attributes"]
        return found

    def _oldest_s(self) -> float | None:
        now = self._clock.now()
        with self._aws.asking("the age of the oldest message"):
            answer = self._aws.client("cloudwatch").get_metric_statistics(
                Namespace="AWS/SQS",
                MetricName="ApproximateAgeOfOldestMessage",
                Dimensions=[{"Name": "QueueName", "Value": self._jobs.rpartition("/")[2]}],
                StartTime=now - timedelta(minutes=10),
                EndTime=now,
                Period=60,
                Statistics=["Maximum"],
            )
        newest = max(answer["Datapoints"], key=lambda point: point["Timestamp"], default=None)
        return float(newest["Maximum"]) if newest else None


def _sent_at(message: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
