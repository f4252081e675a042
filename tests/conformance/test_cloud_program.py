"""The embedded engine hosts an unmodified program on a cloud's own SDK; a checking provider stands in the cloud's place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from lastmile_sls.engine.embedded.engine import EmbeddedEngine
from lastmile_sls.engine.interface import UNKNOWN, Event, Program
from lastmile_sls.engine.properties import UNKNOWN_SENTINEL, from_struct, to_struct

pytestmark = pytest.mark.conformance
PROGRAM = """
import json
import pulumi
import pulumi_aws as aws

aws_provider = aws.Provider("here", region="eu-west-1")
options = pulumi.ResourceOptions(provider=aws_provider)
bucket = aws.s3.Bucket("artifacts", tags={"model": "churn"}, opts=options)
role = aws.iam.Role("role", assume_role_policy=json.dumps({"Version": "2012-10-17"}), opts=options)
function = aws.lambda_.Function("predict", role=role.arn, runtime="python3.13", handler="h.h",
                                s3_bucket=bucket.bucket, s3_key="bundle.zip", memory_size=512, opts=options)
pulumi.export("arn", function.arn)
"""


class Recorder(provider_pb2_grpc.ResourceProviderServicer):
    """Accepts everything, writes down the wire inputs, and makes up the computed outputs."""

    seen: dict[str, dict[str, Any]]

    def __init__(self) -> None:
        self.seen = {}

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def Configure(self, request: Any, context: Any) -> Any:
        self.seen["provider"] = from_struct(request.args)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:
        same = request.old_inputs == request.news
        kind = provider_pb2.DiffResponse.DIFF_NONE if same else provider_pb2.DiffResponse.DIFF_SOME
        return provider_pb2.DiffResponse(changes=kind)

    def Create(self, request: Any, context: Any) -> Any:
        inputs = from_struct(request.properties)
        name = request.urn.rsplit("::", 1)[-1]
        self.seen[name] = inputs
        computed = dict.fromkeys(("arn", "bucket"), UNKNOWN_SENTINEL)
        if not request.preview:
            computed = {"arn": f"arn:aws:x:::{name}", "bucket": f"{name}-1a2b"}
        return provider_pb2.CreateResponse(
            id="" if request.preview else name, properties=to_struct({**computed, **inputs})
        )

    def Delete(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


def ignore(event: Event) -> None:
    return None


@pytest.fixture
def program(tmp_path: Path) -> Program:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "cloud", "runtime": "python"}))
    (folder / "__main__.py").write_text(PROGRAM)
    return Program(folder, "cloud", "dev")


def test_preview_gives_the_exact_wire_inputs(program: Program, tmp_path: Path) -> None:
    recorder = Recorder()
    result = EmbeddedEngine(tmp_path / "stacks", {"aws": lambda: recorder}).preview(program, ignore)
    assert result.changes == {"create": 5}
    assert result.outputs["arn"] is UNKNOWN
    assert recorder.seen["provider"]["region"] == "eu-west-1"
    assert recorder.seen["artifacts"] == {"tags": {"model": "churn"}}
    assert json.loads(recorder.seen["role"]["assumeRolePolicy"]) == {"Version": "2012-10-17"}
    assert recorder.seen["predict"] == {
        "role": UNKNOWN_SENTINEL,
        "runtime": "python3.13",
        "handler": "h.h",
        "s3Bucket": UNKNOWN_SENTINEL,
        "s3Key": "bundle.zip",
        "memorySize": 512,
    }


def test_up_passes_outputs_on(program: Program, tmp_path: Path) -> None:
    recorder = Recorder()
    engine = EmbeddedEngine(tmp_path / "stacks", {"aws": lambda: recorder})
    assert engine.up(program, ignore).outputs == {"arn": "arn:aws:x:::predict"}
    assert recorder.seen["predict"]["role"] == "arn:aws:x:::role"
    assert recorder.seen["predict"]["s3Bucket"] == "artifacts-1a2b"
    assert engine.up(program, ignore).changes == {"same": 5}
    assert engine.destroy(program, ignore).changes == {"delete": 5}
