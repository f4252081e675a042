from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.lastmile_infra.aws.recorded import ACCOUNT, FUNCTIONS, provisioned
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions
from tests.lastmile_infra.recorded import Run

ARN = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:churn-dev-jobs"
URL = f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/churn-dev-jobs"
QUEUE: dict[str, Any] = {"max_attempts": 3, "visibility_timeout_s": 240, "retention_s": 86_400}


def told(run: Run, type_: str, name: str) -> dict[str, Any]:
    """Return what a resource was told but its tags, with JSON read."""
    inputs = {key: value for key, value in run.inputs(type_, name).items() if key != "tags"}
    return {
        key: json.loads(value) if str(value)[:1] == "{" and isinstance(value, str) else value
        for key, value in inputs.items()
    }


def test_a_queue_its_dead_letters_and_who_works_on_it(tmp_path: Path) -> None:
    run = provisioned(spec_of(**two_versions(apart=True), queue=QUEUE), tmp_path)
    assert told(run, "Queue", "churn-dev-jobs") == {
        "name": "churn-dev-jobs",
        "visibilityTimeoutSeconds": 240,
        "messageRetentionSeconds": 86_400,
        "redrivePolicy": {"deadLetterTargetArn": f"{ARN}-dead", "maxReceiveCount": 3},
        "sqsManagedSseEnabled": True,
    }
    assert told(run, "Queue", "churn-dev-jobs-dead") == {
        "name": "churn-dev-jobs-dead",
        "messageRetentionSeconds": 1_209_600,
        "sqsManagedSseEnabled": True,
    }
    assert told(run, "RedriveAllowPolicy", "churn-dev-jobs-dead-redrive") == {
        "queueUrl": f"{URL}-dead",
        "redriveAllowPolicy": {"redrivePermission": "byQueue", "sourceQueueArns": [ARN]},
    }
    for name, arn, url in (
        ("churn-dev-jobs", ARN, URL),
        ("churn-dev-jobs-dead", f"{ARN}-dead", f"{URL}-dead"),
    ):
        policy = told(run, "QueuePolicy", f"{name}-policy")
        assert policy["queueUrl"] == url
        (statement,) = policy["policy"]["Statement"]
        assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Deny", "sqs:*", [arn])
    assert told(run, "EventSourceMapping", "churn-dev-jobs-worker") == {
        "eventSourceArn": ARN,
        "functionName": f"{FUNCTIONS}:churn-dev-predict:live",
        "batchSize": 1,
        "functionResponseTypes": ["ReportBatchItemFailures"],
    }
    assert run.outputs["queue"] == {"jobs": URL, "dead_letters": f"{URL}-dead"}


def test_no_more_workers_than_instances(tmp_path: Path) -> None:
    run = provisioned(spec_of(queue={}, resources={"max_instances": 7}), tmp_path)
    worker = run.inputs("EventSourceMapping")
    assert worker["scalingConfig"] == {"maximumConcurrency": 7}
    assert run.inputs("Function")["reservedConcurrentExecutions"] == 7


def test_the_router_alone_knows_the_queue(tmp_path: Path) -> None:
    callback = {"urls": ["https://app.example.com/"], "secret": "HOOK"}
    schedule = {"cron": "0 6 * * *", "input": "batch/in", "output": "s3://theirs/out", "format": "jsonl"}
    spec = spec_of(
        **two_versions(apart=True), queue={"callback": callback}, schedule=schedule, secrets={"HOOK": "hook"}
    )
    run = provisioned(spec, tmp_path)
    variables, other = (
        run.inputs("Function", f"churn-dev-{name}")["environment"]["variables"]
        for name in ("predict", "predict-v2")
    )
    bucket = "s3://churn-dev-state-1234567"
    assert variables["LASTMILE_QUEUE_URL"] == f"sqs://eu-west-1/{ACCOUNT}/churn-dev-jobs"
    assert variables["LASTMILE_QUEUE_ATTEMPTS"] == "5"
    assert variables["LASTMILE_JOBS_URL"] == f"{bucket}/results"
    assert json.loads(variables["LASTMILE_CALLBACK"]) == callback
    assert json.loads(variables["LASTMILE_BATCH"]) == {
        "input": f"{bucket}/batch/in",
        "output": "s3://theirs/out",
        "format": "jsonl",
    }
    works = ("QUEUE", "JOBS", "CALLBACK", "BATCH")
    assert not [name for name in other if name.startswith(tuple(f"LASTMILE_{word}" for word in works))]
    sids = [
        s["Sid"] for s in json.loads(run.inputs("RolePolicy", "churn-dev-role-policy")["policy"])["Statement"]
    ]
    assert sids[-6:] == ["UseQueue", "UseAnswers", "UseInput", "UseOutput", "List1", "List2"]


def test_without_work_there_is_no_queue(tmp_path: Path) -> None:
    run = provisioned(spec_of(), tmp_path)
    assert not [r.name for r in run.resources if "sqs" in r.type or r.type.endswith(":EventSourceMapping")]
    assert not {"queue", "schedule", "alarms", "dashboard"} & set(run.outputs)
    assert plan_of(spec_of(), "aws")["queue"] is None
