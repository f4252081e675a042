"""The cloud providers' stand-in: what it previews, what it answers, and that it never deploys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2 as wire

from lastmile_sls.engine.embedded.engine import EmbeddedEngine
from lastmile_sls.engine.embedded.offline import OfflineProvider
from lastmile_sls.engine.interface import UNKNOWN, EngineError, Event
from lastmile_sls.engine.properties import (
    ARCHIVE_SIGNATURE,
    SIGNATURE_KEY,
    UNKNOWN_SENTINEL,
    Properties,
    from_struct,
    secret,
    to_struct,
)
from lastmile_sls.engine.pulumi_cli.command import HOW_TO_INSTALL
from tests.lastmile_sls.engine.world import World

URN = "urn:pulumi:dev::p::aws:s3/bucket:Bucket::b"
IDENTITY: dict[str, Any] = {"urn": URN, "type": "aws:s3/bucket:Bucket", "name": "b"}


def provider(package: str = "aws", **config: Any) -> Any:
    made: Any = OfflineProvider(package)
    made.Handshake(wire.ProviderHandshakeRequest(), None)
    made.Configure(wire.ConfigureRequest(args=to_struct(config)), None)
    return made


def ask(made: Any, token: str, **arguments: Any) -> Properties:
    request = wire.InvokeRequest(tok=token, args=to_struct(arguments), preview=True)
    return from_struct(getattr(made.Invoke(request, None), "return"))


def test_inputs_come_back_and_nothing_else_is_known() -> None:
    inputs = to_struct({"bucket": "x", "tags": {"a": UNKNOWN_SENTINEL}})
    made = provider()
    assert made.Check(wire.CheckRequest(**IDENTITY, news=inputs), None).inputs == inputs
    created = made.Create(wire.CreateRequest(**IDENTITY, properties=inputs, preview=True), None)
    assert (created.id, created.properties) == ("", inputs)
    updated = made.Update(wire.UpdateRequest(**IDENTITY, id="b", news=inputs, preview=True), None)
    assert updated.properties == inputs


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ({"a": 1, "b": 1}, {"a": 1, "b": 1}, []),
        ({"a": 1, "b": 1}, {"a": 2, "c": 1}, ["a", "b", "c"]),
        ({"a": secret("x")}, {"a": "x"}, []),
        (
            {"code": {SIGNATURE_KEY: ARCHIVE_SIGNATURE, "hash": "1", "path": "here"}},
            {"code": {SIGNATURE_KEY: ARCHIVE_SIGNATURE, "hash": "1", "path": "there"}},
            [],
        ),
    ],
)
def test_a_difference_is_one_of_inputs(old: Properties, new: Properties, changed: list[str]) -> None:
    request = wire.DiffRequest(**IDENTITY, id="b", old_inputs=to_struct(old), news=to_struct(new))
    answer = provider().Diff(request, None)
    assert list(answer.diffs) == changed
    some, none = wire.DiffResponse.DIFF_SOME, wire.DiffResponse.DIFF_NONE
    assert answer.changes == (some if changed else none)
    assert not answer.replaces


@pytest.mark.parametrize(
    ("method", "request_", "what"),
    [
        ("Create", wire.CreateRequest(**IDENTITY), "aws:s3/bucket:Bucket b is not created"),
        ("Update", wire.UpdateRequest(**IDENTITY), "aws:s3/bucket:Bucket b is not updated"),
        ("Delete", wire.DeleteRequest(**IDENTITY), "aws:s3/bucket:Bucket b is not deleted"),
        (
            "Invoke",
            wire.InvokeRequest(tok="aws:index/getRegion:getRegion"),
            "the function aws:index/getRegion:getRegion has no true answer",
        ),
    ],
)
def test_it_never_deploys(method: str, request_: Any, what: str) -> None:
    with pytest.raises(EngineError) as caught:
        getattr(provider(), method)(request_, None)
    assert caught.value.message == (
        f"{what}: the embedded engine previews what runs in a cloud and never deploys it."
    )
    assert caught.value.hint == f"Deploy with the Pulumi CLI: lastmile up --engine pulumi\n{HOW_TO_INSTALL}"


def test_who_and_where_on_aws() -> None:
    made = provider("aws", region="eu-west-1")
    zeros = "000000000000"
    assert ask(made, "aws:index/getCallerIdentity:getCallerIdentity") == {
        "accountId": zeros,
        "arn": f"arn:aws:iam::{zeros}:root",
        "id": zeros,
        "userId": zeros,
    }
    region = ask(made, "aws:index/getRegion:getRegion")
    assert region == {
        "region": "eu-west-1",
        "name": "eu-west-1",
        "id": "eu-west-1",
        "description": "eu-west-1",
        "endpoint": "ec2.eu-west-1.amazonaws.com",
    }
    assert ask(made, "aws:index/getRegion:getRegion", region="us-gov-west-1")["region"] == "us-gov-west-1"
    assert ask(made, "aws:index/getPartition:getPartition") == {
        "partition": "aws",
        "id": "aws",
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    }


def test_without_a_region_it_is_us_east_1() -> None:
    assert ask(provider("aws"), "aws:index/getRegion:getRegion")["region"] == "us-east-1"
    assert ask(provider("aws"), "aws:index/getPartition:getPartition")["partition"] == "aws"


def test_a_region_of_china_is_in_its_partition() -> None:
    made = provider("aws", region="cn-north-1")
    assert ask(made, "aws:index/getPartition:getPartition") == {
        "partition": "aws-cn",
        "id": "aws-cn",
        "dnsSuffix": "amazonaws.com.cn",
        "reverseDnsPrefix": "cn.com.amazonaws",
    }
    arn = ask(made, "aws:index/getCallerIdentity:getCallerIdentity")["arn"]
    assert arn == "arn:aws-cn:iam::000000000000:root"


def test_who_on_azure() -> None:
    zeros = "00000000-0000-0000-0000-000000000000"
    made = provider("azure-native", subscriptionId="1234", tenantId=secret("5678"))
    assert ask(made, "azure-native:authorization:getClientConfig") == {
        "clientId": zeros,
        "objectId": zeros,
        "subscriptionId": "1234",
        "tenantId": "5678",
    }
    assert ask(provider("azure-native"), "azure-native:authorization:getClientConfig")["tenantId"] == zeros


def test_which_project_on_gcp() -> None:
    token = "gcp:organizations/getProject:getProject"
    answer = ask(provider("gcp", project="mine"), token)
    assert (answer["projectId"], answer["number"], answer["id"]) == ("mine", "0", "projects/mine")
    assert ask(provider("gcp", project="mine"), token, projectId="other")["projectId"] == "other"
    assert ask(provider("gcp"), token)["projectId"] == "project"


def test_any_other_function_is_refused_by_name() -> None:
    with pytest.raises(EngineError) as caught:
        ask(provider(), "aws:ec2/getAmi:getAmi")
    assert caught.value.message == (
        "the program uses the function aws:ec2/getAmi:getAmi, which the embedded engine does not carry."
    )


PROGRAM = """
import pulumi

