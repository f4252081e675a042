from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.plan.cloud import DIRECT_UPLOAD_BYTES
from tests.lastmile_infra.aws.recorded import provisioned
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions
from tests.lastmile_infra.recorded import Recorded

EVERYTHING: dict[str, dict[str, Any]] = {
    "zip": {
        **two_versions(apart=True),
        "endpoint": {
            "auth": "jwt",
            "jwt": {"issuer": "https://id.example.com", "audiences": ["a"]},
            "cors": {"allow_origins": ["*"]},
            "domain": "predict.example.com",
            "rate_limit": {"requests_per_s": 1.0, "burst": 1},
        },
        "resources": {"min_instances": 1},
        "targets": {"aws": {"hosted_zone": "Z0123456789"}},
        "tags": {"squad": "blue"},
        "queue": {},
        "schedule": {"cron": "0 6 * * *", "input": "batch/in", "output": "batch/out"},
        "operations": {"notify": ["a@example.com"]},
        "budget": {"monthly_limit": 50.0},
    },
    "image": {"targets": {"aws": {"package": "image", "gateway": "function_url"}}},
}


def takes_tags(resource: Recorded) -> bool:
    """Tell whether the SDK's class of a resource takes tags."""
    package, module, type_ = resource.type.split(":")
    if package != "aws":
        return False
    folder = module.split("/")[0]
    sdk = import_module(f"pulumi_aws.{'lambda_' if folder == 'lambda' else folder}")
    return "tags" in inspect.signature(getattr(sdk, type_)._internal_init).parameters


@pytest.mark.parametrize("changes", EVERYTHING.values(), ids=EVERYTHING)
def test_whatever_takes_tags_has_them(tmp_path: Path, changes: dict[str, Any]) -> None:
    spec = spec_of(**changes)
    run = provisioned(spec, tmp_path, {"predict": DIRECT_UPLOAD_BYTES + 1})
    tagged = [r for r in run.resources if takes_tags(r)]
    assert len(tagged) >= 5
    for resource in tagged:
        assert resource.inputs["tags"] == plan_of(spec, "aws")["tags"], resource.name
    others = [r for r in run.resources if not takes_tags(r)]
    assert not [r.name for r in others if "tags" in r.inputs]


def test_every_resource_of_a_deployment_with_a_key(tmp_path: Path) -> None:
    assert provisioned(spec_of(), tmp_path).names() == [
        "Alias churn-dev-predict-live",
        "Api churn-dev-endpoint",
        "Deployment churn-dev",
        "Function churn-dev-predict",
        "Integration churn-dev-endpoint-integration",
        "Key churn-dev-key",
        "LogGroup churn-dev-predict-logs",
        "Permission churn-dev-endpoint-permission",
        "Role churn-dev-role",
        "RolePolicy churn-dev-role-policy",
        "Route churn-dev-endpoint-route",
        "Secret churn-dev-key-secret",
        "SecretVersion churn-dev-key-secret-value",
        "Stage churn-dev-endpoint-stage",
        "aws churn-dev-aws",
    ]


def test_every_resource_is_a_child_of_the_deployment(tmp_path: Path) -> None:
    run = provisioned(spec_of(**EVERYTHING["zip"]), tmp_path)
    parents = {
        r.request.parent.rpartition("::")[2] for r in run.resources if r.type != "lastmile:index:Deployment"
    }
    assert parents == {"churn-dev"}


def test_outputs(tmp_path: Path) -> None:
    run = provisioned(spec_of(**two_versions()), tmp_path)
    assert run.outputs == {
        "url": "https://abc.execute-api.eu-west-1.amazonaws.com",
        "account": "123456789012",
        "key": "value of key",
        "functions": {"predict": "arn:aws:lambda:eu-west-1:123456789012:function:churn-dev-predict"},
        "logs": {"predict": "/aws/lambda/churn-dev-predict"},
        "bucket": "s3://churn-dev-state-1234567",
        "routing": "s3://churn-dev-state-1234567/routing.json",
    }
