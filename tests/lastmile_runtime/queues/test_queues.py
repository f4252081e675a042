from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import lastmile_runtime
from lastmile_runtime.errors import BundleError
from lastmile_runtime.queues import FORMS, open_queue
from tests.lastmile_runtime.test_boundary import COSTLY

HANDLERS = Path(lastmile_runtime.__file__).parent.parent
KEYS = {"AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "s3cr3t"}
ANYBODY = {**KEYS, "K_SERVICE": "predict", "IDENTITY_ENDPOINT": "http://127.0.0.1:1", "IDENTITY_HEADER": "h"}
OPEN = """
import sys, json
sys.path.insert(0, sys.argv[1])
from lastmile_runtime.queues import open_queue
open_queue(sys.argv[2], json.loads(sys.argv[3]))
print(" ".join(sorted(sys.modules)))
"""
OTHERS = ("stores.s3", "jobs", "callbacks", "shadows")


@pytest.mark.parametrize(
    ("url", "most_bytes"),
    [
        ("unix:///tmp/q#jobs", 33_554_432),
        ("sqs://eu-west-1/123456789012/churn-prod-jobs", 262_144),
        ("pubsub://my-project-1/churn-prod-jobs", 7_000_000),
        ("azq://account1/churn-prod-jobs", 49_152),
    ],
)
def test_each_kind_says_how_much_it_takes_and_imports_its_own_module_alone(url: str, most_bytes: int) -> None:
    assert open_queue(url, ANYBODY).most_bytes == most_bytes
    command = [sys.executable, "-I", "-c", OPEN, str(HANDLERS), url, json.dumps(ANYBODY)]
    loaded = set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    kinds = {name for name in loaded if name.startswith("lastmile_runtime.queues.")}
    assert len(kinds) == 1
    assert not loaded & {f"lastmile_runtime.{name}" for name in OTHERS}
    # json was imported by the test's own program.
    assert not {name.partition(".")[0] for name in loaded} & (COSTLY - {"json", "re", "enum"})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "jobs",
        "unix:///tmp/q",
        "unix:///tmp/q#",
        "unix://tmp/q#jobs",
        "sqs://eu-west-1/jobs",
        "sqs://eu-west-1/account/jobs",
        "sqs://eu-west-1/123456789012/jobs/more",
        "sqs://evil.example#/123456789012/jobs",
        "pubsub://project",
        "pubsub://project/topic:publish",
        "pubsub://project/a?b",
        "azq://account/",
        "azq://account/ü",
        "amqp://host/jobs",
    ],
)
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(BundleError) as refused:
        open_queue(url, ANYBODY)
    assert str(refused.value) == f"LASTMILE_QUEUE_URL is {url!r}, but must be {FORMS}."


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (
            "sqs://eu-west-1/123456789012/jobs",
            "the queue jobs is sent to in this function's name, but the environment has no credentials of AWS.",
        ),
        (
            "pubsub://project/jobs",
            "the topic jobs is sent to in this function's name, but the environment is not one of Cloud Run's.",
        ),
        (
            "azq://account/jobs",
            "the queue is sent to in this function's name, but the environment has no managed identity of Azure's.",
        ),
    ],
)
def test_who_is_asking_must_be_known(url: str, told: str) -> None:
    with pytest.raises(BundleError) as refused:
        open_queue(url, {})
    assert str(refused.value) == told
