from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.plan.make import routing
from tests.lastmile_infra.gcp.recorded import ACCOUNT, run_of
from tests.lastmile_infra.gcp.test_gcp import TAGS
from tests.lastmile_infra.plans import spec_of, two_versions

READS = {
    "role": "roles/storage.legacyObjectReader",
    "member": f"serviceAccount:{ACCOUNT}",
}


def condition_on(bucket: str, path: str = "routing.json") -> dict[str, str]:
    return {
        "title": "routing document",
        "description": "The object that says which version answers.",
        "expression": f'resource.name == "projects/_/buckets/{bucket}/objects/{path}"',
    }


def test_no_bucket_without_need(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    assert not [r for r in run.resources if r.type.startswith("gcp:storage") or r.type.endswith(":Document")]


def test_a_bucket_that_is_versioned_and_closed(tmp_path: Path) -> None:
    days = {"results_days": 7, "capture_days": 14, "old_versions_days": 21}
    run = run_of(tmp_path, **two_versions(), storage=days)
    assert run.inputs("Bucket") == {
        "location": "EUROPE-WEST1",
        "uniformBucketLevelAccess": True,
        "publicAccessPrevention": "enforced",
        "versioning": {"enabled": True},
        "softDeletePolicy": {"retentionDurationSeconds": 604800},
        "lifecycleRules": [
            {
                "action": {"type": "Delete"},
                "condition": {"age": 14, "matchesPrefixes": ["capture/"], "withState": "LIVE"},
            },
            {
                "action": {"type": "Delete"},
                "condition": {"age": 7, "matchesPrefixes": ["results/"], "withState": "LIVE"},
            },
            {
                "action": {"type": "Delete"},
                "condition": {"daysSinceNoncurrentTime": 21, "withState": "ARCHIVED"},
            },
            {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}},
        ],
        "forceDestroy": False,
        "labels": TAGS,
    }


def test_the_routing_document_is_made_once_and_read_alone(tmp_path: Path) -> None:
    run = run_of(tmp_path, **two_versions())
    document = run.one("Document")
    content = json.loads(document.inputs.pop("content"))
    assert content == routing(spec_of(**two_versions()))
    assert document.inputs == {"url": "gs://churn-dev-state-1234567", "path": "routing.json"}
    assert list(document.request.ignoreChanges) == ["content"]
    assert run.inputs("BucketIAMMember") == {
        **READS,
        "bucket": "churn-dev-state-1234567",
        "condition": condition_on("churn-dev-state-1234567"),
    }
    waited_for = {
        urn.rpartition("::")[2] for urn in run.one("Service", "churn-dev-predict").request.dependencies
    }
    assert {"churn-dev-routing", "churn-dev-reads-routing"} <= waited_for


def test_an_adopted_bucket_is_left_as_it_is(tmp_path: Path) -> None:
    """Others may keep theirs in it, so the document has a folder of the deployment's."""
    run = run_of(tmp_path, **two_versions(), targets={"gcp": {"bucket": "theirs"}})
    path = "churn-dev/routing.json"
    assert not run.all("Bucket")
    document = run.inputs("Document")
    assert (document["url"], document["path"]) == ("gs://theirs", path)
    assert run.inputs("BucketIAMMember") == {
        **READS,
        "bucket": "theirs",
        "condition": condition_on("theirs", path),
    }
    assert (run.outputs["bucket"], run.outputs["routing"]) == ("gs://theirs", f"gs://theirs/{path}")


def test_an_adopted_bucket_that_nothing_is_in(tmp_path: Path) -> None:
    run = run_of(tmp_path, targets={"gcp": {"bucket": "theirs"}})
    assert not [r for r in run.resources if r.type.startswith("gcp:storage") or r.type.endswith(":Document")]
    assert run.outputs["bucket"] == "gs://theirs"
    assert "routing" not in run.outputs


def below(bucket: str, folder: str, purpose: str) -> dict[str, str]:
    return {
        "title": purpose,
        "description": f"What is in the folder {folder}",
        "expression": f'resource.name.startsWith("projects/_/buckets/{bucket}/objects/{folder}")',
    }


LISTS, WRITES = {"role": "roles/storage.legacyBucketReader"}, {"role": "roles/storage.legacyBucketWriter"}


@pytest.mark.parametrize(
    ("output", "bucket", "folder"),
    [
        ("batch/out", "churn-dev-state-1234567", "batch/out/"),
        ("gs://theirs/some/out/", "theirs", "some/out/"),
        ("gs://theirs", "theirs", None),
    ],
    ids=["a folder", "another bucket's folder", "another bucket"],
)
def test_work_is_done_in_its_folders_alone(
    tmp_path: Path, output: str, bucket: str, folder: str | None
) -> None:
    schedule = {"cron": "0 6 * * *", "input": "batch/in", "output": output}
    run = run_of(tmp_path, queue={}, schedule=schedule)
    own, reads = "churn-dev-state-1234567", {"role": READS["role"]}
    jobs, read = below(own, "results/", "jobs"), below(own, "batch/in/", "input")
    written = {"condition": below(bucket, folder, "output")} if folder else {}
    another = {"lists-output": {"bucket": bucket, **LISTS}} if bucket != own else {}
    expected: dict[str, dict[str, Any]] = {
        "lists-jobs": {"bucket": own, **LISTS},
        "reads-jobs": {"bucket": own, **reads, "condition": jobs},
        "writes-jobs": {"bucket": own, **WRITES, "condition": jobs},
        "reads-input": {"bucket": own, **reads, "condition": read},
        "reads-output": {"bucket": bucket, **reads, **written},
        "writes-output": {"bucket": bucket, **WRITES, **written},
        **another,
    }
    assert {r.name.removeprefix("churn-dev-"): r.inputs for r in run.all("BucketIAMMember")} == {
        name: {"member": READS["member"], **grant} for name, grant in expected.items()
    }


def test_answers_that_come_later_lie_below_the_deployments_name_in_an_adopted_bucket(tmp_path: Path) -> None:
    run = run_of(tmp_path, queue={}, targets={"gcp": {"bucket": "theirs"}})
    found = [r.inputs["condition"] for r in run.all("BucketIAMMember") if "condition" in r.inputs]
    assert found == [below("theirs", "churn-dev/results/", "jobs")] * 2
