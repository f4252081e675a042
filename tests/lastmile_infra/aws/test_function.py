from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.engine.properties import ARCHIVE_SIGNATURE, ASSET_SIGNATURE, SIGNATURE_KEY
from lastmile_sls.plan.cloud import DIRECT_UPLOAD_BYTES
from tests.lastmile_infra.aws.recorded import ACCOUNT, FUNCTIONS, provisioned, provisioned_plan
from tests.lastmile_infra.plans import DIGEST, plan_of, spec_of, two_versions
from tests.lastmile_infra.recorded import Run

TAGS = {
    "model": "churn",
    "environment": "dev",
    "owner": "growth-team",
    "cost-center": "cc-1",
    "managed-by": "lastmile",
}
LARGE = {"predict": DIRECT_UPLOAD_BYTES + 1}


def environment(run: Run, name: str = "churn-dev-predict") -> dict[str, str]:
    variables: dict[str, str] = run.inputs("Function", name)["environment"]["variables"]
    return variables


def test_a_zip(tmp_path: Path) -> None:
    run = provisioned(spec_of(), tmp_path)
    told = run.inputs("Function")
    variables = told.pop("environment")["variables"]
    assert told == {
        "name": "churn-dev-predict",
        "role": f"arn:aws:iam::{ACCOUNT}:role/churn-dev",
        "packageType": "Zip",
        "runtime": "python3.13",
        "handler": "lastmile_runtime.adapters.aws.handler",
        "code": {SIGNATURE_KEY: ARCHIVE_SIGNATURE, "path": str(tmp_path / "bundles" / "predict.zip")},
        "architectures": ["arm64"],
        "memorySize": 512,
        "timeout": 30,
        "publish": True,
        "loggingConfig": {"logFormat": "JSON", "logGroup": "/aws/lambda/churn-dev-predict"},
        "tags": TAGS,
    }
    plan = plan_of(spec_of(), "aws")["functions"][0]
    assert variables == {
        **plan["environment"],
        "LASTMILE_AUTH": json.dumps({"keys": ["sha256:00000ff" + "0" * 57]}),
    }
    assert run.inputs("Alias") == {
        "name": "live",
        "functionName": "churn-dev-predict",
        "functionVersion": "1",
    }
    assert run.inputs("LogGroup") == {
        "name": "/aws/lambda/churn-dev-predict",
        "retentionInDays": 30,
        "tags": TAGS,
    }
    assert run.outputs["functions"] == {"predict": f"{FUNCTIONS}:churn-dev-predict"}


def test_what_the_spec_says_of_its_room(tmp_path: Path) -> None:
    spec = spec_of(
        resources={"memory_mb": 2048, "timeout_s": 20, "processor": "x86_64", "max_instances": 7},
        bundle={"python": "3.12"},
        targets={"aws": {"snap_start": True}},
    )
    told = provisioned(spec, tmp_path).inputs("Function")
    assert told["memorySize"] == 2048
    assert told["timeout"] == 20
    assert told["architectures"] == ["x86_64"]
    assert told["reservedConcurrentExecutions"] == 7
    assert told["runtime"] == "python3.12"
    assert told["snapStart"] == {"applyOn": "PublishedVersions"}


def test_warm_instances_are_of_the_alias(tmp_path: Path) -> None:
    run = provisioned(spec_of(resources={"min_instances": 2}), tmp_path)
    assert run.inputs("ProvisionedConcurrencyConfig", "churn-dev-predict-warm") == {
        "functionName": "churn-dev-predict",
        "qualifier": "live",
        "provisionedConcurrentExecutions": 2,
    }
    assert not provisioned(spec_of(), tmp_path).all("ProvisionedConcurrencyConfig")


def test_a_large_zip_goes_through_the_bucket(tmp_path: Path) -> None:
    run = provisioned(spec_of(), tmp_path, LARGE)
    digest = DIGEST.removeprefix("sha256:")
    uploaded = run.one("BucketObjectv2", "churn-dev-predict-package")
    assert uploaded.inputs == {
        "bucket": "churn-dev-state-1234567",
        "key": f"bundles/predict/{digest}.zip",
        "source": {SIGNATURE_KEY: ASSET_SIGNATURE, "path": str(tmp_path / "bundles" / "predict.zip")},
        "tags": TAGS,
    }
    assert not uploaded.request.retainOnDelete
    told = run.inputs("Function")
    assert "code" not in told
    assert told["s3Bucket"] == "churn-dev-state-1234567"
    assert told["s3Key"] == uploaded.inputs["key"]
    assert not run.all("Document")
    assert "s3:" not in run.inputs("RolePolicy")["policy"]  # Lambda fetches it with the deployer's rights