class Any(pulumi.CustomResource):
    def __init__(self, kind, name, props, opts=None):
        super().__init__(kind, name, {**props, "arn": None}, opts)

who = pulumi.runtime.invoke_output("aws:index/getCallerIdentity:getCallerIdentity", {})
role = Any("aws:iam/role:Role", "role", {"name": pulumi.Output.concat("role-of-", who["accountId"])})
function = Any("aws:lambda/function:Function", "function", {
    "role": role.arn, "code": pulumi.FileArchive("bundle.zip"), "memorySize": 512,
    "environment": {"variables": {"KEY": pulumi.Output.secret("s3cret")}},
}, pulumi.ResourceOptions(version="7.51.1", ignore_changes=["environment.variables"],
   aliases=[pulumi.Alias(type_="aws:old:Function")], custom_timeouts=pulumi.CustomTimeouts(create="10m")))
pulumi.export("arn", function.arn)
"""


def test_a_program_is_previewed_and_not_deployed(world: World, tmp_path: Path) -> None:
    (world.folder / "__main__.py").write_text(PROGRAM)
    (world.folder / "bundle.zip").write_bytes(b"")
    engine = EmbeddedEngine(tmp_path / "stacks", {"aws": lambda: OfflineProvider("aws")})
    heard: list[Event] = []
    result = engine.preview(world.program({"aws:region": "eu-west-1"}), heard.append)
    assert result.changes == {"create": 3}
    assert result.outputs == {"arn": UNKNOWN}
    planned = {e.name: e.inputs for e in heard if e.kind == "planned"}
    assert planned["role"] == {"name": "role-of-000000000000"}
    function = dict(planned["function"] or {})
    assert repr(function.pop("environment")) == "{'variables': {'KEY': [secret]}}"
    assert function == {
        "role": UNKNOWN,
        "code": {
            SIGNATURE_KEY: ARCHIVE_SIGNATURE,
            "path": "bundle.zip",
            "hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        },
        "memorySize": 512,
    }
    assert not engine.exists(world.program())
    with pytest.raises(EngineError, match="getCallerIdentity has no true answer"):
        engine.up(world.program(), heard.append)
