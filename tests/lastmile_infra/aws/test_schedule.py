from __future__ import annotations

import json
from pathlib import Path

from tests.lastmile_infra.aws.recorded import ACCOUNT, provisioned
from tests.lastmile_infra.aws.test_queue import told
from tests.lastmile_infra.plans import spec_of

QUEUES = [f"arn:aws:sqs:eu-west-1:{ACCOUNT}:churn-dev-jobs{end}" for end in ("", "-dead")]


def test_a_clock_in_utc_with_an_identity_of_its_own(tmp_path: Path) -> None:
    schedule = {"cron": "30 6 * * 1-5", "input": "batch/in", "output": "batch/out"}
    run = provisioned(spec_of(schedule=schedule), tmp_path)
    assert told(run, "ScheduleGroup", "churn-dev-schedule-group") == {"name": "churn-dev-schedule"}
    assert run.inputs("Schedule") == {
        "name": "churn-dev-schedule",
        "groupName": "churn-dev-schedule",
        "scheduleExpression": "cron(30 6 ? * MON,TUE,WED,THU,FRI *)",
        "scheduleExpressionTimezone": "UTC",
        "flexibleTimeWindow": {"mode": "OFF"},
        "target": {
            "arn": QUEUES[0],
            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/churn-dev-schedule",
            "input": '{"kind": "batch"}',
            "deadLetterConfig": {"arn": QUEUES[1]},
        },
    }
    role = told(run, "Role", "churn-dev-schedule-role")
    (trusted,) = role["assumeRolePolicy"]["Statement"]
    assert (role["name"], trusted["Principal"]) == (
        "churn-dev-schedule",
        {"Service": "scheduler.amazonaws.com"},
    )
    policy = told(run, "RolePolicy", "churn-dev-schedule-role-policy")
    (send,) = policy["policy"]["Statement"]
    assert (policy["role"], send["Action"], send["Resource"]) == (
        "churn-dev-schedule",
        ["sqs:SendMessage"],
        QUEUES,
    )
    # Scheduler refuses a role that may not send yet.
    assert "churn-dev-schedule-role-policy" in run.one("Schedule").waits_for
    path = "churn-dev-schedule/churn-dev-schedule"
    assert run.outputs["schedule"] == f"arn:aws:scheduler:eu-west-1:{ACCOUNT}:schedule/{path}"
    # A schedule alone makes a queue, whose answers nobody keeps.
    variables = run.inputs("Function")["environment"]["variables"]
    assert "LASTMILE_JOBS_URL" not in variables
    assert json.loads(variables["LASTMILE_BATCH"])["input"] == "s3://churn-dev-state-1234567/batch/in"