def test_an_image(tmp_path: Path) -> None:
    run = provisioned(spec_of(targets={"aws": {"package": "image"}}), tmp_path)
    assert run.inputs("Repository", "churn-dev-predict-images") == {
        "forceDelete": True,
        "imageTagMutability": "IMMUTABLE",
        "imageScanningConfiguration": {"scanOnPush": True},
        "encryptionConfigurations": [{"encryptionType": "AES256"}],
        "tags": TAGS,
    }
    policy = run.inputs("RepositoryPolicy")
    assert policy["repository"] == "churn-dev-predict-images"
    assert f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:*" in policy["policy"]
    repository = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/churn-dev-predict-images"
    image = run.one("Image", "churn-dev-predict-image")
    assert image.inputs == {
        "source": str(tmp_path / "bundles" / "predict.image"),
        "digest": DIGEST,
        "repository": repository,
        "base": "registry.test/python@sha256:" + "cd" * 32,
    }
    assert any(urn.endswith("::churn-dev-predict-images-policy") for urn in image.request.dependencies)
    told = run.inputs("Function")
    assert told["packageType"] == "Image"
    assert told["imageUri"] == f"{repository}@sha256:{'ef' * 32}"
    assert not {"handler", "runtime", "code"} & set(told)


def test_two_versions_read_the_live_document(tmp_path: Path) -> None:
    run = provisioned(spec_of(**two_versions()), tmp_path)
    assert environment(run)["LASTMILE_ROUTING_URL"] == "s3://churn-dev-state-1234567/routing.json"
    assert "LASTMILE_FUNCTIONS" not in environment(run)
    assert "LASTMILE_ROUTING_URL" not in environment(provisioned(spec_of(), tmp_path))


def test_two_functions(tmp_path: Path) -> None:
    run = provisioned(spec_of(**two_versions(apart=True)), tmp_path)
    router, other = environment(run), environment(run, "churn-dev-predict-v2")
    called = f"lambda://eu-west-1/{FUNCTIONS}:churn-dev-predict-v2:live"
    assert json.loads(router["LASTMILE_FUNCTIONS"]) == {"predict-v2": called}
    assert "LASTMILE_AUTH" in router
    assert not {"LASTMILE_AUTH", "LASTMILE_FUNCTIONS", "LASTMILE_ROUTING_URL"} & set(other)
    assert [f.name for f in run.all("Function")] == ["churn-dev-predict-v2", "churn-dev-predict"]
    assert {r.inputs["functionName"] for r in run.all("Alias")} == {
        "churn-dev-predict",
        "churn-dev-predict-v2",
    }
    assert run.inputs("Permission")["function"] == "churn-dev-predict"  # nobody else is reached from outside


def test_secrets_are_named_by_their_arns(tmp_path: Path) -> None:
    run = provisioned(spec_of(secrets={"DB_PASSWORD": "churn-db"}), tmp_path)
    assert json.loads(environment(run)["LASTMILE_SECRETS"]) == {
        "DB_PASSWORD": f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:churn-db"
    }
    assert f":{ACCOUNT}:secret:churn-db-??????" in run.inputs("RolePolicy")["policy"]
    assert "LASTMILE_SECRETS" not in environment(provisioned(spec_of(), tmp_path))


def _without_package(plan: Any) -> None:
    plan["functions"][0]["package"] = None


def _without_bucket(plan: Any) -> None:
    plan["functions"][0]["package"]["through"] = "bucket"


def _of_azure(plan: Any) -> None:
    plan["functions"][0]["package"]["through"] = "app"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_without_package, "the function predict has no package, which AWS Lambda needs."),
        (_without_bucket, "AWS Lambda takes no package through 'bucket' without a bucket."),
        (_of_azure, "AWS Lambda takes no package through 'app' without a bucket."),
    ],
)
def test_a_package_that_lambda_does_not_take(tmp_path: Path, change: Any, told: str) -> None:
    plan = plan_of(spec_of(), "aws")
    change(plan)
    with pytest.raises(ValueError, match=f"^{told}$"):
        provisioned_plan(plan, tmp_path)
