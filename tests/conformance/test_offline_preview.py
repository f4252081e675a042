"""Programs on the clouds' own SDKs are previewed with no CLI, account or network, with their exact wire inputs."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore
import pytest
import yaml
from pulumi.runtime.proto import provider_pb2 as wire

from lastmile_sls.engine.embedded.engine import EmbeddedEngine
from lastmile_sls.engine.embedded.offline import CLOUD_PACKAGES, OfflineProvider
from lastmile_sls.engine.interface import UNKNOWN, Event, Program, Result
from lastmile_sls.engine.properties import ARCHIVE_SIGNATURE, SIGNATURE_KEY, from_struct, to_struct

pytestmark = pytest.mark.conformance

AWS = """
import json
import pulumi
import pulumi_aws as aws

account = aws.get_caller_identity_output().account_id
region = aws.get_region_output().region
partition = aws.get_partition_output().partition
role = aws.iam.Role("role", assume_role_policy=json.dumps({"Version": "2012-10-17"}))
here = pulumi.Output.format("arn:{0}:s3:{1}:{2}:x", partition, region, account)
aws.iam.RolePolicy("policy", role=role.id, policy=pulumi.Output.json_dumps({"Resource": here}))
function = aws.lambda_.Function(
    "predict", role=role.arn, runtime="python3.13", handler="h.h", architectures=["arm64"], memory_size=512,
    code=pulumi.FileArchive("bundle.zip"), snap_start={"apply_on": "PublishedVersions"},
    environment=aws.lambda_.FunctionEnvironmentArgs(variables={"MODEL_ID": "churn"}), tags={"model": "churn"},
    opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="10m"), replace_on_changes=["packageType"],
                                ignore_changes=['tags["owner"]'], delete_before_replace=True))
api = aws.apigatewayv2.Api("api", protocol_type="HTTP", opts=pulumi.ResourceOptions(depends_on=[function]))
aws.apigatewayv2.Integration("to", api_id=api.id, integration_type="AWS_PROXY", integration_uri=function.invoke_arn)
pulumi.export("url", api.api_endpoint)
pulumi.export("memory", function.memory_size)
"""

GCP = """
import pulumi
import pulumi_gcp as gcp

project = gcp.organizations.get_project_output()
elsewhere = gcp.Provider("elsewhere", project="other", region="europe-west4")
service = gcp.cloudrunv2.Service(
    "predict", location="europe-west1", ingress="INGRESS_TRAFFIC_ALL", deletion_protection=False,
    template={"max_instance_request_concurrency": 8, "timeout": "60s", "containers": [{
        "image": "img@sha256:1", "resources": {"limits": {"memory": "1Gi", "cpu": "1"}, "startup_cpu_boost": True},
        "envs": [{"name": "NUMBER", "value": project.number}]}]},
    labels={"model": "churn"}, opts=pulumi.ResourceOptions(provider=elsewhere))
gcp.storage.Bucket("artifacts", location="EU", uniform_bucket_level_access=True, name=pulumi.Output.concat(
    project.project_id, "-artifacts"), opts=pulumi.ResourceOptions(retain_on_delete=True))
pulumi.export("url", service.uri)
"""

AZURE = """
import pulumi
import pulumi_azure_native as azure

client = azure.authorization.get_client_config_output()
group = azure.resources.ResourceGroup("group", location="westeurope")
app = azure.web.WebApp(
    "predict", resource_group_name=group.name, kind="functionapp,linux", https_only=True,
    identity={"type": azure.web.ManagedServiceIdentityType.SYSTEM_ASSIGNED},
    function_app_config=azure.web.FunctionAppConfigArgs(runtime={"name": "python", "version": "3.13"},
        scale_and_concurrency={"instance_memory_mb": 2048, "maximum_instance_count": 40}),
    site_config={"app_settings": [{"name": "TENANT", "value": client.tenant_id}]}, tags={"model": "churn"})
