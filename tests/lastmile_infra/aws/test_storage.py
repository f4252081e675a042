from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lastmile_infra.aws.recorded import provisioned
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions

BUCKET = "churn-dev-state-1234567"
SETTINGS = (
    "BucketVersioning",
    "BucketServerSideEncryptionConfiguration",
    "BucketPublicAccessBlock",
    "BucketOwnershipControls",
    "BucketLifecycleConfiguration",
    "BucketPolicy",
)


def test_a_bucket(tmp_path: Path) -> None:
    spec = spec_of(**two_versions(), storage={"results_days": 7, "capture_days": 14, "old_versions_days": 5})
    run = provisioned(spec, tmp_path)
    assert set(run.inputs("Bucket")) == {"tags"}  # its name is Pulumi's
    told = {type_: run.inputs(type_) for type_ in SETTINGS}
    assert {inputs.pop("bucket") for inputs in told.values()} == {BUCKET}
    assert told["BucketVersioning"] == {"versioningConfiguration": {"status": "Enabled"}}
    assert told["BucketServerSideEncryptionConfiguration"] == {
        "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]
    }
    assert told["BucketPublicAccessBlock"] == {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    assert told["BucketOwnershipControls"] == {"rule": {"objectOwnership": "BucketOwnerEnforced"}}
    assert json.loads(told["BucketPolicy"]["policy"])["Statement"][0]["Resource"] == [
        f"arn:aws:s3:::{BUCKET}",
        f"arn:aws:s3:::{BUCKET}/*",
    ]
    assert told["BucketLifecycleConfiguration"] == {
        "rules": [
            {
                "id": "expire-capture",
                "status": "Enabled",
                "filter": {"prefix": "capture/"},
                "expiration": {"days": 14},
            },
            {
                "id": "expire-results",
                "status": "Enabled",
                "filter": {"prefix": "results/"},
                "expiration": {"days": 7},
            },
            {
                "id": "tidy",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "noncurrentVersionExpiration": {"noncurrentDays": 5},
                "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
            },
        ]
    }


def test_the_document_and_the_bucket_outlive_the_deployment(tmp_path: Path) -> None:
    run = provisioned(spec_of(**two_versions()), tmp_path)
    kept = {r.type.rpartition(":")[2] for r in run.resources if r.request.retainOnDelete}
    assert kept == {"Bucket", *SETTINGS, "Document"}


def test_the_routing_document(tmp_path: Path) -> None:
    spec = spec_of(**two_versions())
    run = provisioned(spec, tmp_path)
    document = run.one("Document", "churn-dev-routing")
    content = json.loads(document.inputs.pop("content"))
    plan = plan_of(spec, "aws")["routing"]
    assert plan
    assert content == plan["content"]
    assert document.inputs == {"url": f"s3://{BUCKET}", "path": "routing.json", "region": "eu-west-1"}
    assert list(document.request.ignoreChanges) == ["content"]
    assert run.outputs["bucket"] == f"s3://{BUCKET}"
    assert run.outputs["routing"] == f"s3://{BUCKET}/routing.json"
    (function,) = run.all("Function")
    assert any(urn.endswith("::churn-dev-routing") for urn in function.request.dependencies)


def test_an_adopted_bucket_is_not_touched(tmp_path: Path) -> None:
    run = provisioned(spec_of(**two_versions(), targets={"aws": {"bucket": "theirs"}}), tmp_path)
    assert not any(run.all(type_) for type_ in ("Bucket", *SETTINGS))
    assert run.inputs("Document")["url"] == "s3://theirs"
    assert run.outputs["bucket"] == "s3://theirs"
    assert "arn:aws:s3:::theirs/churn-dev/routing.json" in run.inputs("RolePolicy")["policy"]


def test_one_version_has_no_storage(tmp_path: Path) -> None:
    run = provisioned(spec_of(), tmp_path)
    assert not any("s3" in r.type for r in run.resources)
    assert not run.all("Document")
    assert "bucket" not in run.outputs
    assert "routing" not in run.outputs


@pytest.mark.parametrize(("name", "expected"), [("a" * 35, "a" * 35), ("a" * 36, None)])
def test_a_bucket_has_room_for_what_pulumi_adds(tmp_path: Path, name: str, expected: str | None) -> None:
    spec = spec_of(**two_versions(), name=name, environment="production-eu")
    bucket = provisioned(spec, tmp_path).one("Bucket").name
    assert len(bucket) <= 55
    assert bucket.startswith(name)
    assert (bucket == f"{expected}-production-eu-state") == (expected is not None)
