"""The limits in our tables against the clouds' own models, where those say them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session
import googleapiclient
import pytest

from lastmile_sls.plan import cloud
from lastmile_sls.targets.environments import RUNTIMES
from lastmile_sls.targets.limits import Limit, Measure, limit_of

pytestmark = pytest.mark.conformance

DISCOVERY = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"


def shape(service: str, name: str) -> Any:
    return botocore.session.get_session().get_service_model(service).shape_for(name)


def limit(target: Any, measure: Measure) -> Limit:
    found = limit_of(target, measure)
    assert found is not None
    return found


def test_lambdas_memory_begins_where_botocore_says_and_ends_before_its_managed_instances() -> None:
    memory = shape("lambda", "MemorySize").metadata
    assert limit("aws", "configured memory").least == memory["min"]
    assert limit("aws", "configured memory").most <= memory["max"]


def test_lambdas_timeout_is_within_botocores() -> None:
    timeout = shape("lambda", "Timeout").metadata
    assert limit("aws", "timeout").least == timeout["min"]
    assert limit("aws", "timeout").most <= timeout["max"]


def test_http_apis_wait_as_long_as_botocore_says() -> None:
    members = shape("apigatewayv2", "CreateIntegrationRequest").members
    assert limit("aws", "waiting at http_api").most * 1000 == members["TimeoutInMillis"].metadata["max"]


def test_lambda_has_the_pythons_and_processors_of_our_table() -> None:
    runtimes = shape("lambda", "Runtime").enum
    assert all(f"python{python}" in runtimes for python in RUNTIMES["aws"].pythons)
    assert set(RUNTIMES["aws"].processors) == set(shape("lambda", "Architecture").enum)


def test_aws_takes_names_as_long_as_ours() -> None:
    assert shape("iam", "roleNameType").metadata["max"] == cloud.LONGEST_IDENTITY["aws"]


def test_cloud_run_says_the_same_of_instances_and_names() -> None:
    document = json.loads((DISCOVERY / "run.v2.json").read_text())
    scaling = document["schemas"]["GoogleCloudRunV2RevisionScaling"]["properties"]["maxInstanceCount"]
    assert "default value of 100" in scaling["description"]
    create = document["resources"]["projects"]["resources"]["locations"]["resources"]["services"]["methods"]
    assert "fewer than 50 characters" in create["create"]["parameters"]["serviceId"]["description"]
    assert cloud.LONGEST_NAME["gcp"] == 49


def test_service_accounts_have_names_as_long_as_ours() -> None:
    document = json.loads((DISCOVERY / "iam.v1.json").read_text())
    told = document["schemas"]["CreateServiceAccountRequest"]["properties"]["accountId"]["description"]
    assert "6-30 characters" in told
    assert cloud.LONGEST_IDENTITY["gcp"] == 30
