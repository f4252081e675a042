"""Amazon SQS (docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html, read 2026-11-29)."""

from __future__ import annotations

import time

from lastmile_runtime import jsons
from lastmile_runtime.aws import Caller, Service, domain
from lastmile_runtime.errors import BundleError
from lastmile_runtime.queues import parts

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_BYTES = 262_144
"""A queue may be made to take up to 1 MiB (MaximumMessageSize, botocore's model of SetQueueAttributes); this every one takes
that was not made to take less."""
_HEADERS = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.SendMessage"}


class SqsQueue:
    """A queue of Amazon SQS."""

    most_bytes = _MOST_BYTES

    def __init__(self, service: Service, url: str) -> None:
        """Ask nothing yet; `url` is the queue's own, as SQS knows it."""
        self._service = service
        self._url = url

    def send(self, message: bytes, deadline_s: float) -> None:
        """Add a message: SQS has it on several servers when this returns. Raises OSError when it has not."""
        document = {"QueueUrl": self._url, "MessageBody": message.decode("utf-8")}
        self._service.post("/", _HEADERS, jsons.dumps(document).encode(), time.monotonic() + deadline_s)


def open_url(url: str, environ: Mapping[str, str]) -> SqsQueue | None:
    """Return the queue at `sqs://REGION/ACCOUNT/NAME`, None for no such URL.

    AWS_ENDPOINT_URL_SQS or AWS_ENDPOINT_URL is an emulator's URL, as for AWS's own libraries. Raises BundleError when the
    environment does not say who is asking.
    """
    found = parts(url, 3)
    if found is None or not found[1].isdigit():
        return None
    region, account, name = found
    caller = Caller(environ)
    if not caller.is_known:
        raise BundleError(
            f"the queue {name} is sent to in this function's name, but the environment has no credentials of AWS."
        )
    place = f"https://sqs.{region}.{domain(region)}/{account}/{name}"
    return SqsQueue(Service("sqs", region, caller, environ), place)
