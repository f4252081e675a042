"""How long logs are kept."""

from __future__ import annotations

from lastmile_sls.policy.resource import UNKNOWN
from lastmile_sls.policy.rules.logs import LOG_GROUPS, LOG_RETENTION
from tests.lastmile_sls.policy.judged import found, made, problems

DAYS = {"min_days": 7, "max_days": 90}
GROUP, FUNCTION = "aws:cloudwatch/logGroup:LogGroup", "aws:lambda/function:Function"
WORKSPACE = "azure-native:operationalinsights:Workspace"


def test_days() -> None:
    assert problems(LOG_RETENTION, GROUP, {"retentionInDays": 30}, logs=DAYS) == []
    forever = "retentionInDays is not set, so that logs are kept for ever; 7 to 90 days are allowed."
    assert problems(LOG_RETENTION, GROUP, {}, logs=DAYS) == [forever]
    assert problems(LOG_RETENTION, GROUP, {"retentionInDays": 0.0}, logs=DAYS) == [forever]
    assert problems(LOG_RETENTION, GROUP, {"retentionInDays": 365.0}, logs=DAYS) == [
        "retentionInDays is 365; 7 to 90 days are allowed."
    ]
    assert problems(LOG_RETENTION, GROUP, {"retentionInDays": UNKNOWN}, logs=DAYS) == [
        "? retentionInDays is known only after creation."
    ]
    assert problems(LOG_RETENTION, WORKSPACE, {}, logs=DAYS) == []
    assert problems(LOG_RETENTION, WORKSPACE, {}, logs={"min_days": 60}) == [
        "retentionInDays is 30; 60 to 3653 days are allowed."
    ]
    assert problems(LOG_RETENTION, "azure-native:operationalinsights:Table", {}, logs={"min_days": 60}) == []
    bucket = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
    assert problems(LOG_RETENTION, bucket, {"retentionDays": 1}, logs=DAYS) == [
        "retentionDays is 1; 7 to 90 days are allowed."
    ]


def test_a_functions_group_is_one_of_the_stack() -> None:
    group = made(GROUP, "group", name="/aws/lambda/predict")
    said = made(FUNCTION, "said", name="other", loggingConfig={"logGroup": "/aws/lambda/predict"})
    own = made(FUNCTION, "own", name="predict")
    alone = made(FUNCTION, "alone", name="third")
    assert found(LOG_GROUPS, [group, said, own, alone]) == [
        "alone: no LogGroup of the stack is the one that it writes to."
    ]
    assert found(LOG_GROUPS, [group, made(FUNCTION, "unnamed")]) == [
        "? unnamed: which log group it writes to is known only after creation."
    ]
    assert found(LOG_GROUPS, [made(GROUP, "unnamed-group"), own])[0].startswith("? own: ")
