"""A deployment on AWS as far as its queue is concerned, in an account that moto keeps: its function's processes are real."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import obstore

from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control.open import open_control
from lastmile_sls.queue_view import QueueView
from tests.conformance.aws.account import ACCOUNT, Account
from tests.conformance.event_sources import PATIENCE_S, Environment, SqsSource
from tests.lastmile_runtime.adapters import aws_samples as samples
from tests.lastmile_runtime.adapters.runtime_api import INFER, make_bundle
from tests.lastmile_runtime.bundles import matrix

ATTEMPTS = 3
# -99 waits for a file, and -13 fails until there is one: both are the test's to write.
MODEL = """
import os, time
class Model:
    def predict(self, inputs):
        marks = os.environ["MARKS"]
        value = inputs["x"][0][0]
        if value == -99:
            open(f"{marks}/began-{os.getpid()}", "w").close()
            while not os.path.exists(f"{marks}/go"):
                time.sleep(0.01)
        if value == -13 and not os.path.exists(f"{marks}/mended"):
            raise ZeroDivisionError("thirteen")
        return {"doubled": [[2 * value for value in row] for row in inputs["x"]]}
"""


def wait_until(condition: Callable[[], Any], deadline_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def body(value: float, rows: int = 1) -> str:
    return json.dumps({"inputs": [matrix([[value, 0]] * rows)]})


class Aws:
    """A deployment on AWS as far as queues are concerned: a bucket, two queues, and a function that works on them."""

    def __init__(
        self, folder: Path, account: Account, *, attempts: int = ATTEMPTS, visible_s: int = 1
    ) -> None:
        self.account = account
        self.folder = folder
        self.marks = folder / "marks"
        self.marks.mkdir()
        self.bundle, self.digest = make_bundle(folder, MODEL, ("v1", "v2"))
        account.call(
            "s3",
            "create_bucket",
            Bucket="state",
            CreateBucketConfiguration={"LocationConstraint": account.region},
        )
        self.dead = self._queue("churn-dead")
        redrive = {"deadLetterTargetArn": self.arn(self.dead), "maxReceiveCount": attempts}
        self.jobs = self._queue(
            "churn-jobs", VisibilityTimeout=str(visible_s), RedrivePolicy=json.dumps(redrive)
        )
        self.environ = {
            **account.environment(),
            "MARKS": str(self.marks),
            # Where obstore is, which a bundle that writes to a bucket brings itself.
            "LAMBDA_RUNTIME_DIR": str(Path(obstore.__file__).parent.parent),
            "LASTMILE_QUEUE_URL": f"sqs://{account.region}/{ACCOUNT}/churn-jobs",
            "LASTMILE_JOBS_URL": "s3://state/results",
            "LASTMILE_QUEUE_ATTEMPTS": str(attempts),
        }
        self._stack = ExitStack()

    def environment(self, **more: str) -> Environment:
        made = Environment(
            self.bundle, self.digest, {**self.environ, **more}, runtime=more.pop("runtime", "bootstrap")
        )
        self._stack.callback(made.end)
        return made

    def source(self, environment: Environment, batch: int = 10) -> SqsSource:
        return SqsSource(self.account, self.jobs, self.arn(self.jobs), environment, batch)

    def view(self) -> QueueView:
        """Return the queue as `lastmile queue --target aws` sees it."""
        outputs = {
            "deployment": "churn-dev",
            "url": "https://churn.example",
            "region": self.account.region,
            "account": ACCOUNT,
            "queue": {"jobs": self.jobs, "dead_letters": self.dead},
        }
        view = open_control(CloudStack(None, "aws", outputs, {})).queue()
        assert view is not None
        return view

    def arn(self, url: str) -> str:
        return f"arn:aws:sqs:{self.account.region}:{ACCOUNT}:{url.rpartition('/')[2]}"

    def end(self) -> None:
        self._stack.close()

    def _queue(self, name: str, **attributes: str) -> str:
        found: str = self.account.call("sqs", "create_queue", QueueName=name, Attributes=attributes)[
            "QueueUrl"
        ]
        return found


def ask(function: Environment, method: str, path: str, content: str = "", **headers: str) -> dict[str, Any]:
    """Send a request to a function as a gateway does."""
    event = samples.http_api(path, method, content)
    event["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
    answer: dict[str, Any] = function.invoke(event)
    return answer


def accept(function: Environment, value: float, **headers: str) -> str:
    """Have a job accepted; return where its answer will be."""
    answer = ask(function, "POST", INFER, body(value), prefer="respond-async", **headers)
    assert answer["statusCode"] == 202, answer
    return str(answer["headers"]["location"])


def doubled(answer: dict[str, Any]) -> Any:
    assert answer["statusCode"] == 200, answer
    return json.loads(answer["body"])["outputs"][0]["data"][0]
