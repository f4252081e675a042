from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.lastmile_infra.gcp.recorded import PROJECT, REGION, run_of
from tests.lastmile_infra.plans import two_versions

KEPT: dict[str, Any] = {
    **two_versions(apart=True),
    "operations": {"notify": ["on-call@example.com"], "log_retention_days": 90},
}
WHAT = (
    f'resource.type="cloud_run_revision" AND resource.labels.location="{REGION}" AND '
    'resource.labels.service_name=("churn-dev-predict" OR "churn-dev-predict-v2")'
)


def test_logs_are_kept_as_long_as_the_spec_says_and_once(tmp_path: Path) -> None:
    run = run_of(tmp_path, **KEPT)
    assert run.inputs("ProjectBucketConfig") == {
        "project": PROJECT,
        "location": REGION,
        "bucketId": "churn-dev-1042",
        "retentionDays": 90,
        "description": "What the functions of churn-dev write.",
    }
    assert run.inputs("ProjectSink") == {
        "name": "churn-dev",
        "destination": f"logging.googleapis.com/projects/{PROJECT}/locations/{REGION}/buckets/churn-dev-1042",
        "filter": WHAT,
    }
    exclusion = run.one("ProjectExclusion")
    assert exclusion.inputs == {
        "name": "churn-dev",
        "description": "Kept in a bucket of their own, by the sink churn-dev.",
        "filter": WHAT,
    }
    assert "churn-dev-logs-kept" in exclusion.waits_for


def test_without_operations_logs_are_the_projects(tmp_path: Path) -> None:
    run = run_of(tmp_path, **two_versions(apart=True))
    assert not [resource for resource in run.resources if resource.type.startswith("gcp:logging")]
    assert run.outputs["logs"] == {"predict": "churn-dev-predict", "predict-v2": "churn-dev-predict-v2"}
