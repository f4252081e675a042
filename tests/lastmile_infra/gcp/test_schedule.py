from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.lastmile_infra.gcp.recorded import PROJECT, REGION, agent_of, run_of, topic_of
from tests.lastmile_infra.gcp.test_queue import variables_of
from tests.lastmile_infra.recorded import Run

SCHEDULE: dict[str, Any] = {
    "schedule": {"cron": "30 6 * * 1-5", "input": "batch/in", "output": "gs://theirs/out", "format": "csv"}
}
CLOCK = agent_of("cloudscheduler")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_of(tmp_path_factory.mktemp("gcp") / "project", **SCHEDULE)


def test_the_clock_sends_the_message_to_the_queue(run: Run) -> None:
    job = run.one("Job")
    assert job.inputs == {
        "name": "churn-dev-schedule",
        "region": REGION,
        "description": "Has the files of churn-dev scored.",
        "schedule": "30 6 * * 1,2,3,4,5",
        "timeZone": "Etc/UTC",
        "pubsubTarget": {
            "topicName": topic_of("churn-dev-jobs"),
            "data": base64.b64encode(b'{"kind": "batch"}').decode(),
        },
        "retryConfig": {"retryCount": 5},
    }
    assert "churn-dev-schedule-sends" in job.waits_for
    assert run.outputs["schedule"] == f"projects/{PROJECT}/locations/{REGION}/jobs/churn-dev-schedule"


def test_the_clock_may_send_to_that_topic(run: Run) -> None:
    assert run.inputs("ServiceIdentity", "churn-dev-schedule-agent") == {
        "service": "cloudscheduler.googleapis.com"
    }
    assert run.inputs("TopicIAMMember", "churn-dev-schedule-sends") == {
        "topic": topic_of("churn-dev-jobs"),
        "role": "roles/pubsub.publisher",
        "member": CLOCK,
    }


def test_the_function_is_told_of_the_files(run: Run) -> None:
    found = variables_of(run)
    assert json.loads(found["LASTMILE_BATCH"]) == {
        "input": "gs://churn-dev-state-1234567/batch/in",
        "output": "gs://theirs/out",
        "format": "csv",
    }
    assert "LASTMILE_JOBS_URL" not in found


def test_no_clock_without_a_schedule(tmp_path: Path) -> None:
    run = run_of(tmp_path, queue={})
    assert not run.all("Job")
    assert "schedule" not in run.outputs