pulumi.export("host", app.default_host_name)
pulumi.export("subscription", client.subscription_id)
"""


def preview(folder: Path, text: str, config: Mapping[str, str]) -> tuple[Result, dict[str, Any]]:
    """Preview a program; return the result and the planned inputs by resource name."""
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "cloud", "runtime": "python"}))
    (folder / "__main__.py").write_text(text)
    (folder / "bundle.zip").write_bytes(b"")
    providers = {package: functools.partial(OfflineProvider, package) for package in CLOUD_PACKAGES}
    engine = EmbeddedEngine(folder / "stacks", providers)
    heard: list[Event] = []
    result = engine.preview(Program(folder, "cloud", "dev", config), heard.append)
    return result, {e.name: e.inputs for e in heard if e.kind == "planned"}


def test_aws(tmp_path: Path) -> None:
    result, planned = preview(tmp_path, AWS, {"aws:region": "eu-west-1"})
    assert result.changes == {"create": 6}
    assert result.outputs == {"url": UNKNOWN, "memory": 512}
    assert json.loads(planned["role"]["assumeRolePolicy"]) == {"Version": "2012-10-17"}
    assert json.loads(planned["policy"]["policy"]) == {"Resource": "arn:aws:s3:eu-west-1:000000000000:x"}
    assert planned["policy"]["role"] is UNKNOWN
    assert planned["predict"] == {
        "role": UNKNOWN,
        "runtime": "python3.13",
        "handler": "h.h",
        "architectures": ["arm64"],
        "memorySize": 512,
        "code": {
            SIGNATURE_KEY: ARCHIVE_SIGNATURE,
            "path": "bundle.zip",
            "hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        },
        "snapStart": {"applyOn": "PublishedVersions"},
        "environment": {"variables": {"MODEL_ID": "churn"}},
        "tags": {"model": "churn"},
    }
    assert planned["api"] == {"protocolType": "HTTP"}
    assert planned["to"] == {"apiId": UNKNOWN, "integrationType": "AWS_PROXY", "integrationUri": UNKNOWN}


def test_gcp(tmp_path: Path) -> None:
    result, planned = preview(tmp_path, GCP, {"gcp:project": "mine"})
    assert result.changes == {"create": 4}
    assert result.outputs == {"url": UNKNOWN}
    assert planned["elsewhere"]["project"] == "other"
    assert planned["predict"] == {
        "location": "europe-west1",
        "ingress": "INGRESS_TRAFFIC_ALL",
        "deletionProtection": False,
        "template": {
            "maxInstanceRequestConcurrency": 8,
            "timeout": "60s",
            "containers": [
                {
                    "image": "img@sha256:1",
                    "resources": {"limits": {"memory": "1Gi", "cpu": "1"}, "startupCpuBoost": True},
                    "envs": [{"name": "NUMBER", "value": "0"}],
                }
            ],
        },
        "labels": {"model": "churn"},
    }
    assert planned["artifacts"] == {
        "location": "EU",
        "uniformBucketLevelAccess": True,
        "name": "mine-artifacts",
    }


def test_azure(tmp_path: Path) -> None:
    result, planned = preview(tmp_path, AZURE, {"azure-native:subscriptionId": "1234"})
    assert result.changes == {"create": 3}
    assert result.outputs == {"host": UNKNOWN, "subscription": "1234"}
    assert planned["group"] == {"location": "westeurope"}
    of_the_sdk = dict.fromkeys(("clientAffinityEnabled", "hyperV", "isXenon", "scmSiteAlsoStopped"), False)
    assert planned["predict"] == {
        **of_the_sdk,
        "resourceGroupName": UNKNOWN,
        "kind": "functionapp,linux",
        "httpsOnly": True,
        "identity": {"type": "SystemAssigned"},
        "functionAppConfig": {
            "runtime": {"name": "python", "version": "3.13"},
            "scaleAndConcurrency": {"instanceMemoryMB": 2048, "maximumInstanceCount": 40},
        },
        "siteConfig": {"appSettings": [{"name": "TENANT", "value": "00000000-0000-0000-0000-000000000000"}]},
        "tags": {"model": "churn"},
    }


def test_the_partitions_are_aws_own() -> None:
    document = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_text())
    for partition in document["partitions"]:
        for region in partition["regions"]:
            if "-global" in region:
                continue
            provider: Any = OfflineProvider("aws")
            provider.Configure(wire.ConfigureRequest(args=to_struct({"region": region})), None)
            request = wire.InvokeRequest(tok="aws:index/getPartition:getPartition", preview=True)
            answer = from_struct(getattr(provider.Invoke(request, None), "return"))
            assert (answer["partition"], answer["dnsSuffix"]) == (
                partition["id"],
                partition["outputs"]["dnsSuffix"],
            ), region
