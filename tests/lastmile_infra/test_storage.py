from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lastmile_sls.plan.document import Plan, Target
from tests.lastmile_infra.aws import recorded as aws
from tests.lastmile_infra.azure import recorded as azure
from tests.lastmile_infra.gcp import recorded as gcp
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions
from tests.lastmile_infra.recorded import Run

PROVISIONED: dict[Target, Callable[[Plan, Path], Run]] = {
    "aws": aws.provisioned_plan,
    "gcp": gcp.provisioned_plan,
    "azure": azure.provisioned_plan,
}
STORES: dict[Target, str] = {
    "aws": "s3://churn-dev-state-1234567",
    "gcp": "gs://churn-dev-state-1234567",
    "azure": "az://churndevdata-1234567/state",
}


@pytest.mark.parametrize("target", PROVISIONED)
def test_the_document_is_made_once_and_kept(tmp_path: Path, target: Target) -> None:
    plan = plan_of(spec_of(**two_versions()), target)
    routing, store = plan["routing"], STORES[target]
    assert routing is not None
    run = PROVISIONED[target](plan, tmp_path)
    document = run.one("Document", "churn-dev-routing")
    assert document.inputs == {
        "url": store,
        "path": routing["path"],
        "content": json.dumps(routing["content"], indent=1),
        **({"region": "eu-west-1"} if target == "aws" else {}),
    }
    assert document.request.retainOnDelete
    assert list(document.request.ignoreChanges) == ["content"]
    assert (run.outputs["bucket"], run.outputs["routing"]) == (store, f"{store}/{routing['path']}")


@pytest.mark.parametrize("target", PROVISIONED)
def test_one_version_has_no_document(tmp_path: Path, target: Target) -> None:
    run = PROVISIONED[target](plan_of(spec_of(), target), tmp_path)
    assert not run.all("Document")
    assert "routing" not in run.outputs
